;; Never answers.
(module (func $spin (export "reprieve:policy/retry-policy@0.1.0#decide") (param i32) (result i32) (loop (br 0)) (unreachable)))
