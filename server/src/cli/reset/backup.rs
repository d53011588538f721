//! The copy that a reset makes first: database and journal in one folder, looked at before anything is removed.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::{Closed, JournalFiles};
use store::{ConnectOptions, Store};
use url::Url;

use crate::boot::{BootError, Exit};
use crate::config::ServerConfig;

/// What a backup is called that `pg_dump` wrote.
const DUMP: &str = "tollgate.dump";
const FILE: &str = "tollgate.db";
const JOURNAL: &str = "journal";
const TOKENS: &str = gateway::config::UNSAVED_TOKENS;

/// A backup that was made and looked at.
#[derive(Debug)]
pub(super) struct Backup {
    pub(super) folder: PathBuf,
    /// The SQLite database that it is of; `None` for PostgreSQL.
    database: Option<PathBuf>,
    journal: PathBuf,
    /// Where fresh tokens wait that the database does not hold; `None` if none does.
    tokens: Option<PathBuf>,
    tables: usize,
    rows: u64,
    copied: JournalFiles,
}

impl Backup {
    pub(super) async fn make(
        config: &ServerConfig,
        store: &Store,
        counts: &BTreeMap<String, u64>,
        closed: &Closed,
    ) -> Result<Self, BootError> {
        let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
        let folder = folder(&data_dir).map_err(|error| failed(&error.to_string()))?;
        let database = store.file().await.map_err(|error| failed(&error.to_string()))?;
        if database.is_some() {
            copy(store, &folder.join(FILE), counts).await.map_err(|why| failed(&why))?;
        } else {
            dump(config.database_url.expose(), &folder.join(DUMP), counts)?;
        }
        let copied = closed.copy_into(&folder.join(JOURNAL));
        let copied = copied.map_err(|error| failed(&format!("the journal could not be copied: {error}")))?;
        let tokens = data_dir.join(TOKENS);
        let waiting = copy_files(&tokens, &folder.join(TOKENS));
        let waiting = waiting.map_err(|error| failed(&format!("{TOKENS} could not be copied: {error}")))?;
        let backup = Self {
            journal: data_dir.join(JOURNAL),
            tokens: waiting.then_some(tokens),
            database,
            tables: counts.len(),
            rows: counts.values().sum(),
            copied,
            folder,
        };
        let written = fs::write(backup.folder.join("RESTORE.txt"), backup.way_back());
        written
            .and_then(|()| File::open(&backup.folder)?.sync_all())
            .map_err(|error| failed(&error.to_string()))?;
        Ok(backup)
    }

    pub(super) fn summary(&self) -> String {
        let Self { folder, tables, rows, copied: JournalFiles { files, bytes }, .. } = self;
        let (file, how) =
            if self.database.is_some() { (FILE, "opened and counted") } else { (DUMP, "its list was read") };
        format!(
            "backup     {}\n  {file}  {tables} tables, {rows} rows ({how})\n  {JOURNAL}  {files} files, {bytes} bytes",
            folder.display()
        )
    }

    /// Removes what was copied beside database and journal.
    pub(super) fn clear_tokens(&self) -> io::Result<()> {
        self.tokens.as_ref().map_or(Ok(()), fs::remove_dir_all)
    }

    /// Commands for a shell that put everything back.
    pub(super) fn way_back(&self) -> String {
        let (copy, journal) = (quoted(&self.folder.join(JOURNAL)), quoted(&self.journal));
        let mut lines = Vec::new();
        if let Some(database) = &self.database {
            let beside = |end: &str| quoted(&PathBuf::from(format!("{}{end}", database.display())));
            lines.push(format!("rm -f {} {} {}", beside(""), beside("-wal"), beside("-shm")));
            lines.push(format!("cp -p {} {}", quoted(&self.folder.join(FILE)), quoted(database)));
        } else {
            let dump = quoted(&self.folder.join(DUMP));
            lines
                .push(format!("pg_restore --clean --if-exists --no-owner --dbname=\"$DATABASE_URL\" {dump}"));
        }
        lines.push(format!("rm -rf {journal}"));
        lines.push(format!("cp -Rp {copy} {journal}"));
        if let Some(tokens) = &self.tokens {
            lines.push(format!("rm -rf {}", quoted(tokens)));
            lines.push(format!("cp -Rp {} {}", quoted(&self.folder.join(TOKENS)), quoted(tokens)));
        }
        format!(
            "to go back, while no gateway runs:\n  {}\n\
             ENCRYPTION_SECRET must be the one of today, or the secrets in it do not open.",
            lines.join("\n  ")
        )
    }
}

