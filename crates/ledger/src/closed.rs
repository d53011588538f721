//! The journal of a gateway that does not run: kept shut, copied, emptied. It reads no records.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::JournalError;
use crate::lock::{LOCK, Lock};

/// Keeps every other process away from a journal, without opening it; for work on a gateway that does not run.
#[derive(Debug)]
pub struct Closed {
    dir: PathBuf,
    _lock: Lock,
}

/// Locks a journal's directory. [`JournalError::Locked`] if a process has it open.
pub fn keep_closed(dir: &Path) -> Result<Closed, JournalError> {
    Ok(Closed { _lock: Lock::take(dir)?, dir: dir.to_path_buf() })
}

/// What of a journal was copied or removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalFiles {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Closed {
    /// Copies every file but the lock into a new directory (mode 0700), and returns once all of it is on the disk.
    pub fn copy_into(&self, target: &Path) -> io::Result<JournalFiles> {
        DirBuilder::new().mode(0o700).create(target)?;
        let mut copied = JournalFiles::default();
        for path in self.files()? {
            let Some(name) = path.file_name() else { continue };
            let mut source = File::open(&path)?;
            let mut copy =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(target.join(name))?;
            copied.bytes += io::copy(&mut source, &mut copy)?;
            copy.sync_all()?;
            copied.files += 1;
        }
        File::open(target)?.sync_all()?;
        Ok(copied)
    }

    /// Removes every file but the lock.
    pub fn clear(&self) -> io::Result<JournalFiles> {
        let mut removed = JournalFiles::default();
        for path in self.files()? {
            removed.bytes += fs::metadata(&path)?.len();
            fs::remove_file(&path)?;
            removed.files += 1;
        }
        File::open(&self.dir)?.sync_all()?;
        Ok(removed)
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_name() != LOCK && entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_12_a_journal_is_copied_whole_and_emptied_only_while_nobody_has_it() {
        let home = tempfile::tempdir().unwrap();
        let (dir, target) = (home.path().join("journal"), home.path().join("copy"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("journal-1.log"), b"one").unwrap();
        fs::write(dir.join("journal-2.log"), b"other").unwrap();
        let closed = keep_closed(&dir).unwrap();
        assert!(matches!(keep_closed(&dir), Err(JournalError::Locked { .. })));
        assert_eq!(closed.copy_into(&target).unwrap(), JournalFiles { files: 2, bytes: 8 });
        assert_eq!(fs::read(target.join("journal-2.log")).unwrap(), b"other");
        assert!(!target.join(LOCK).exists());
        assert!(closed.copy_into(&target).is_err(), "never over another copy");
        assert_eq!(closed.clear().unwrap(), JournalFiles { files: 2, bytes: 8 });
        assert_eq!(closed.files().unwrap(), Vec::<PathBuf>::new());
        assert!(matches!(keep_closed(&dir), Err(JournalError::Locked { .. })), "still shut");
    }
}
