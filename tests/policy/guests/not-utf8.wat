;; Gives up for a reason that is no text.
(module
  (data (i32.const 3000) "\ff\fe")
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 2))
    (i32.store (i32.const 2056) (i32.const 3000))
    (i32.store (i32.const 2060) (i32.const 2))
    (i32.const 2048)))
