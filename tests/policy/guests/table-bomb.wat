;; Takes table elements until there are none.
(module
  (table $table 1 funcref)
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (loop (br_if 0 (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
    (unreachable)))
