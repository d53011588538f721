//! Checks the crate graph: which crate must never reach which, however indirectly.
//!
//! Layers inside a crate are the tidy test's business (`server/tests/it/tidy.rs`).

use crate::shell::{Cmd, Failure, Outcome};
use crate::toolchain::WASM;

/// From one crate as it is really built, to the crates it must not reach.
struct Rule {
    package: &'static str,
    /// Further arguments for `cargo tree`.
    with: &'static [&'static str],
    never: &'static [&'static str],
}

/// What only the server's half may hold.
const ENGINE: &[&str] = &["gateway", "store", "ledger", "sqlx", "tokio", "axum", "hyper", "reqwest"];

const RULES: &[Rule] = &[
    Rule { package: "frontend", with: &["--target", WASM], never: ENGINE },
    Rule { package: "app", with: &["--features", "hydrate", "--target", WASM], never: ENGINE },
    Rule { package: "types", with: &[], never: &["tokio", "sqlx", "axum", "leptos", "hyper", "reqwest"] },
    Rule {
        package: "protocol",
        with: &[],
        never: &["tokio", "reqwest", "hyper", "rand", "sqlx", "axum", "leptos"],
    },
    Rule {
        package: "routing",
        with: &[],
        never: &["tokio", "reqwest", "hyper", "sqlx", "axum", "leptos", "protocol", "ledger"],
    },
    Rule {
        package: "import",
        with: &[],
        never: &["tokio", "sqlx", "axum", "leptos", "hyper", "reqwest", "aes-gcm", "store"],
    },
    Rule {
        package: "tokens",
        with: &[],
        never: &["tokio", "reqwest", "hyper", "sqlx", "axum", "leptos", "ledger", "routing"],
    },
    Rule {
        package: "oauth",
        with: &[],
        never: &["tokio", "reqwest", "hyper", "sqlx", "axum", "leptos", "store"],
    },
    Rule { package: "ledger", with: &[], never: &["sqlx", "tokio", "axum", "leptos", "protocol", "hyper"] },
    Rule {
        package: "store",
        with: &[],
        never: &["gateway", "protocol", "axum", "leptos", "reqwest", "hyper"],
    },
    Rule { package: "gateway", with: &[], never: &["axum", "tower-sessions", "leptos"] },
];

/// Fails with every edge that should not be there.
pub(crate) fn check() -> Outcome {
    let mut wrong = Vec::new();
    for rule in RULES {
        let cmd = Cmd::cargo()
            .args(["tree", "--quiet", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
            .args(["--package", rule.package])
            .args(rule.with);
        let tree = cmd.read()?;
        if !reaches(&tree, rule.package) {
            return Err(Failure::new(format!("cargo tree does not know the crate {}", rule.package)));
        }
        for name in rule.never.iter().filter(|name| reaches(&tree, name)) {
            wrong.push(format!(
                "{} must not reach {name}: cargo tree -p {} -i {name}",
                rule.package, rule.package
            ));
        }
        println!("{}: none of {}", rule.package, rule.never.join(", "));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
}

/// Whether a flat `cargo tree` names the crate; `tokio` is not `tokio-util`.
fn reaches(tree: &str, name: &str) -> bool {
    tree.lines().any(|line| line.split(' ').next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_found_by_its_whole_name_only() {
        let tree = "store v0.1.0 (/somewhere)\ntokio-util v0.7.1\nsqlx v0.9.0 (*)\n";
        assert!(reaches(tree, "sqlx"));
        assert!(reaches(tree, "store"));
        assert!(!reaches(tree, "tokio"));
    }
}
