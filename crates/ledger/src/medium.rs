//! The few file operations that the journal's writer needs, behind a seam so that tests can let each fail.
//!
//! It knows nothing of records.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An open segment.
pub(crate) trait Medium: Send + Sync + fmt::Debug {
    /// Adds bytes at the end. On error any part of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Returns once everything is on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// Where segments live.
pub(crate) trait Storage: Send + Sync + fmt::Debug {
    /// Opens a segment for appending; makes it if absent.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Medium>>;
    /// Makes new and removed files in the directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Removes a segment.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// Opens a segment whose syncs fail for good once one of them did: the kernel forgets the pages that it could not
/// write, and the next sync would report success without them.
pub(crate) fn open_segment(storage: &dyn Storage, path: &Path) -> io::Result<Arc<dyn Medium>> {
    Ok(Arc::new(Unforgiving { file: storage.open(path)?, failed: Mutex::new(false) }))
}

#[derive(Debug)]
struct Unforgiving {
    file: Arc<dyn Medium>,
    failed: Mutex<bool>,
}

impl Medium for Unforgiving {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    // One at a time: of two at once, one might be told of the failure and the other not.
    fn sync(&self) -> io::Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(io::Error::other("an earlier sync failed"));
        }
        let synced = self.file.sync();
        *failed = synced.is_err();
        synced
    }
}

/// Real files.
#[derive(Debug)]
pub(crate) struct Disk;

impl Storage for Disk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Medium>> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        Ok(Arc::new(file))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

impl Medium for File {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        file.write_all(bytes)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes the journal's directory, closed to everybody else, if it is absent.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// File of a segment.
pub(crate) fn segment_path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("journal-{segment:016}.log"))
}

/// Numbers and sizes of the segments in a directory, in order.
pub(crate) fn list_segments(dir: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".log"));
        if let Some(number) = number.and_then(|text| text.parse().ok()) {
            segments.push((number, entry.metadata()?.len()));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}
