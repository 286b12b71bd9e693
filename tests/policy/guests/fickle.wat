;; Refuses its settings once its clock does not stand at the epoch.
(module
  (import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
  (data (i32.const 3000) "not today")
  (func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32)
    (call $now (i32.const 3104))
    (i32.store8 (i32.const 3200) (i64.ne (i64.load (i32.const 3104)) (i64.const 0)))
    (i32.store (i32.const 3204) (i32.const 3000))
    (i32.store (i32.const 3208) (i32.const 9))
    (i32.const 3200))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (unreachable)))
