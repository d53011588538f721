//! What a first start makes for itself: the two secrets (development only, mode 0600) and a name for this
//! instance in the books. What was made once is read again at each later start.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use types::Secret;

use super::{BootError, Exit};
use crate::config::ServerConfig;

/// What the engine needs and the configuration may not have held.
#[derive(Debug)]
pub struct Generated {
    /// Admin sign-in.
    pub admin_token: Secret<String>,
    /// Master secret of the vault.
    pub encryption_secret: Secret<String>,
    /// This instance's name in the books.
    pub node: String,
}

/// Fills the gaps. The second value is the admin token if this very start made it.
pub fn complete(config: &mut ServerConfig) -> Result<(Generated, Option<Secret<String>>), BootError> {
    let secrets = config.data_dir.join("secrets");
    let (admin_token, made) = fill(config.admin_token.as_ref(), &secrets, "admin_token")?;
    let (encryption_secret, _) = fill(config.encryption_secret.as_ref(), &secrets, "encryption_secret")?;
    let (node, _) = keep(&config.data_dir, "node", 4)?;
    for (slot, found, name) in [
        (&mut config.admin_token, &admin_token, "ADMIN_TOKEN"),
        (&mut config.encryption_secret, &encryption_secret, "ENCRYPTION_SECRET"),
    ] {
        if slot.is_none() {
            *slot = Some(found.clone());
            ServerConfig::mark_generated(&mut config.lines, name);
        }
    }
    let new_admin_token = made.then(|| admin_token.clone());
    Ok((Generated { admin_token, encryption_secret, node: node.expose().clone() }, new_admin_token))
}

fn fill(given: Option<&Secret<String>>, dir: &Path, name: &str) -> Result<(Secret<String>, bool), BootError> {
    given.map_or_else(|| keep(dir, name, 32), |secret| Ok((secret.clone(), false)))
}

/// The secrets that an earlier start made, without making any; for commands that only look.
pub fn find(config: &mut ServerConfig) {
    let secrets = config.data_dir.join("secrets");
    for (slot, file) in
        [(&mut config.admin_token, "admin_token"), (&mut config.encryption_secret, "encryption_secret")]
    {
        if slot.is_none() {
            *slot = read(&secrets.join(file)).ok();
        }
    }
}

/// The content of a file; made from so many random bytes if it is absent. True if it was made now.
fn keep(dir: &Path, name: &str, bytes: usize) -> Result<(Secret<String>, bool), BootError> {
    let path = dir.join(name);
    let outcome = match read(&path) {
        Ok(text) => Ok((text, false)),
        Err(error) if error.kind() == ErrorKind::NotFound => make(dir, &path, bytes),
        Err(error) => Err(error),
    };
    outcome.map_err(|error| {
        BootError::new(
            Exit::DataDir,
            format!("{} cannot be read or made: {error}", path.display()),
            format!("Check owner, mode and content of {} and start again.", path.display()),
        )
    })
}

fn make(dir: &Path, path: &Path, bytes: usize) -> io::Result<(Secret<String>, bool)> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut random = vec![0_u8; bytes];
    rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut random).map_err(io::Error::other)?;
    let text = Secret::new(hex::encode(&random));
    // Exclusive: two first starts at the same time must not end up with two secrets.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(text.expose().as_bytes())?;
            file.sync_all()?;
            fs::File::open(dir)?.sync_all()?;
            Ok((text, true))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok((read(path)?, false)),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<Secret<String>> {
    let text = fs::read_to_string(path)?;
    if text.trim().is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "the file is empty"));
    }
    if fs::metadata(path)?.mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others may read this file; run chmod 600 on it");
    }
    Ok(Secret::new(text.trim().to_owned()))
}
