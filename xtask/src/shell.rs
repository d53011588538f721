//! Runs other programs: prints each command line before it starts, and says plainly which one failed.
//!
//! No pipes and no shell syntax; arguments go to the program as they are.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Why a command of this tool ended early, as one sentence for the terminal.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every step of this tool answers.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Turns an IO error into a sentence that names what was being done.
pub(crate) trait During<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T> During<T> for std::io::Result<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("{what}: {error}")))
    }
}

/// One program with its arguments, started in the repository's root unless told otherwise.
#[derive(Debug)]
pub(crate) struct Cmd {
    command: Command,
    shown: String,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.current_dir(root());
        for (name, _) in std::env::vars_os() {
            if is_leftover(&name) {
                command.env_remove(name);
            }
        }
        Self { command, shown: program.display().to_string() }
    }

    /// The same cargo that started this tool.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut cmd = Self::new(PathBuf::from(cargo));
        "cargo".clone_into(&mut cmd.shown);
        cmd
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<str>) -> Self {
        let arg = arg.as_ref();
        self.command.arg(arg);
        self.shown.push(' ');
        if arg.is_empty() || arg.contains([' ', '(', '*', '|', '"', '$']) {
            self.shown.extend(["'", arg, "'"]);
        } else {
            self.shown.push_str(arg);
        }
        self
    }

    pub(crate) fn args<S: AsRef<str>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable and shows it, because whoever repeats the command by hand needs it.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        self.command.env(name, value);
        let quote = if value.contains(' ') { "'" } else { "" };
        self.shown = format!("{name}={quote}{value}{quote} {}", self.shown);
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs with our own terminal and fails if the program does.
    pub(crate) fn run(mut self) -> Outcome {
        println!("$ {}", self.shown);
        let status = self.command.stdin(Stdio::null()).status().during(&self.shown)?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{}` ended with {status}", self.shown)))
        }
    }

    /// Runs silently and answers standard output; what it said on standard error goes into the failure.
    pub(crate) fn read(mut self) -> Outcome<String> {
        let output = self.command.stdin(Stdio::null()).output().during(&self.shown)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!("`{}` ended with {}: {}", self.shown, output.status, said.trim())))
    }

    /// As [`Cmd::run`], but given up after `limit`: for programs that may wait for a network that is not there.
    pub(crate) fn run_within(self, limit: Duration) -> Outcome {
        let shown = self.shown.clone();
        let mut child = self.spawn()?;
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().during(&shown)? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(Failure::new(format!("`{shown}` ended with {status}")))
                };
            }
            if started.elapsed() > limit {
                let _already_gone = child.kill();
                let _reaped = child.wait();
                return Err(Failure::new(format!("`{shown}` gave no result within {} s", limit.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Starts it and returns at once; standard input is ours for no child.
    pub(crate) fn spawn(mut self) -> Outcome<Child> {
        println!("$ {}", self.shown);
        self.command.stdin(Stdio::null()).spawn().during(&self.shown)
    }

    /// Sends both outputs of a later [`Cmd::spawn`] to a file.
    pub(crate) fn log_to(mut self, path: &Path) -> Outcome<Self> {
        let file = std::fs::File::create(path).during(path.display())?;
        let copy = file.try_clone().during(path.display())?;
        self.command.stdout(file).stderr(copy);
        Ok(self)
    }
}

/// Variables that `cargo run` sets for us and that would make a nested cargo rebuild or pick another toolchain's parts.
fn is_leftover(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The repository's root: the folder above this crate. As cargo says now, because a binary in a target folder that
/// several clones share may have been compiled in another one.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let own = PathBuf::from(own);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The first program of this name in `PATH` or in the system folders that a plain user's `PATH` leaves out.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].into_iter().map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether this run must not skip anything.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}
