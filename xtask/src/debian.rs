//! Installs what is missing on a Debian machine when we are root there, and otherwise says what to install.
//!
//! Nothing is ever removed or upgraded, and on any other system nothing is touched.

use std::sync::OnceLock;
use std::time::Duration;

use crate::shell::{Cmd, Failure, Outcome, find};

/// Package lists are fetched once a run at most.
static UPDATED: OnceLock<bool> = OnceLock::new();

/// Installs `packages`, or fails with a sentence that says what to install and what for.
pub(crate) fn install(packages: &[&str], what_for: &str) -> Outcome {
    let list = packages.join(" ");
    if find("apt-get").is_none() {
        return Err(Failure::new(format!("{what_for} is missing; on Debian it is in: {list}")));
    }
    if !is_root() {
        return Err(Failure::new(format!(
            "{what_for} is missing; install it with: sudo apt-get install --no-install-recommends {list}"
        )));
    }
    let updated =
        *UPDATED.get_or_init(|| apt().args(["update", "-qq"]).run_within(Duration::from_mins(5)).is_ok());
    if !updated {
        println!("(the package lists could not be renewed; trying with those that are here)");
    }
    apt()
        .args(["install", "--yes", "-qq", "--no-install-recommends"])
        .args(packages)
        .run_within(Duration::from_mins(15))
        .map_err(|failure| {
            Failure::new(format!("{what_for} is missing and could not be installed: {failure}"))
        })
}

fn apt() -> Cmd {
    Cmd::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive")
}

/// Whether we run as root. Asked of `id`, because the standard library does not say.
pub(crate) fn is_root() -> bool {
    Cmd::new("id").arg("-u").read().is_ok_and(|uid| uid.trim() == "0")
}
