;; Never comes to be an instance.
(module
  (func $spin (loop (br 0)))
  (start $spin)
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (unreachable)))
