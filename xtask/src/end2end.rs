//! The `e2e` step: installs what the specs need, builds what they drive, and starts Node's test runner.
//!
//! The specs start their own gateway, fake upstream and browser; see `end2end/README.md`.

use std::path::PathBuf;
use std::time::Duration;

use crate::bundle::{self, Bundle};
use crate::debian;
use crate::files::fingerprint;
use crate::run;
use crate::shell::{Cmd, During, Failure, Outcome, find, in_ci, root, target};
use crate::steps::Done;

/// The oldest Node whose test runner and `fetch` the specs need.
const OLDEST_NODE: u32 = 20;

pub(crate) fn test() -> Outcome<Done> {
    let browser = match requirements() {
        Ok(browser) => browser,
        Err(why) => return Ok(Done::Skipped(why.to_string())),
    };
    if let Bundle::Unavailable(why) = bundle::build(bundle::Profile::Quick)? {
        return Ok(Done::Skipped(why));
    }
    let tollgate = run::build(false)?;
    Cmd::cargo().args(["build", "--package", "fakeup", "--bin", "fakeup"]).run()?;
    install_packages()?;
    match install_python() {
        Err(why) if !in_ci() => println!("(the specs of the Python SDKs will be skipped: {why})"),
        outcome => outcome?,
    }
    let fakeup = target().join("debug/fakeup");
    Cmd::new("npm")
        .args(["test", "--silent"])
        .env("CHROMIUM", browser.display().to_string())
        .env("TOLLGATE_BIN", tollgate.display().to_string())
        .env("FAKEUP_BIN", fakeup.display().to_string())
        .dir(&root().join("end2end"))
        .run()?;
    Ok(Done::Passed)
}

/// Answers the browser.
fn requirements() -> Outcome<PathBuf> {
    if find("node").is_none() || find("npm").is_none() {
        debian::install(&["nodejs", "npm"], "Node.js with npm")?;
    }
    let version = Cmd::new("node").arg("--version").read()?;
    let major =
        version.trim().trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        return Err(Failure::new(format!(
            "Node.js {OLDEST_NODE} or newer is needed, this is {}",
            version.trim()
        )));
    }
    if browser().is_none() {
        debian::install(&["chromium", "fonts-noto-cjk"], "a Chromium browser")?;
    }
    browser().ok_or_else(|| Failure::new("no Chromium browser was found; set CHROMIUM to its path"))
}

fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| find(name))
}

/// `npm ci`, unless the lock file is the one that was installed last.
fn install_packages() -> Outcome {
    let dir = root().join("end2end");
    let stamp = dir.join("node_modules/.installed");
    let wanted = format!("{:016x}", fingerprint(&["end2end/package-lock.json"]));
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    Cmd::new("npm").args(["ci", "--no-audit", "--no-fund"]).dir(&dir).run_within(Duration::from_mins(10))?;
    // Not being able to write the stamp only costs the next run a few seconds.
    drop(std::fs::write(&stamp, wanted));
    Ok(())
}

/// The official Python SDKs, into an environment of their own, unless the list is the one that was installed last.
fn install_python() -> Outcome {
    let dir = root().join("end2end");
    let venv = dir.join(".venv");
    let stamp = venv.join(".installed");
    let wanted = format!("{:016x}", fingerprint(&["end2end/python/requirements.txt"]));
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    if !makes_environments() {
        debian::install(&["python3", "python3-venv"], "Python with venv")?;
    }
    if venv.exists() {
        // What an older list brought along would stay, and one that broke off would not be mended.
        std::fs::remove_dir_all(&venv).during(venv.display())?;
    }
    Cmd::new("python3").args(["-m", "venv", ".venv"]).dir(&dir).run_within(Duration::from_mins(2))?;
    Cmd::new(venv.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--requirement", "python/requirements.txt"])
        .dir(&dir)
        .run_within(Duration::from_mins(10))
        .inspect_err(|_| drop(std::fs::remove_dir_all(&venv)))?;
    // Not being able to write the stamp only costs the next run some seconds.
    drop(std::fs::write(&stamp, wanted));
    Ok(())
}

/// Whether Python is here with what Debian has in packages of its own.
fn makes_environments() -> bool {
    find("python3").is_some() && Cmd::new("python3").args(["-c", "import ensurepip, venv"]).read().is_ok()
}
