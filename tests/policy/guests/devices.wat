;; Reads device 0 and device 1; its delay holds both errors' cases and the count.
(module
  (import "reprieve:policy/nvml-status@0.1.0" "device-count" (func $count (result i32)))
  (import "reprieve:policy/nvml-status@0.1.0" "read" (func $read (param i32 i32)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (local $delay i32)
    (call $read (i32.const 0) (i32.const 3000))
    (local.set $delay (i32.load8_u (i32.const 3008)))
    (call $read (i32.const 1) (i32.const 3000))
    (local.set $delay (i32.add (local.get $delay) (i32.mul (i32.const 10) (i32.load8_u (i32.const 3008)))))
    (local.set $delay (i32.add (local.get $delay) (i32.mul (i32.const 100) (call $count))))
    (i32.store8 (i32.const 2048) (i32.const 1))
    (i64.store (i32.const 2056) (i64.extend_i32_u (local.get $delay)))
    (i32.const 2048)))
