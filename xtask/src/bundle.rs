//! Builds the dashboard's browser half: wasm, its JavaScript glue, and the optional size pass.
//!
//! The server embeds what lies in `target/site/pkg`; style sheets and static files are not ours. No `--cfg` and no
//! compiler flag is set here: the server needs the same ones, or hydration panics, so they stand in `.cargo/config.toml`.

use std::fs;
use std::path::PathBuf;

use crate::files::fingerprint;
use crate::shell::{Cmd, During, Failure, Outcome, find, root, target};
use crate::toolchain::{self, WASM, WebToolchain};

/// Everything that the bundle is made from.
pub(crate) const INPUTS: &[&str] = &[
    "app",
    "frontend",
    "crates/types",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "xtask/bundler",
    "xtask/src/bundle.rs",
    "xtask/src/toolchain.rs",
];

/// How much effort the compiler puts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Seconds to build, some megabytes: for development and tests.
    Quick,
    /// Small: for releases.
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "wasm-dev",
            Self::Release => "wasm-release",
        }
    }
}

/// What became of the bundle.
#[derive(Debug)]
pub(crate) enum Bundle {
    /// It lies in `target/site/pkg` and fits the sources.
    Ready,
    /// This machine cannot compile for the browser; pages still work, rendered by the server.
    Unavailable(String),
}

/// `cargo xtask bundle [--release] [--force]`
pub(crate) fn command(args: &[String]) -> Outcome {
    let mut profile = Profile::Quick;
    for arg in args {
        match arg.as_str() {
            "--release" => profile = Profile::Release,
            "--force" => drop(fs::remove_file(stamp_path())),
            other => return Err(Failure::new(format!("bundle: unknown argument '{other}'"))),
        }
    }
    match build(profile)? {
        Bundle::Ready => Ok(()),
        Bundle::Unavailable(why) => Err(Failure::new(format!("no browser bundle: {why}"))),
    }
}

/// Builds the bundle unless it is there already.
pub(crate) fn build(profile: Profile) -> Outcome<Bundle> {
    let inputs = fingerprint(INPUTS);
    let stamp = |toolchain: &str| format!("{} {toolchain} {inputs:016x}\n", profile.name());
    let have = fs::read_to_string(stamp_path()).unwrap_or_default();
    if ["ordinary", "debian"].iter().any(|toolchain| have == stamp(toolchain)) && wasm_path().is_file() {
        println!("the browser bundle is up to date");
        // Its time tells the server's build that nothing was changed since.
        fs::write(stamp_path(), have).during("target/site/bundle.stamp")?;
        return Ok(Bundle::Ready);
    }
    let toolchain = match toolchain::find_web() {
        Ok(toolchain) => toolchain,
        Err(why) => {
            println!("going on without a browser bundle: {why}");
            println!("every page still works, rendered by the server");
            return Ok(Bundle::Unavailable(why.to_string()));
        }
    };
    // Gone before anything is written, so that an interrupted build never counts as finished.
    drop(fs::remove_file(stamp_path()));
    let wasm = compile(&toolchain, profile)?;
    fs::create_dir_all(pkg()).during("target/site/pkg")?;
    Cmd::cargo()
        .args(["run", "--quiet", "--package", "bundler", "--"])
        .args([wasm.display().to_string(), pkg().display().to_string(), String::from("tollgate")])
        .run()?;
    if profile == Profile::Release {
        shrink()?;
    }
    fs::write(stamp_path(), stamp(toolchain.name())).during("target/site/bundle.stamp")?;
    let size = fs::metadata(wasm_path()).during("tollgate_bg.wasm")?.len();
    println!("browser bundle: {} KB of wasm in {}", size / 1024, pkg().display());
    Ok(Bundle::Ready)
}

fn compile(toolchain: &WebToolchain, profile: Profile) -> Outcome<PathBuf> {
    // A folder of its own: the host's builds neither wait for this one nor share its lock.
    let dir = target().join("wasm");
    toolchain
        .cargo()
        .args(["build", "--package", "frontend", "--target", WASM, "--profile", profile.name()])
        .args(["--target-dir", &dir.display().to_string()])
        .args(toolchain.build_args())
        .run()?;
    Ok(dir.join(WASM).join(profile.name()).join("frontend.wasm"))
}

/// The oldest Binaryen that may touch the bundle. Debian 12's 108 exports the wrong one of its two tables, and the
/// page dies when it wakes up; 123 is what others use with today's wasm-bindgen.
const OLDEST_BINARYEN: u32 = 123;

/// Binaryen's size pass, where a good one is installed. Nothing depends on it.
fn shrink() -> Outcome {
    let version = find("wasm-opt")
        .and_then(|program| Cmd::new(program).arg("--version").read().ok())
        .and_then(|said| binaryen(&said));
    if version.is_none_or(|version| version < OLDEST_BINARYEN) {
        println!("(no wasm-opt of version {OLDEST_BINARYEN} or newer; the bundle stays a little larger)");
        return Ok(());
    }
    let wasm = wasm_path().display().to_string();
    Cmd::new("wasm-opt")
        .arg("-Oz")
        // What rustc's target has switched on by default; without these binaryen refuses the module.
        .args(["--enable-bulk-memory", "--enable-reference-types", "--enable-sign-ext"])
        .args(["--enable-nontrapping-float-to-int", "--enable-mutable-globals"])
        .args(["-o", &wasm, &wasm])
        .run()
}

/// Where the server looks when it is compiled, wherever cargo puts its own output.
fn pkg() -> PathBuf {
    root().join("target/site/pkg")
}

fn wasm_path() -> PathBuf {
    pkg().join("tollgate_bg.wasm")
}

/// Outside `pkg`, because the server embeds all of that folder.
fn stamp_path() -> PathBuf {
    root().join("target/site/bundle.stamp")
}

/// The number in `wasm-opt version 108 (…)`.
fn binaryen(said: &str) -> Option<u32> {
    said.split_whitespace().find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_passs_version_is_read_with_and_without_a_commit() {
        assert_eq!(binaryen("wasm-opt version 108\n"), Some(108));
        assert_eq!(binaryen("wasm-opt version 123 (version_123-3-gabc)"), Some(123));
        assert_eq!(binaryen("nonsense"), None);
    }
}
