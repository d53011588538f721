//! Finds a compiler for the browser half, installing one where that is possible.
//!
//! Two ways, tried in this order: rustup's prebuilt standard library, and Debian's `rustc-web`, whose standard
//! library is built from source along with the bundle. The second helps where rustup can fetch nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::debian;
use crate::shell::{Cmd, Failure, Outcome, find};

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// How the browser half is compiled on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WebToolchain {
    /// The ordinary cargo; the target's standard library is installed.
    Ordinary,
    /// Debian's compiler with its standard library built from source, linked by this `rust-lld`.
    Debian { linker: PathBuf },
}

impl WebToolchain {
    /// For the stamp: two compilers never share one output.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Debian { .. } => "debian",
        }
    }

    /// A cargo that compiles for the browser, before its subcommand.
    pub(crate) fn cargo(&self) -> Cmd {
        match self {
            Self::Ordinary => Cmd::cargo(),
            Self::Debian { linker } => Cmd::new(DEBIAN_CARGO)
                .env_remove("RUSTUP_TOOLCHAIN")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker.display().to_string()),
        }
    }

    /// Arguments that follow `build`.
    pub(crate) fn build_args(&self) -> &'static [&'static str] {
        match self {
            Self::Ordinary => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Which ways to try: `TOLLGATE_WEB_TOOLCHAIN` = `ordinary`, `debian` or `none`; unset means the first that works.
pub(crate) fn find_web() -> Outcome<WebToolchain> {
    let wish = std::env::var("TOLLGATE_WEB_TOOLCHAIN").unwrap_or_default();
    match wish.as_str() {
        "" => ordinary().or_else(|first| {
            println!("(rustup's way is closed: {first})");
            debian_web().map_err(|second| Failure::new(format!("{first}; {second}")))
        }),
        "ordinary" => ordinary(),
        "debian" => debian_web(),
        "none" => Err(Failure::new("TOLLGATE_WEB_TOOLCHAIN=none")),
        other => {
            Err(Failure::new(format!("TOLLGATE_WEB_TOOLCHAIN={other}: expected ordinary, debian or none")))
        }
    }
}

/// Makes sure of a subcommand of cargo that rustup's minimal profile leaves out; `component` is its name there.
pub(crate) fn need(subcommand: &str, component: &str) -> Outcome {
    let there = || Cmd::cargo().args([subcommand, "--version"]).read().map(drop);
    if there().is_ok() || find("rustup").is_none() {
        return there();
    }
    Cmd::new("rustup").args(["component", "add", component]).run_within(Duration::from_mins(2))?;
    there()
}

fn ordinary() -> Outcome<WebToolchain> {
    if target_installed() {
        return Ok(WebToolchain::Ordinary);
    }
    if find("rustup").is_none() {
        return Err(Failure::new(format!(
            "the compiler has no {WASM} target and there is no rustup to add it"
        )));
    }
    // Two minutes: without a network rustup retries for a while before it gives up.
    Cmd::new("rustup").args(["target", "add", WASM]).run_within(Duration::from_mins(2))?;
    if target_installed() {
        Ok(WebToolchain::Ordinary)
    } else {
        Err(Failure::new(format!("rustup added {WASM}, but the compiler in use does not see it")))
    }
}

fn target_installed() -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| String::from("rustc"));
    let Ok(dir) = Cmd::new(rustc).args(["--print", "target-libdir", "--target", WASM]).read() else {
        return false;
    };
    let Ok(entries) = std::fs::read_dir(dir.trim()) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn debian_web() -> Outcome<WebToolchain> {
    let present = || {
        Path::new(DEBIAN_CARGO).is_file()
            && Path::new(DEBIAN_RUSTC).is_file()
            && debian_sysroot()
                .is_some_and(|sysroot| sysroot.join("lib/rustlib/src/rust/library/std").is_dir())
    };
    if !present() {
        debian::install(&["rustc-web", "cargo-web", "rust-web-src"], "a compiler for the browser half")?;
    }
    if !present() {
        return Err(Failure::new(
            "rustc-web is installed, but its standard library's sources were not found",
        ));
    }
    let linker = linker().ok_or_else(|| {
        Failure::new("no linker for WebAssembly was found: neither rustup's rust-lld nor Debian's lld")
    })?;
    Ok(WebToolchain::Debian { linker })
}

fn debian_sysroot() -> Option<PathBuf> {
    let sysroot =
        Cmd::new(DEBIAN_RUSTC).env_remove("RUSTUP_TOOLCHAIN").args(["--print", "sysroot"]).read().ok()?;
    Some(PathBuf::from(sysroot.trim()))
}

/// The `rust-lld` of the toolchain in use, else any `wasm-ld` of the system.
fn linker() -> Option<PathBuf> {
    let in_use = Cmd::new("rustc").args(["--print", "sysroot"]).read().ok()?;
    let host = Cmd::new("rustc").arg("-vV").read().ok()?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned();
    let own = PathBuf::from(in_use.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    if own.is_file() {
        return Some(own);
    }
    ["wasm-ld", "wasm-ld-19", "wasm-ld-16", "wasm-ld-15", "wasm-ld-14"].iter().find_map(|name| find(name))
}
