;; A guest of the trial contract: where the attempt used memory of a device, it
;; wants the next one elsewhere, after a second; else it accepts.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "newer")
  (data (i32.const 16) "2.0.0")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "reprieve:policy/guest@0.2.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const 5))
    (i32.store (i32.const 1032) (i32.const 16)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.const 1024))
  (func (export "reprieve:policy/guest@0.2.0#configure") (param i32 i32) (result i32) (i32.const 1100))
  (func (export "reprieve:policy/retry-policy@0.2.0#decide") (param $attempts i32) (param i32) (result i32)
    (i32.store8 (i32.const 2048)
      (select (i32.const 2) (i32.const 0) (i64.ne (i64.load offset=16 (local.get $attempts)) (i64.const 0))))
    (i64.store (i32.const 2056) (i64.const 1000))
    (i32.const 2048)))