/// Copies a folder's files, if it has any.
fn copy_files(from: &Path, to: &Path) -> io::Result<bool> {
    let files = match fs::read_dir(from) {
        Ok(files) => files.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if files.is_empty() {
        return Ok(false);
    }
    DirBuilder::new().mode(0o700).create(to)?;
    for file in files {
        let copy = to.join(file.file_name());
        fs::copy(file.path(), &copy)?;
        File::open(&copy)?.sync_all()?;
    }
    Ok(true)
}

/// A new folder for this backup, for nobody else to read.
fn folder(data_dir: &Path) -> io::Result<PathBuf> {
    let all = data_dir.join("backups");
    DirBuilder::new().recursive(true).mode(0o700).create(&all)?;
    let now = gateway::clock::system_now().to_string();
    let now: String = now.split(['.', 'Z']).next().unwrap_or_default().replace(['-', ':'], "");
    let folder = all.join(format!("reset-{now}Z"));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

async fn copy(store: &Store, file: &Path, counts: &BTreeMap<String, u64>) -> Result<(), String> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.map_err(|error| error.to_string())?;
    store.copy_into(file).await.map_err(|error| format!("the database could not be copied: {error}"))?;
    let url = format!("sqlite://{}", file.display());
    let copy = Store::connect(&url, ConnectOptions { max_connections: 1 }).await;
    let copy = copy.map_err(|error| format!("the copy does not open: {error}"))?;
    let found = copy.row_counts().await.map_err(|error| format!("the copy cannot be read: {error}"))?;
    copy.close().await;
    let synced = File::open(file).and_then(|file| file.sync_all());
    synced.map_err(|error| error.to_string())?;
    if found == *counts { Ok(()) } else { Err("the copy has other rows than the database".to_owned()) }
}

fn dump(url: &str, file: &Path, counts: &BTreeMap<String, u64>) -> Result<(), BootError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.map_err(|error| failed(&error.to_string()))?;
    let (address, password) = without_password(url);
    let mut command = Command::new("pg_dump");
    command.args(["--format=custom", "--no-password"]).arg(format!("--dbname={address}"));
    command.args(counts.keys().map(|table| format!("--table={table}"))).arg("--file").arg(file);
    // Not among the arguments, which everybody on this machine can read.
    command.envs(password.map(|password| ("PGPASSWORD", password)));
    output(&mut command)?;
    let listed = output(Command::new("pg_restore").arg("--list").arg(file))?;
    let tables = listed.lines().filter(|line| line.contains(" TABLE DATA ")).count();
    if tables == counts.len() {
        return Ok(());
    }
    Err(failed(&format!("pg_dump kept {tables} of {} tables", counts.len())))
}

fn output(command: &mut Command) -> Result<String, BootError> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => BootError::new(
            Exit::Other,
            format!("{name} is not installed here, so there would be no backup; nothing was changed"),
            "Install the client programs of PostgreSQL (postgresql-client) and run this again.",
        ),
        _ => failed(&format!("{name}: {error}")),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(&format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// The address without its password, and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let Ok(mut parsed) = Url::parse(url) else { return (url.to_owned(), None) };
    let password = parsed
        .password()
        .map(|encoded| percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned());
    if password.is_some() && parsed.set_password(None).is_err() {
        return (url.to_owned(), None);
    }
    (parsed.to_string(), password)
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn failed(why: &str) -> BootError {
    BootError::new(
        Exit::Other,
        format!("the backup could not be made: {why}; nothing was changed"),
        "Correct the cause above and run this again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_12_a_password_is_no_argument_and_a_path_is_one_word() {
        let (address, password) = without_password("postgres://u:p%40ss@h:5/d?sslmode=require");
        assert_eq!(
            (address.as_str(), password.as_deref()),
            ("postgres://u@h:5/d?sslmode=require", Some("p@ss"))
        );
        assert_eq!(without_password("postgres://u@h/d"), ("postgres://u@h/d".to_owned(), None));
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
