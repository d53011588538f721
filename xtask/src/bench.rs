//! `cargo xtask bench` and `cargo xtask resilience`: build release binaries and hand them to `xtask/loadgen`, which
//! measures. `cargo xtask conformance` does the same with `xtask/conformance`, which needs no gateway.

use crate::debian;
use crate::run;
use crate::shell::{Cmd, Failure, Outcome, find};

/// `cargo xtask bench [--write] [--quick]`
pub(crate) fn bench(args: &[String]) -> Outcome {
    let known = |arg: &str| ["--write", "--quick", "--rounds"].contains(&arg) || arg.parse::<u32>().is_ok();
    if let Some(unknown) = args.iter().find(|arg| !known(arg)) {
        return Err(Failure::new(format!("bench: unknown argument '{unknown}'")));
    }
    if find("nginx").is_none()
        && let Err(why) = debian::install(&["nginx-light"], "nginx, to compare with")
    {
        println!("(measuring without nginx: {why})");
    }
    // No bundle: pages are not measured, and the release profile of the browser half takes minutes.
    let tollgate = run::build(true)?;
    Cmd::cargo()
        .args(["run", "--release", "--quiet", "--package", "loadgen", "--"])
        .args(args)
        .env("TOLLGATE_BIN", tollgate.display().to_string())
        .run()
}

/// `cargo xtask resilience [--write] [--requests N] [--aborts N] [--only <text>]`
pub(crate) fn resilience(args: &[String]) -> Outcome {
    let tollgate = run::build(true)?;
    Cmd::cargo()
        .args(["run", "--release", "--quiet", "--package", "loadgen", "--", "resilience"])
        .args(args)
        .env("TOLLGATE_BIN", tollgate.display().to_string())
        .run()
}

/// `cargo xtask conformance [--write] [--misses N] [--cost] [--fuzz N [--from N] [--only NAME]]`
pub(crate) fn conformance(args: &[String]) -> Outcome {
    // Optimised only where time counts: the rest is a second's work either way.
    let fast = args.iter().any(|arg| arg == "--cost" || arg == "--fuzz");
    let cmd = Cmd::cargo().args(["run", "--quiet", "--package", "conformance"]);
    let cmd = if fast { cmd.arg("--release") } else { cmd };
    cmd.arg("--").args(args).run()
}
