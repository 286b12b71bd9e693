;; Grows a memory past its own maximum, sees the refusal, and accepts.
(module
  (memory $own 1 2)
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (if (i32.ne (memory.grow $own (i32.const 2)) (i32.const -1)) (then (unreachable)))
    (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.const 2048)))
