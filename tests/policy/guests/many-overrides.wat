;; Overrides 40,000 parameters of no name.
(module
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 1))
    (i32.store (i32.const 2068) (i32.const 8192))
    (i32.store (i32.const 2072) (i32.const 40000))
    (drop (memory.grow $memory (i32.const 32)))
    (i32.const 2048)))
