//! `cargo xtask dev`: rebuilds and restarts whenever a source file changes.
//!
//! Looks at modification times four times a second. A build that fails leaves the last good gateway running.

use std::time::Duration;

use crate::bundle::{self, INPUTS, Profile};
use crate::files::times;
use crate::process::Running;
use crate::run;
use crate::shell::{Cmd, Failure, Outcome};

/// Everything the gateway is made from.
const SOURCES: &[&str] = &[
    "app",
    "frontend",
    "crates",
    "server",
    "style",
    "public",
    "migrations",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
];

/// `cargo xtask dev`
pub(crate) fn dev(args: &[String]) -> Outcome {
    if let Some(unknown) = args.first() {
        return Err(Failure::new(format!("dev: unknown argument '{unknown}'")));
    }
    let mut server: Option<Running> = None;
    loop {
        let seen = times(SOURCES);
        match rebuild() {
            Ok(binary) => {
                if let Some(mut old) = server.take() {
                    old.stop(Duration::from_secs(2));
                }
                server = Some(Running::new(binary.spawn()?));
            }
            Err(failure) => println!("{failure}\n(waiting for the next change)"),
        }
        loop {
            std::thread::sleep(Duration::from_millis(250));
            if let Some(status) = server.as_mut().and_then(Running::ended) {
                println!("tollgate ended with {status}; waiting for a change");
                server = None;
            }
            let now = times(SOURCES);
            if now != seen {
                let changed = now.iter().find(|(path, time)| seen.get(*path) != Some(*time));
                println!(
                    "\nchanged: {}",
                    changed.map_or_else(
                        || String::from("a file is gone"),
                        |(path, _)| path.display().to_string()
                    )
                );
                break;
            }
        }
    }
}

fn rebuild() -> Outcome<Cmd> {
    debug_assert!(INPUTS.iter().all(|input| !input.is_empty()), "the bundle checks its own inputs");
    bundle::build(Profile::Quick)?;
    Ok(Cmd::new(run::build(false)?))
}
