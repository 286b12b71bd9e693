;; The source of `both.wasm`, which was made of it by `reprieve policy componentize`
;; of 0.1.0: a policy of both roles, without an SDK. It gives everything up,
;; and plans a pause of a second after each attempt.
(module
  (memory (export "memory") 8)
  (data (i32.const 0) "both")
  (data (i32.const 16) "0.1.0")
  (data (i32.const 32) "kept")
  (global $top (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get $size))))
  (func (export "reprieve:policy/guest@0.1.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const 4))
    (i32.store (i32.const 1032) (i32.const 16)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.const 1024))
  (func (export "reprieve:policy/guest@0.1.0#configure") (param i32 i32) (result i32) (i32.const 1100))
  ;; A give-up (2) whose reason is the text at 32.
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 2))
    (i32.store (i32.const 2056) (i32.const 32)) (i32.store (i32.const 2060) (i32.const 4))
    (i32.const 2048))
  ;; One step, a pause (9) of a second that the study carries on from (0).
  (func (export "reprieve:policy/cleanup-policy@0.1.0#plan") (param i32) (result i32)
    (i32.store8 (i32.const 3072) (i32.const 9))
    (i64.store (i32.const 3080) (i64.const 1000))
    (i32.store8 (i32.const 3096) (i32.const 0))
    (i32.store (i32.const 2064) (i32.const 3072)) (i32.store (i32.const 2068) (i32.const 1))
    (i32.const 2064)))
