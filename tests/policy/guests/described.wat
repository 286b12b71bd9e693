;; Takes any settings, and describes which ones it knows.
(module
  (data (i32.const 64) "{\"properties\": {\"patience\": {\"type\": \"integer\"}}, \"additionalProperties\": false}")
  (func (export "reprieve:policy/guest@0.1.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const 5))
    (i32.store (i32.const 1032) (i32.const 16)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.store (i32.const 1040) (i32.const 32)) (i32.store (i32.const 1044) (i32.const 21))
    (i32.store (i32.const 1048) (i32.const 1))
    (i32.store (i32.const 1052) (i32.const 64)) (i32.store (i32.const 1056) (i32.const 80))
    (i32.const 1024))
  (func (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32)
    (i32.const 1200))
)
