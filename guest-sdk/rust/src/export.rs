//! Makes a component of a policy.
//!
//! What the macro writes into the author's crate is as little as can be: the
//! rest is here, behind a name that only the macro uses.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::thread::LocalKey;

use crate::bindings::{cleanup, guest, retry};
use crate::{Attempt, Attempts, Decision, Experiment, Occasion, Policy, Progress, Step};

/// Exports a policy from the component.
///
/// - `export!(MyPolicy)` exports both roles: it decides on retries and plans the cleanup.
/// - `export!(MyPolicy as retry)` only decides: the study's cleanup stays as it is.
/// - `export!(MyPolicy as cleanup)` only plans cleanup.
///
/// Outside WebAssembly it does nothing, so that the policy can be unit-tested.
#[macro_export]
macro_rules! export {
    ($policy:ident) => {
        $crate::export!(@guest $policy);
        $crate::export!(@retry);
        $crate::export!(@cleanup);
    };
    ($policy:ident as retry) => {
        $crate::export!(@guest $policy);
        $crate::export!(@retry);
    };
    ($policy:ident as cleanup) => {
        $crate::export!(@guest $policy);
        $crate::export!(@cleanup);
    };
    (@guest $policy:ident) => {
        impl $crate::export::Exported for $policy {
            const CRATE: [&'static str; 3] =
                [env!("CARGO_CRATE_NAME"), env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION")];

            fn configured() -> &'static ::std::thread::LocalKey<::std::cell::OnceCell<Self>> {
                ::std::thread_local! {
                    static CONFIGURED: ::std::cell::OnceCell<$policy> = const { ::std::cell::OnceCell::new() };
                }
                &CONFIGURED
            }
        }
        #[cfg(target_family = "wasm")]
        type ReprievePolicy = $crate::export::Component<$policy>;
        #[cfg(target_family = "wasm")]
        $crate::bindings::guest::export!(ReprievePolicy);
    };
    (@retry) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::retry::export!(ReprievePolicy);
    };
    (@cleanup) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::cleanup::export!(ReprievePolicy);
    };
}

/// What only the author's crate can say of a policy.
pub trait Exported: Policy {
    /// Name, version and description of the crate.
    const CRATE: [&'static str; 3];

    /// Where `configure` leaves the policy for this instance's other calls.
    fn configured() -> &'static LocalKey<OnceCell<Self>>;
}

/// The contract's exports, for one policy.
pub struct Component<P>(PhantomData<P>);

impl<P: Exported> Component<P> {
    fn with<R>(ask: impl FnOnce(&P) -> R) -> R {
        P::configured().with(|policy| ask(policy.get().expect("the host configures a policy before it asks")))
    }
}

impl<P: Exported> guest::exports::reprieve::policy::guest::Guest for Component<P> {
    fn describe() -> guest::exports::reprieve::policy::guest::Info {
        let [name, version, summary] = P::CRATE;
        let or =
            |own: &str, of_crate: &str| if own.is_empty() { of_crate.to_owned() } else { own.to_owned() };
        guest::exports::reprieve::policy::guest::Info {
            name: or(P::NAME, name),
            version: or(P::VERSION, version),
            summary: or(P::SUMMARY, summary),
            settings_schema: P::SETTINGS_SCHEMA.map(str::to_owned),
        }
    }

    fn configure(settings: String) -> Result<(), String> {
        let policy = P::configure(&settings)?;
        let configured = P::configured().with(|place| place.set(policy));
        configured.map_err(|_| "a policy is configured once".to_owned())
    }
}

impl<P: Exported> retry::exports::reprieve::policy::retry_policy::Guest for Component<P> {
    fn decide(experiment: Experiment, attempts: Vec<Attempt>, progress: Progress) -> Decision {
        Self::with(|policy| policy.decide(&experiment, &Attempts::from(attempts), &progress))
    }
}

impl<P: Exported> cleanup::exports::reprieve::policy::cleanup_policy::Guest for Component<P> {
    fn plan(experiment: Experiment, occasion: Occasion) -> Vec<Step> {
        Self::with(|policy| policy.plan(&experiment, &occasion))
    }
}
