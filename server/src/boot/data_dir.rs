//! The data folder: made if absent (mode 0700), and proven writable by writing (ST-02, ST-03, S5).

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{BootError, Exit};

/// Makes the folder if it is absent and writes to it once.
pub fn prepare(dir: &Path) -> Result<(), BootError> {
    if !dir.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| failed(dir, "made", &error))?;
        tracing::info!(path = %dir.display(), "data folder created");
    }
    probe(dir).map_err(|error| failed(dir, "written to", &error))
}

/// A mode says too little (read-only mounts, quotas, access lists), so a file is really written.
fn probe(dir: &Path) -> io::Result<()> {
    let path = dir.join(format!(".write-probe-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let written = file.write_all(b"tollgate").and_then(|()| file.sync_all());
    fs::remove_file(&path)?;
    written
}

fn failed(dir: &Path, verb: &str, error: &io::Error) -> BootError {
    let shown = absolute(dir);
    let cause = match error.kind() {
        ErrorKind::PermissionDenied => "EACCES: permission denied".to_owned(),
        ErrorKind::NotFound => "ENOENT: no such file or directory".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "EROFS: read-only file system".to_owned(),
        ErrorKind::StorageFull => "ENOSPC: no space left on device".to_owned(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "ENOTDIR: not a directory".to_owned(),
        _ => error.to_string(),
    };
    let user = rustix::process::geteuid().as_raw();
    let existing = nearest_existing(&shown);
    let owner = fs::metadata(&existing).map_or_else(
        |_unknown| "owner and mode unknown".to_owned(),
        |meta| {
            format!(
                "{} belongs to uid {} with mode {:04o}",
                existing.display(),
                meta.uid(),
                meta.mode() & 0o7777
            )
        },
    );
    let advice = match error.kind() {
        ErrorKind::PermissionDenied => {
            format!(
                "Run `chown -R {user} {}` or set DATA_DIR to a folder that uid {user} may write to.",
                existing.display()
            )
        }
        ErrorKind::StorageFull => {
            format!("Free some space on the disk of {} and start again.", shown.display())
        }
        _ => {
            format!("Set DATA_DIR to a folder that uid {user} may write to (it is {} now).", shown.display())
        }
    };
    let what = format!(
        "the data folder {} cannot be {verb}: {cause} (running as uid {user}; {owner})",
        shown.display()
    );
    BootError::new(Exit::DataDir, what, advice)
}

fn absolute(dir: &Path) -> PathBuf {
    std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf())
}

fn nearest_existing(dir: &Path) -> PathBuf {
    dir.ancestors().find(|path| path.exists()).map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}
