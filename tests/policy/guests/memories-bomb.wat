;; Has two memories, each of which alone keeps to the bound.
(module
  (memory $other 1)
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (drop (memory.grow $other (i32.const 640)))
    (drop (memory.grow $memory (i32.const 640)))
    (unreachable)))
