;; Looks for files and opens a socket; accepts where it gets neither.
(module
  (import "wasi:filesystem/preopens@0.2.6" "get-directories" (func $directories (param i32)))
  (import "wasi:sockets/udp-create-socket@0.2.6" "create-udp-socket" (func $socket (param i32 i32)))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (call $directories (i32.const 3000))
    (if (i32.load (i32.const 3004)) (then (unreachable)))
    (call $socket (i32.const 0) (i32.const 3100))
    (if (i32.eqz (i32.load8_u (i32.const 3100))) (then (unreachable)))
    (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.const 2048)))
