;; Answers with a case that the contract does not have.
(module
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 9))
    (i32.const 2048)))
