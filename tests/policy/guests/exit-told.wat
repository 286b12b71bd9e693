;; Says why and ends the program, as the runtimes of Python and Go do.
(module
  (import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))
  (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (data (i32.const 3000) "KeyError: 1, in mine.py, line 6\n")
  (func $proc_exit (call $exit (i32.const 1)) (unreachable))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (call $write (call $stderr) (i32.const 3000) (i32.const 32) (i32.const 3900))
    (call $proc_exit)
    (unreachable)))
