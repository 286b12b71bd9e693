;; Overrides a parameter that nobody declared adjustable.
(module
  (data (i32.const 3000) "seed")
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 1))
    (i32.store (i32.const 2068) (i32.const 2100))
    (i32.store (i32.const 2072) (i32.const 1))
    (i32.store (i32.const 2100) (i32.const 3000))
    (i32.store (i32.const 2104) (i32.const 4))
    (i32.const 2048)))
