//! Prepares what the binary embeds: the style, the public files and, where it was built, the browser bundle.
//!
//! The bundle is looked for in `TOLLGATE_SITE_DIR`, else in `<workspace>/target/site`. Without one the server
//! is built all the same and serves pages without scripts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// Smaller files gain nothing from compression.
const WORTH_IT: usize = 1_024;

/// Larger files are compressed in release builds only: it takes minutes without optimisation.
const CHEAP: usize = 256 * 1_024;

fn main() -> io::Result<()> {
    pack_relocations();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let workspace = package.parent().unwrap_or(&package);
    let mut table = Table { out, rows: String::new(), count: 0 };

    let style = workspace.join("style");
    table.add("/pkg/tollgate.css", &concatenated(&style)?)?;

    let public = workspace.join("public");
    for file in files(&public)? {
        let name = file.strip_prefix(&public).map_err(io::Error::other)?;
        table.add(&format!("/{}", name.display()), &fs::read(&file)?)?;
    }

    println!("cargo::rerun-if-env-changed=TOLLGATE_SITE_DIR");
    let site = env::var_os("TOLLGATE_SITE_DIR").map_or_else(|| workspace.join("target/site"), PathBuf::from);
    let bundle = ["tollgate.js", "tollgate_bg.wasm"].map(|name| (name, site.join("pkg").join(name)));
    for (_, path) in &bundle {
        // A missing file counts as changed, but naming its folder instead would rebuild on every unrelated file.
        println!("cargo::rerun-if-changed={}", path.display());
    }
    if bundle.iter().all(|(_, path)| path.is_file()) {
        for (name, path) in &bundle {
            table.add(&format!("/pkg/{name}"), &fs::read(path)?)?;
        }
        warn_of_misfit(workspace, &site)?;
    }
    table.finish()
}

/// Has the program's relocations written in the short form, which saves the 3 MB of them that every start reads and
/// that then stay in memory. The system's C library must know that form (glibc does from 2.36 on), or the program does
/// not start; so only where it is built for the system that builds it, and that one does.
fn pack_relocations() {
    let is = |name, value: &str| env::var_os(name).is_some_and(|found| found == value);
    let native = env::var_os("HOST") == env::var_os("TARGET");
    if native
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && glibc() >= Some((2, 36))
    {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// This system's version of glibc.
fn glibc() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    let (major, minor) = told.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Browser and server must come from the same sources, or pages fail when they wake up. `cargo xtask bundle` renews
/// its stamp whenever it has found the bundle to fit, so whatever was written later is not in it.
fn warn_of_misfit(workspace: &Path, site: &Path) -> io::Result<()> {
    let stamp = site.join("bundle.stamp");
    let Ok(made) = fs::metadata(&stamp).and_then(|found| found.modified()) else { return Ok(()) };
    let mut remedy = "cargo xtask bundle";
    if is_release() {
        remedy = "cargo xtask bundle --release";
        if fs::read_to_string(&stamp)?.starts_with("wasm-dev") {
            println!(
                "cargo::warning=a release embeds the large browser bundle of development: run `{remedy}` first"
            );
        }
    }
    for folder in ["app/src", "frontend/src", "crates/types/src"] {
        for file in files(&workspace.join(folder))? {
            if fs::metadata(&file)?.modified()? > made {
                let file = file.strip_prefix(workspace).map_err(io::Error::other)?.display();
                println!(
                    "cargo::warning=the embedded browser bundle is older than {file}: run `{remedy}` first"
                );
                return Ok(());
            }
        }
    }
    Ok(())
}

fn is_release() -> bool {
    env::var_os("PROFILE").is_some_and(|profile| profile == "release")
}

/// The style sheets in name order, as one.
fn concatenated(folder: &Path) -> io::Result<Vec<u8>> {
    let mut style = Vec::new();
    for file in files(folder)?.iter().filter(|file| file.extension().is_some_and(|e| e == "css")) {
        style.extend(fs::read(file)?);
        style.push(b'\n');
    }
    Ok(style)
}

/// Every file below a folder, in name order. A folder that is not there yet has none.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

struct Table {
    out: PathBuf,
    rows: String,
    count: usize,
}

impl Table {
    fn add(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let plain = self.store("plain", bytes)?;
        let (mut brotli, mut gzip) = ("None".to_owned(), "None".to_owned());
        let release = is_release();
        if compressible(path) && bytes.len() >= WORTH_IT && (release || bytes.len() <= CHEAP) {
            brotli = format!("Some(include_bytes!({:?}))", self.store("br", &brotlied(bytes, release)?)?);
            gzip = format!("Some(include_bytes!({:?}))", self.store("gz", &gzipped(bytes)?)?);
        }
        let mut hash = String::new();
        for byte in Sha256::digest(bytes).iter().take(8) {
            write!(hash, "{byte:02x}").map_err(io::Error::other)?;
        }
        self.count += 1;
        writeln!(
            self.rows,
            "    Asset {{ path: {path:?}, content_type: {:?}, hash: {hash:?}, plain: include_bytes!({plain:?}), \
             brotli: {brotli}, gzip: {gzip} }},",
            content_type(path)
        )
        .map_err(io::Error::other)
    }

    fn store(&self, form: &str, bytes: &[u8]) -> io::Result<String> {
        let path = self.out.join(format!("asset-{}.{form}", self.count));
        fs::write(&path, bytes)?;
        Ok(path.display().to_string())
    }

    fn finish(self) -> io::Result<()> {
        let rows = self.rows;
        fs::write(self.out.join("assets.rs"), format!("static ASSETS: &[Asset] = &[\n{rows}];\n"))
    }
}

fn brotlied(bytes: &[u8], thorough: bool) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let quality = if thorough { 11 } else { 5 };
    brotli::CompressorWriter::new(&mut packed, 4_096, quality, 22).write_all(bytes)?;
    Ok(packed)
}

fn gzipped(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes)?;
    packer.finish()
}

fn compressible(path: &str) -> bool {
    ["css", "js", "wasm", "svg", "txt", "json", "webmanifest"].contains(&extension(path))
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn content_type(path: &str) -> &'static str {
    match extension(path) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
