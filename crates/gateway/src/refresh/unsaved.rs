//! Fresh tokens on their way into the database, as files of the data folder (RF-06). By the time there is one, the
//! vendor has spent the token before it: a process that dies on the way, or a database that does not answer, must not
//! be able to lose it.
//!
//! A file is sealed like the row that it is for, and says which token it takes the place of: never of what a newer
//! sign-in brought, nor of anything in a database that begins anew.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use oauth::TokenSet;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{CredentialRow, FreshToken};
use types::{CredentialId, Timestamp};

use crate::core::Core;
use crate::disk::on_disk;
use crate::snapshot::Snapshot;
use crate::vault::Purpose;

const FOLDER: &str = crate::config::UNSAVED_TOKENS;
const EXTENSION: &str = "sealed";

#[derive(Serialize, Deserialize)]
struct Written {
    /// SHA-256 of the set that was stored when this one was granted, in hexadecimal.
    replaces: String,
    /// Hexadecimal.
    sealed: String,
    expires_at: Option<Timestamp>,
    refreshed_at: Timestamp,
    scopes: Option<String>,
    account: Option<String>,
}

/// Writes a fresh token down; when this returns, it is on the disk.
pub(super) fn keep(core: &Core, row: &CredentialRow, fresh: &FreshToken) -> io::Result<()> {
    let folder = core.config.data_dir.join(FOLDER);
    let written = Written {
        replaces: digest_of_stored(core, row)
            .ok_or_else(|| io::Error::other("the stored token does not open"))?,
        sealed: hex::encode(&fresh.sealed),
        expires_at: fresh.expires_at,
        refreshed_at: fresh.refreshed_at,
        scopes: fresh.scopes.clone(),
        account: fresh.account.clone(),
    };
    let text = serde_json::to_vec(&written).map_err(io::Error::other)?;
    on_disk(true, || {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let path = path(&folder, row.id, row.token.version);
        let draft = path.with_extension("part");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&text).and_then(|()| file.sync_all())?;
        fs::rename(&draft, &path)?;
        File::open(&folder)?.sync_all()
    })
}

/// The token that was granted to take the place of the row's, if the database never got it.
pub(super) fn find(core: &Core, row: &CredentialRow) -> Option<(FreshToken, TokenSet)> {
    let path = path(&core.config.data_dir.join(FOLDER), row.id, row.token.version);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::error!(credential.id = row.id.0, path = %path.display(), %error, "a kept token cannot be read");
            return None;
        }
    };
    let opened = open(core, row, &text);
    if opened.is_none() {
        // Nothing can be made of it, now or later; the vendor is asked as if there were none.
        tracing::error!(credential.id = row.id.0, path = %path.display(), 
            "a kept token cannot be decrypted, or takes the place of none that is stored");
        forget(core, row);
    }
    opened
}

fn open(core: &Core, row: &CredentialRow, text: &[u8]) -> Option<(FreshToken, TokenSet)> {
    let written: Written = serde_json::from_slice(text).ok()?;
    let Written { replaces, sealed, expires_at, refreshed_at, scopes, account } = written;
    if digest_of_stored(core, row)? != replaces {
        return None;
    }
    let sealed = hex::decode(sealed).ok()?;
    let secret = core.vault.open(Purpose::CredentialSecret, row.id.0, &sealed).ok()?;
    let set = TokenSet::parse(&secret)?;
    // Written before the secret of encryption was changed, it would come into the database behind the rotation's back.
    let current = core.vault.is_current(&sealed);
    let anew = || core.vault.seal(Purpose::CredentialSecret, row.id.0, &secret).ok();
    let sealed = if current { sealed } else { anew()? };
    Some((FreshToken { sealed, expires_at, refreshed_at, scopes, account }, set))
}

/// Refresh tokens are long and random, and this one is spent: its digest gives nothing away.
fn digest_of_stored(core: &Core, row: &CredentialRow) -> Option<String> {
    let stored = core.vault.open(Purpose::CredentialSecret, row.id.0, &row.sealed).ok()?;
    Some(hex::encode(Sha256::digest(stored.expose())))
}

/// Removes the file of a token that the database has, or that is of no use any more.
pub(super) fn forget(core: &Core, row: &CredentialRow) {
    remove(&path(&core.config.data_dir.join(FOLDER), row.id, row.token.version));
}

/// Has those refreshed whose fresh token waits for the database, and removes files that a newer sign-in has overtaken.
pub(crate) fn remind(core: &Core, snapshot: &Snapshot) {
    let Ok(files) = fs::read_dir(core.config.data_dir.join(FOLDER)) else { return };
    for path in files.flatten().map(|file| file.path()) {
        let Some((id, version)) = named(&path) else { continue };
        let Some((_, credential)) = super::find(snapshot, id) else { continue };
        let crate::authenticate::Auth::Token(slot) = &credential.auth else { continue };
        if slot.version() > version {
            remove(&path);
        } else {
            slot.ask();
        }
    }
}

fn path(folder: &Path, id: CredentialId, version: i64) -> PathBuf {
    folder.join(format!("{}-{version}.{EXTENSION}", id.0))
}

fn named(path: &Path) -> Option<(CredentialId, i64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let (id, version) = name.split_once('-')?;
    Some((CredentialId(id.parse().ok()?), version.parse().ok()?))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a kept token could not be removed");
    }
}
