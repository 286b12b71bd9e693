;; Never finishes with its settings.
(module
  (func $spin (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32) (loop (br 0)) (unreachable))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (unreachable)))
