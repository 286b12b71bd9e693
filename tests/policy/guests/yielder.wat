;; Waits for no time, which is allowed, and accepts.
(module
  (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))
  (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (call $block (call $subscribe (i64.const 0)))
    (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.const 2048)))
