//! The contract's types and glue, generated from `wit/` at compile time.
//!
//! Nothing is written by hand here. Each interface that a policy may export
//! has a world of its own, because the worlds of several `generate!` add up in
//! a component: a policy with one role links two of them, one with both roles
//! all three, and all share one set of types.

/// Exports `guest`.
pub mod guest {
    wit_bindgen::generate!({
        inline: "package reprieve:guest-sdk;
                 world describes-itself { export reprieve:policy/guest@0.1.0; }",
        path: "wit",
        pub_export_macro: true,
        default_bindings_module: "reprieve_guest::bindings::guest",
        generate_all,
    });
}

/// Exports `retry-policy`.
pub mod retry {
    wit_bindgen::generate!({
        inline: "package reprieve:guest-sdk;
                 world decides {
                     import reprieve:policy/nvml-status@0.1.0;
                     export reprieve:policy/retry-policy@0.1.0;
                 }",
        path: "wit",
        pub_export_macro: true,
        default_bindings_module: "reprieve_guest::bindings::retry",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq],
        additional_type_attributes: {
            "reprieve:policy/types@0.1.0/experiment": [#[derive(Default)]],
            "reprieve:policy/types@0.1.0/progress": [#[derive(Default)]],
            "reprieve:policy/types@0.1.0/self-report": [#[derive(Default)]],
            "reprieve:policy/types@0.1.0/failure-class": [
                #[derive(serde::Deserialize)]
                #[serde(rename_all = "kebab-case")]
            ],
        },
    });
}

/// Exports `cleanup-policy`.
pub mod cleanup {
    wit_bindgen::generate!({
        inline: "package reprieve:guest-sdk;
                 world plans {
                     import reprieve:policy/gpu-cleanup@0.1.0;
                     export reprieve:policy/cleanup-policy@0.1.0;
                 }",
        path: "wit",
        pub_export_macro: true,
        default_bindings_module: "reprieve_guest::bindings::cleanup",
        additional_derives: [PartialEq],
        with: {
            "reprieve:policy/types@0.1.0": crate::bindings::retry::reprieve::policy::types,
            "reprieve:policy/gpu-cleanup@0.1.0": generate,
            "reprieve:policy/cleanup-policy@0.1.0": generate,
        },
    });
}
