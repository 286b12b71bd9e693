;; Wants a service that this host does not have.
(module
  (import "acme:metrics/push@1.0.0" "push" (func $push))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (call $push) (unreachable)))
