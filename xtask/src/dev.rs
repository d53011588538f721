//! `cargo xtask dev`: rebuilds and restarts whenever a source file changes, and has open browsers load again.
//!
//! Looks at modification times four times a second. A build that fails leaves the last good gateway running.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bundle::{self, Profile};
use crate::files::times;
use crate::process::{Running, wait_until};
use crate::reload::Browsers;
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
    let browsers = Browsers::listen();
    let mut server: Option<Running> = None;
    loop {
        let seen = times(SOURCES);
        match rebuild().and_then(|binary| restart(&mut server, &binary)) {
            Ok(()) => browsers.reload(),
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
                    changed.map_or(Path::new("a file is gone"), |(path, _)| path).display()
                );
                break;
            }
        }
    }
}

fn rebuild() -> Outcome<PathBuf> {
    bundle::build(Profile::Quick)?;
    run::build(false)
}

/// Replaces the running gateway and waits until the new one answers.
fn restart(server: &mut Option<Running>, binary: &Path) -> Outcome {
    if let Some(mut old) = server.take() {
        old.stop(Duration::from_secs(2));
    }
    let new = server.insert(Running::new(Cmd::new(binary).env("LEPTOS_WATCH", "1").spawn()?));
    let ready = wait_until(Duration::from_secs(15), || {
        new.ended().is_some() || Cmd::new(binary).arg("healthcheck").read().is_ok()
    });
    if ready { Ok(()) } else { Err(Failure::new("tollgate does not answer its health check")) }
}
