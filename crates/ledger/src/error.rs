//! What can go wrong with the journal.

use std::io;

use types::RequestId;

/// Why the journal could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has the journal open.
    #[error("the journal is in use by process {pid}")]
    Locked {
        /// The other process; 0 if it could not be read.
        pid: u32,
    },
    /// A record is damaged or missing and it is not just the torn end of the journal.
    #[error("the journal is damaged: segment {segment}, byte {offset}")]
    Corrupt {
        /// Number of the segment, as in its file's name.
        segment: u64,
        /// Where the first bad record begins.
        offset: u64,
    },
    /// The disk or the quota is full. Nothing was written; it works again once there is space.
    #[error("no space is left for the journal")]
    Full,
    /// A request with this id is open already.
    #[error("request {0} is open already")]
    AlreadyOpen(RequestId),
    /// No request with this id is open.
    #[error("request {0} is not open")]
    NotOpen(RequestId),
    /// A sync failed earlier, so it is unknown what is on the disk. Opening the journal anew finds out.
    #[error("the disk failed to sync the journal; restart to check it")]
    Stopped,
    /// Anything else.
    #[error("the journal could not be read or written: {0}")]
    Io(io::Error),
}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl JournalError {
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            Self::Full => io::Error::new(io::ErrorKind::StorageFull, self),
            other => io::Error::other(other),
        }
    }
}
