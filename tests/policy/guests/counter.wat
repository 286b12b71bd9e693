;; Counts its calls in a global and gives up for the count.
(module
  (global $calls (mut i32) (i32.const 0))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.store8 (i32.const 3000) (i32.add (i32.const 48) (global.get $calls)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 2048) (i32.const 2))
    (i32.store (i32.const 2056) (i32.const 3000))
    (i32.store (i32.const 2060) (i32.const 1))
    (i32.const 2048)))
