;; Plans two steps: to wait for memory, then a probe of BYTES within TIMEOUT_MS,
;; with a CONSEQUENCE. A step is 32 bytes: the action's case, its two numbers
;; from byte 8 on, and at byte 24 what follows where it fails.
(module
  (func (export "reprieve:policy/cleanup-policy@0.1.0#plan")
    (param i32) (result i32)
    (i32.store8 (i32.const 3072) (i32.const 5)) ;; await-memory
    (i64.store (i32.const 3080) (i64.const 67108864)) ;; tolerance
    (i64.store (i32.const 3088) (i64.const 60000)) ;; timeout
    (i32.store8 (i32.const 3096) (i32.const 1)) ;; quarantine-device
    (i32.store8 (i32.const 3104) (i32.const 8)) ;; probe
    (i64.store (i32.const 3112) (i64.const BYTES)) ;; allocate
    (i64.store (i32.const 3120) (i64.const TIMEOUT_MS)) ;; timeout
    (i32.store8 (i32.const 3128) (i32.const CONSEQUENCE)) ;; if-it-fails
    (i32.store (i32.const 2048) (i32.const 3072))
    (i32.store (i32.const 2052) (i32.const 2))
    (i32.const 2048)))
