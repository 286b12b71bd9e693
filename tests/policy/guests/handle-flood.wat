;; Asks for standard error for ever, and gives none back.
(module
  (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (loop (drop (call $stderr)) (br 0)) (unreachable)))
