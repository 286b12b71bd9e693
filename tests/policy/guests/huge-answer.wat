;; Gives 200 KiB of reason.
(module
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (memory.fill (i32.const 8192) (i32.const 120) (i32.const 204800))
    (i32.store8 (i32.const 2048) (i32.const 2))
    (i32.store (i32.const 2056) (i32.const 8192))
    (i32.store (i32.const 2060) (i32.const 204800))
    (i32.const 2048)))
