;; Refuses all settings.
(module
  (data (i32.const 3000) "`max_retries` must be a number")
  (func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32)
    (i32.store8 (i32.const 3200) (i32.const 1))
    (i32.store (i32.const 3204) (i32.const 3000))
    (i32.store (i32.const 3208) (i32.const 30))
    (i32.const 3200))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (unreachable)))
