;; Wants to talk to the world.
(module
  (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (call $handle) (unreachable)))
