;; Retries after as many milliseconds as its clock shows seconds.
(module
  (import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (call $now (i32.const 3000))
    (i32.store8 (i32.const 2048) (i32.const 1))
    (i64.store (i32.const 2056) (i64.load (i32.const 3000)))
    (i32.const 2048)))
