;; Has everything tried again on other devices.
(module
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 1)) ;; retry
    (i32.store8 (i32.const 2064) (i32.const 1)) ;; other-devices
    (i32.const 2048)))
