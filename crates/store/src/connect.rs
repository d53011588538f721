//! Reaching the database, and saying in plain words why it could not be reached (ST-06).
//!
//! It does not try again: how often and how long is the server's business.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::pool::Pool;
use crate::sql::{Row, args};
use crate::{BoxError, dialect};

/// How long one attempt to connect may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long a statement waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(6);

/// How to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Most connections at once; on SQLite the readers, to which one writer is added. Default 10.
    pub max_connections: u32,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { max_connections: 10 }
    }
}

/// Where the database was looked for; it never holds a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Host name, address or socket folder; empty for SQLite.
    pub host: String,
    /// Port; `None` for SQLite.
    pub port: Option<u16>,
    /// Name of the database, or the file's path.
    pub database: String,
    /// User; empty for SQLite.
    pub user: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, database, user } = self;
        match port {
            Some(port) => write!(f, "host {host}, port {port}, database {database}, user {user}"),
            None => write!(f, "file {database}"),
        }
    }
}

/// Classes of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Nobody listens there.
    Refused,
    /// The host name is unknown.
    Dns,
    /// No answer in time; often a firewall.
    Timeout,
    /// Wrong user or password.
    Auth,
    /// The database or its folder does not exist.
    NoDatabase,
    /// The server has no connection left.
    TooMany,
    /// The file or server cannot be written by us.
    Readonly,
    /// The address is not understood.
    BadUrl,
    /// Anything else.
    Other,
}

impl ConnectFault {
    /// Whether waiting may help; the other causes need a person.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Refused | Self::Dns | Self::Timeout | Self::TooMany | Self::Other)
    }
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused: nothing listens there, or the server is still starting",
            Self::Dns => "the host name cannot be resolved",
            Self::Timeout => "no answer in time: check address, firewall and network",
            Self::Auth => "user or password is wrong",
            Self::NoDatabase => "the database does not exist: create it first",
            Self::TooMany => "too many connections: the server has none left",
            Self::Readonly => "no permission to write: check owner, mode and mount",
            Self::BadUrl => {
                "the address is not understood: expected sqlite://path or postgres://user@host/name"
            }
            Self::Other => "unexpected failure",
        })
    }
}

/// Why the database could not be opened.
#[derive(Debug)]
pub struct ConnectError {
    /// The class.
    pub fault: ConnectFault,
    /// Where it was looked for.
    pub target: Target,
    /// What the driver or the system said.
    pub cause: Option<BoxError>,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open the database: {}", self.fault)?;
        if self.fault != ConnectFault::BadUrl {
            write!(f, " ({})", self.target)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| {
            let cause: &(dyn std::error::Error + 'static) = cause.as_ref();
            cause
        })
    }
}

/// Opens the pools; answers them and what was reached.
pub(crate) async fn open(url: &str, options: ConnectOptions) -> Result<(Pool, String), ConnectError> {
    let url = url.trim();
    if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
        return open_sqlite(path, options).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return open_postgres(url, options).await;
    }
    Err(ConnectError { fault: ConnectFault::BadUrl, target: Target::default(), cause: None })
}

async fn open_sqlite(path: &str, options: ConnectOptions) -> Result<(Pool, String), ConnectError> {
    let path = path.split_once('?').map_or(path, |(path, _parameters)| path);
    let target = Target { database: path.to_owned(), ..Target::default() };
    let fail = |fault, cause| ConnectError { fault, target: target.clone(), cause };
    if path.is_empty() || path.contains(":memory:") {
        // Readers and writer are separate connections; in memory they would be separate databases.
        return Err(fail(ConnectFault::BadUrl, Some("the database must be a file".into())));
    }
    let path = PathBuf::from(path);
    create_private(&path).await.map_err(|error| fail(classify_io(&error), Some(error.into())))?;
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(dialect::sqlite_write_options(&path))
        .await
        .map_err(|error| fail(classify(&error), Some(error.into())))?;
    let read = SqlitePoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with(dialect::sqlite_read_options(&path));
    let pool = Pool::Sqlite { read, write };
    let version = pool
        .row(dialect::SQLITE_VERSION, args![])
        .await
        .and_then(|row| row.text("version"))
        .map_err(|error| fail(ConnectFault::Other, Some(error.into())))?;
    if parse_version(&version) < dialect::SQLITE_OLDEST {
        let cause = format!("SQLite {version} can corrupt databases in WAL mode; 3.51.3 or newer is needed");
        return Err(fail(ConnectFault::Other, Some(cause.into())));
    }
    Ok((pool, format!("sqlite {version}")))
}

