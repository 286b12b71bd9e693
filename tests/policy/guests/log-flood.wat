;; Writes 4 KiB to standard error for ever.
(module
  (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (local $stderr i32)
    (local.set $stderr (call $stderr))
    (memory.fill (i32.const 8192) (i32.const 120) (i32.const 4096))
    (loop
      (call $write (local.get $stderr) (i32.const 8192) (i32.const 4096) (i32.const 3900))
      (br 0))
    (unreachable)))
