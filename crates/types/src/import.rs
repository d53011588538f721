//! Taking over providers and credentials from another gateway, and handing them on to another installation.

use serde::{Deserialize, Serialize};

use crate::check::CheckResult;
use crate::credential::Tier;
use crate::dialect::named;
use crate::{CredentialId, ProviderId, Secret, Timestamp};

named! {
    /// What an import does with an entry.
    ImportAction {
        /// It is added.
        Add = "add",
        /// It is here already and stays as it is.
        Exists = "exists",
        /// It is left out; the reason says why.
        Skip = "skip",
    }
}

named! {
    /// What happens to a provider whose name another one has already.
    NameConflict {
        /// It gets a number behind its name; the default.
        Rename = "rename",
        /// It is left out.
        Skip = "skip",
    }
}

/// Several files as one text: before each a line `==> name <==`, as `tail -n +1 *.json` writes them.
pub fn together<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut whole = String::new();
    for (name, text) in files {
        whole.push_str("==> ");
        whole.extend(name.chars().filter(|c| !c.is_control()));
        whole.push_str(" <==\n");
        whole.push_str(text);
        whole.push('\n');
    }
    whole
}

/// Body of `POST /api/admin/credentials/import`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportCredentials {
    /// The file as text, several behind each other (before each a line `==> name <==`), or an archive (zip, tar, tar.gz)
    /// in base64; at most 8 MiB.
    pub content: Secret<String>,
    /// The passphrase of our own export; not needed for other files.
    #[serde(default)]
    pub passphrase: Option<Secret<String>>,
    /// What kind of file it is, by the name that the answer gives in `format`; default: what its content says.
    #[serde(default)]
    pub from: Option<String>,
    /// Name of the file, for the record.
    #[serde(default)]
    pub origin: Option<String>,
    /// Default `rename`.
    #[serde(default)]
    pub on_conflict: Option<NameConflict>,
    /// Only say what it would do; default false.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether the vendor is asked about each secret first, and what it does not take is left out; default false. In a
    /// dry run nothing is stored all the same.
    #[serde(default)]
    pub probe: bool,
    /// Credentials that are left out, by their place as the dry run tells it; default none.
    #[serde(default)]
    pub leave_out: Vec<String>,
    /// Digest of the dry run that was looked at; the import is refused if the file or what is stored is another by now.
    #[serde(default)]
    pub preview: Option<String>,
}

/// What an import would do, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialImport {
    /// Digest of the file and of what it would change, whatever is left out of it; send it back to import exactly
    /// this.
    pub preview: String,
    /// `litellm`, `one-api`, `new-api`, `claude-relay-service`, `claude-code-hub`, `cliproxyapi` or `tollgate`.
    pub format: String,
    /// Whether it was done.
    pub applied: bool,
    /// Providers that are added.
    pub new_providers: u64,
    /// Credentials that are added.
    pub new_credentials: u64,
    /// Credentials that are here already.
    pub existing: u64,
    /// Providers and credentials that are left out.
    pub skipped: u64,
    /// The providers, in the order of the file.
    pub providers: Vec<ImportedProvider>,
    /// What the file holds besides, and is not taken over.
    pub notes: Vec<ImportNote>,
    /// How many more notes there were.
    pub more_notes: u64,
}

/// A provider of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportedProvider {
    /// Where it stands in the file.
    pub place: String,
    /// What happens to it.
    pub action: ImportAction,
    /// Why, if it is left out or renamed.
    pub reason: Option<String>,
    /// The provider here; null if it is not here (yet).
    pub id: Option<ProviderId>,
    /// Its name here.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its address; empty if it cannot be read.
    pub base_url: String,
    /// Models that it serves; none means all.
    pub models: Vec<String>,
    /// Its credentials.
    pub credentials: Vec<ImportedCredential>,
}

/// A credential of the file; never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportedCredential {
    /// Where it stands in the file.
    pub place: String,
    /// What happens to it.
    pub action: ImportAction,
    /// Why it is left out.
    pub reason: Option<String>,
    /// The credential here; null if it is not here (yet).
    pub id: Option<CredentialId>,
    /// Its name here.
    pub name: String,
    /// `api_key`, `oauth`, `service_account`, `client_credentials` or `aws`.
    pub auth: String,
    /// First and last characters of an API key; who it is for key files, clients and AWS keys; dots otherwise.
    pub secret_hint: String,
    /// E-mail address or name of the account.
    pub account: Option<String>,
    /// When its access token ends.
    pub expires_at: Option<Timestamp>,
    /// Its tier.
    pub tier: Tier,
    /// What came of trying its secret; null if that was not asked for, or it would not be added anyway.
    #[serde(default)]
    pub trial: Option<ImportTrial>,
}

/// What came of trying a secret before it is taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportTrial {
    /// What the answer says; anything but `healthy` is left out.
    pub result: CheckResult,
    /// What was asked: `models`, the name of a vendor's own probe, or `token`.
    pub probe: String,
    /// HTTP status; null if no answer came.
    pub status: Option<u16>,
    /// Wall time in milliseconds.
    pub latency_ms: u64,
    /// What the vendor said, or what went wrong, and what to do about it; empty if the vendor took it.
    pub said: String,
}

impl ImportedCredential {
    /// Whether it is left out only because its vendor did not take it.
    pub fn was_refused(&self) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.result != CheckResult::Healthy)
    }
}

impl CredentialImport {
    /// The places of the credentials that their vendors did not take.
    pub fn refused(&self) -> Vec<String> {
        let credentials = self.providers.iter().flat_map(|provider| &provider.credentials);
        credentials.filter(|one| one.was_refused()).map(|one| one.place.clone()).collect()
    }
}

/// Something in the file that is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportNote {
    /// Where it stands.
    pub place: String,
    /// What about it.
    pub what: String,
}

/// Body of `POST /api/admin/credentials/export`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExportCredentials {
    /// At least 12 characters. Whoever has file and passphrase has every secret in it.
    pub passphrase: Secret<String>,
    /// Only these providers, with all of their credentials; default: all.
    #[serde(default)]
    pub provider_ids: Vec<ProviderId>,
    /// Only these credentials, with their providers; default: all.
    #[serde(default)]
    pub credential_ids: Vec<CredentialId>,
}

/// A sealed export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CredentialExport {
    /// A name for the file.
    pub name: String,
    /// The file: sealed text, to be imported as it is.
    pub content: String,
    /// Providers in it.
    pub providers: u64,
    /// Credentials in it.
    pub credentials: u64,
    /// Credentials that are left out because their secret cannot be decrypted here.
    pub unreadable: u64,
}
