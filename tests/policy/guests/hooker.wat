;; Plans one step, before an attempt and after it: to run the study's hook `clocks`.
;; See `prober.wat` for what a step is; here its two numbers are a text's place and length.
(module
  (data (i32.const 3200) "clocks")
  (func (export "reprieve:policy/cleanup-policy@0.1.0#plan")
    (param i32) (result i32)
    (i32.store8 (i32.const 3072) (i32.const 10)) ;; run-hook
    (i32.store (i32.const 3080) (i32.const 3200))
    (i32.store (i32.const 3084) (i32.const 6))
    (i32.store (i32.const 2048) (i32.const 3072))
    (i32.store (i32.const 2052) (i32.const 1))
    (i32.const 2048)))
