;; Gives up for a reason that lies outside its memory.
(module
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 2))
    (i32.store (i32.const 2056) (i32.const 0x7fffff00))
    (i32.store (i32.const 2060) (i32.const 0x7fffff00))
    (i32.const 2048)))
