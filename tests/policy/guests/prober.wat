;; Plans one step: a probe of BYTES within TIMEOUT_MS, with a CONSEQUENCE.
(module
  (func (export "reprieve:policy/cleanup-policy@0.1.0#plan")
    (param i32) (result i32)
    (i32.store8 (i32.const 3072) (i32.const 8))          ;; action: probe
    (i64.store (i32.const 3080) (i64.const BYTES))       ;; allocate
    (i64.store (i32.const 3088) (i64.const TIMEOUT_MS))  ;; timeout
    (i32.store8 (i32.const 3096) (i32.const CONSEQUENCE)) ;; if-it-fails
    (i32.store (i32.const 2048) (i32.const 3072))
    (i32.store (i32.const 2052) (i32.const 1))
    (i32.const 2048)))
