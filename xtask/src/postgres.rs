//! A PostgreSQL server for one test run: own folder, own free port, gone afterwards.
//!
//! It never touches a server that already runs on the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::debian;
use crate::process::{Running, free_port, wait_until};
use crate::shell::{Cmd, During, Failure, Outcome, find};

/// A running server; dropping it stops it and removes its files.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Running,
    dir: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts a server, installing PostgreSQL first where that is possible.
    pub(crate) fn start() -> Outcome<Self> {
        let bin = if let Some(bin) = bin_dir() {
            bin
        } else {
            debian::install(&["postgresql"], "PostgreSQL (initdb, postgres)")?;
            bin_dir().ok_or_else(|| Failure::new("PostgreSQL is installed, but initdb was not found"))?
        };
        let port = free_port()?;
        let dir = std::env::temp_dir().join(format!("tollgate-postgres-{}-{port}", std::process::id()));
        fs::create_dir(&dir).during(dir.display())?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).during(dir.display())?;
        let user = User::find()?;
        user.own(&dir)?;
        let data = dir.join("data").display().to_string();
        let started = user
            .cmd(&bin.join("initdb"))
            .args(["--pgdata", &data, "--username", "postgres", "--auth", "trust"])
            .args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
            .dir(&dir)
            .read()
            .and_then(|_| {
                user.cmd(&bin.join("postgres"))
                    .args(["-D", &data, "-p", &port.to_string(), "-k", &dir.display().to_string()])
                    .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100"])
                    // Nothing in it has to survive a power cut.
                    .args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"])
                    .dir(&dir)
                    .log_to(&dir.join("log"))?
                    .spawn()
            });
        let server = match started {
            Ok(child) => Running::new(child),
            Err(failure) => {
                drop(fs::remove_dir_all(&dir));
                return Err(failure);
            }
        };
        let mut postgres = Self { server, dir, port };
        postgres.wait_ready()?;
        Ok(postgres)
    }

    /// Where tests connect; the role may create databases.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// By its own word rather than `pg_isready`, which is part of the client and may be missing.
    fn wait_ready(&mut self) -> Outcome {
        let server = &mut self.server;
        let log = self.dir.join("log");
        let ready = wait_until(Duration::from_secs(30), || {
            server.ended().is_some()
                || fs::read_to_string(&log).is_ok_and(|log| log.contains("ready to accept connections"))
        });
        if ready && self.server.ended().is_none() {
            return Ok(());
        }
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        Err(Failure::new(format!("PostgreSQL did not start:\n{log}")))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server.stop(Duration::from_secs(5));
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// The folder that holds `initdb` and `postgres`: Debian keeps it out of `PATH`, others link single programs from
/// there into it. A machine may also have the client alone.
fn bin_dir() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| ["initdb", "postgres"].iter().all(|name| dir.join(name).is_file());
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(complete)
        .collect();
    versions.sort();
    versions.pop().or_else(|| {
        let named = find("initdb")?;
        let real = named.canonicalize().ok()?;
        [named, real].iter().filter_map(|path| path.parent()).map(Path::to_path_buf).find(complete)
    })
}

/// Whom the server runs as: PostgreSQL refuses root.
#[derive(Debug)]
enum User {
    Ourselves,
    Other { uid: u32, gid: u32 },
}

impl User {
    fn find() -> Outcome<Self> {
        if !debian::is_root() {
            return Ok(Self::Ourselves);
        }
        let id = |flag: &str, name: &str| Cmd::new("id").args([flag, name]).read().ok()?.trim().parse().ok();
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some(Self::Other { uid: id("-u", name)?, gid: id("-g", name)? }))
            .ok_or_else(|| {
                Failure::new("PostgreSQL refuses root, and there is neither a user postgres nor nobody")
            })
    }

    fn own(&self, dir: &Path) -> Outcome {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid } => {
                std::os::unix::fs::chown(dir, Some(*uid), Some(*gid)).during(dir.display())
            }
        }
    }

    /// `setpriv` rather than `su`: it replaces itself by the program, so that our signals reach it, and the
    /// program goes down with us even if we are killed.
    fn cmd(&self, program: &Path) -> Cmd {
        let program = program.display().to_string();
        match (self, find("setpriv")) {
            (Self::Ourselves, None) => Cmd::new(program),
            (Self::Ourselves, Some(setpriv)) => Cmd::new(setpriv).args(["--pdeathsig", "TERM", &program]),
            (Self::Other { uid, gid }, setpriv) => {
                Cmd::new(setpriv.unwrap_or_else(|| PathBuf::from("setpriv")))
                    .args([
                        format!("--reuid={uid}"),
                        format!("--regid={gid}"),
                        String::from("--clear-groups"),
                    ])
                    .args(["--pdeathsig", "TERM", &program])
            }
        }
    }
}