async fn open_postgres(url: &str, options: ConnectOptions) -> Result<(Pool, String), ConnectError> {
    // The parser's error may quote the address, password included, so it is not passed on.
    let parsed = PgConnectOptions::from_str(url).map_err(|_may_quote_the_password| ConnectError {
        fault: ConnectFault::BadUrl,
        target: Target::default(),
        cause: None,
    })?;
    let parsed = dialect::postgres_options(parsed).disable_statement_logging();
    let user = parsed.get_username().to_owned();
    let target = Target {
        host: parsed.get_socket().map_or(parsed.get_host().to_owned(), |path| path.display().to_string()),
        port: Some(parsed.get_port()),
        database: parsed.get_database().unwrap_or(&user).to_owned(),
        user,
    };
    let fail = |fault, cause| ConnectError { fault, target: target.clone(), cause: Some(cause) };
    // One plain connection first: a pool would swallow the cause and report a timeout.
    let connection = tokio::time::timeout(ATTEMPT, PgConnection::connect_with(&parsed))
        .await
        .map_err(|elapsed| fail(ConnectFault::Timeout, elapsed.into()))?
        .map_err(|error| fail(classify(&error), error.into()))?;
    drop(connection.close().await);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with(parsed);
    let pool = Pool::Postgres(pool);
    let row: Result<Row, _> = pool.row(dialect::POSTGRES_VERSION, args![]).await;
    let version =
        row.and_then(|row| row.text("version")).map_err(|error| fail(ConnectFault::Other, error.into()))?;
    let number = version.split_whitespace().next().unwrap_or("unknown");
    Ok((pool, format!("postgres {number}")))
}

// SQLite would create the file readable for everybody; its `-wal` and `-shm` files copy the mode.
async fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await.map(drop)
}

fn classify_io(error: &std::io::Error) -> ConnectFault {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => ConnectFault::Refused,
        K::TimedOut | K::HostUnreachable | K::NetworkUnreachable => ConnectFault::Timeout,
        K::NotFound => ConnectFault::NoDatabase,
        K::PermissionDenied | K::ReadOnlyFilesystem | K::IsADirectory | K::NotADirectory => {
            ConnectFault::Readonly
        }
        // Name resolution reports with no kind of its own (`getaddrinfo` has its own error numbers).
        _ if error.raw_os_error().is_none() && error.to_string().contains("lookup") => ConnectFault::Dns,
        _ => ConnectFault::Other,
    }
}

/// Finds the class of what the driver said while connecting.
pub(crate) fn classify(error: &sqlx::Error) -> ConnectFault {
    match error {
        sqlx::Error::Io(error) => classify_io(error),
        sqlx::Error::PoolTimedOut => ConnectFault::Timeout,
        sqlx::Error::Database(error) => match error.code().unwrap_or_default().as_ref() {
            "28P01" | "28000" => ConnectFault::Auth,
            "3D000" => ConnectFault::NoDatabase,
            "53300" => ConnectFault::TooMany,
            // The server is starting up, or shutting down.
            "57P03" | "57P01" => ConnectFault::Refused,
            "25006" | "42501" => ConnectFault::Readonly,
            // SQLite: read-only, cannot open, and the extended codes of both.
            code if code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 8 | 14)) && code.len() < 5 => {
                ConnectFault::Readonly
            }
            _ => ConnectFault::Other,
        },
        _ => ConnectFault::Other,
    }
}

fn parse_version(text: &str) -> (u32, u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests;
