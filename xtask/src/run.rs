//! `cargo xtask run`: from sources to a gateway that answers.
//!
//! The gateway prints its address and, at its first start, the admin token; nothing is configured here.

use std::path::PathBuf;

use crate::bundle::{self, Profile};
use crate::process::Running;
use crate::shell::{Cmd, Failure, Outcome, target};

/// `cargo xtask run [--release] [-- <arguments of tollgate>]`
pub(crate) fn run(args: &[String]) -> Outcome {
    let mut release = false;
    let mut rest = args.iter();
    for arg in rest.by_ref() {
        match arg.as_str() {
            "--release" => release = true,
            "--" => break,
            other => return Err(Failure::new(format!("run: unknown argument '{other}'"))),
        }
    }
    bundle::build(if release { Profile::Release } else { Profile::Quick })?;
    let binary = build(release)?;
    let mut server = Running::new(Cmd::new(binary).args(rest).spawn()?);
    // Ctrl-C reaches the gateway directly: it shares our terminal. We only wait and pass its verdict on.
    let status = server.wait()?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("tollgate ended with {status}"))) }
}

/// Builds the gateway and answers where it lies.
pub(crate) fn build(release: bool) -> Outcome<PathBuf> {
    let cmd = Cmd::cargo().args(["build", "--package", "server", "--bin", "tollgate"]);
    let cmd = if release { cmd.arg("--release") } else { cmd };
    cmd.run()?;
    Ok(target().join(if release { "release" } else { "debug" }).join("tollgate"))
}
