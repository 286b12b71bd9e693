;; Retries after a random delay.
(module
  (import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 1))
    (i64.store (i32.const 2056) (call $random))
    (i32.const 2048)))
