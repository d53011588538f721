//! The neutral plan: what a file says, in our words.

use std::fmt;

use types::credential::Tier;
use types::limits::LimitsInput;
use types::provider::CreateProvider;
use types::{Secret, Timestamp};

use crate::MAX_NOTES;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `LiteLLM`'s `config.yaml`.
    LiteLlm,
    /// Channels of one-api.
    OneApi,
    /// Channels of new-api.
    NewApi,
    /// Accounts of claude-relay-service.
    RelayService,
    /// Providers of claude-code-hub.
    CodeHub,
    /// `CLIProxyAPI`'s folder of account files.
    CliProxy,
    /// Our own export, after it was opened.
    Own,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::LiteLlm,
        Self::OneApi,
        Self::NewApi,
        Self::RelayService,
        Self::CodeHub,
        Self::CliProxy,
        Self::Own,
    ];

    /// The one with that wire name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    /// Its wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LiteLlm => "litellm",
            Self::OneApi => "one-api",
            Self::NewApi => "new-api",
            Self::RelayService => "claude-relay-service",
            Self::CodeHub => "claude-code-hub",
            Self::CliProxy => "cliproxyapi",
            Self::Own => "tollgate",
        }
    }
}

/// How a credential authenticates. Its secret is the API key itself, or a JSON object with the parts named here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Auth {
    /// A key in a header.
    #[default]
    ApiKey,
    /// `access_token`, `refresh_token`, `id_token`, `token_type`; the last three may be missing.
    OAuth,
    /// Google's key file.
    ServiceAccount,
    /// `client_id`, `client_secret`, `tenant`.
    ClientCredentials,
    /// `access_key_id`, `secret_access_key`, `session_token`, `region`.
    Aws,
}

impl Auth {
    /// Its wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::OAuth => "oauth",
            Self::ServiceAccount => "service_account",
            Self::ClientCredentials => "client_credentials",
            Self::Aws => "aws",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::ApiKey, Self::OAuth, Self::ServiceAccount, Self::ClientCredentials, Self::Aws]
            .into_iter()
            .find(|auth| auth.as_str() == text)
    }
}

/// A provider that the file describes.
#[derive(Debug)]
pub struct PlannedProvider {
    /// Where it stands in the file.
    pub place: String,
    /// Its content, not checked yet; it holds no key.
    pub input: CreateProvider,
    /// What authenticates to it.
    pub credentials: Vec<PlannedCredential>,
}

/// A credential that the file holds.
#[derive(Clone, Debug)]
pub struct PlannedCredential {
    /// Where it stands in the file.
    pub place: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How it authenticates.
    pub auth: Auth,
    /// The secret; see [`Auth`].
    pub secret: Secret<String>,
    /// E-mail address or name of the account.
    pub account: Option<String>,
    /// Whose token it is (`claude`, `codex`, …); only of OAuth accounts.
    pub vendor: Option<String>,
    /// Scopes of the token, with blanks between.
    pub scopes: Option<String>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// Tier.
    pub tier: Tier,
    /// Lower first within its tier.
    pub priority: Option<i32>,
    /// Share among equals.
    pub weight: Option<u32>,
    /// At most so many requests at once.
    pub max_concurrency: Option<u32>,
    /// Whether it may be used.
    pub enabled: bool,
    /// Its limits.
    pub limits: LimitsInput,
    /// Its own outbound proxy.
    pub proxy_url: Option<Secret<String>>,
}

impl PlannedCredential {
    /// One with defaults for everything else.
    pub fn new(place: String, auth: Auth, secret: Secret<String>) -> Self {
        Self {
            place,
            name: None,
            auth,
            secret,
            account: None,
            vendor: None,
            scopes: None,
            expires_at: None,
            tier: Tier::Shared,
            priority: None,
            weight: None,
            max_concurrency: None,
            enabled: true,
            limits: LimitsInput::default(),
            proxy_url: None,
        }
    }
}

/// Something in the file that is not taken over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it stands.
    pub place: String,
    /// What about it, in one clause.
    pub what: String,
}

/// What a file says.
#[derive(Debug)]
pub struct Plan {
    /// What kind of file it is.
    pub format: Format,
    /// Its providers, in its order.
    pub providers: Vec<PlannedProvider>,
    /// What is left out.
    pub notes: Vec<Note>,
    /// How many more notes there were than are kept.
    pub more_notes: usize,
}

impl Plan {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, providers: Vec::new(), notes: Vec::new(), more_notes: 0 }
    }

    pub(crate) fn note(&mut self, place: impl Into<String>, what: impl Into<String>) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { place: place.into(), what: what.into() });
        } else {
            self.more_notes += 1;
        }
    }

    /// Providers and credentials together.
    pub fn entries(&self) -> usize {
        self.providers.len() + self.providers.iter().map(|provider| provider.credentials.len()).sum::<usize>()
    }
}

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// More than the bound that is named.
    #[error("the file is too large: {0}")]
    TooLarge(&'static str),
    /// No JSON, no YAML, or neither.
    #[error("{format} that cannot be read, line {line}, column {column}")]
    Syntax {
        /// `JSON` or `YAML`.
        format: &'static str,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// No text at all.
    #[error("is no text")]
    Binary,
    /// A file of an archive, with its fault.
    #[error("{file}: {fault}")]
    InFile {
        /// Its name.
        file: String,
        /// Its fault.
        fault: Box<Fault>,
    },
    /// An archive that is damaged or uses what we do not read.
    #[error("the archive cannot be read: {0}")]
    Archive(&'static str),
    /// A field that has another form than its format says.
    #[error("{place}: expected {expected}")]
    Field {
        /// Where it stands.
        place: String,
        /// What was expected there.
        expected: &'static str,
    },
    /// None of the formats.
    #[error(
        "this is none of the known formats (LiteLLM config.yaml, channels of one-api or new-api, accounts of \
         claude-relay-service, providers of claude-code-hub, account files of CLIProxyAPI, our own export)"
    )]
    Unknown,
    /// Something else than somebody said.
    #[error("this is a file of {found}, not of {wanted}")]
    Another {
        /// What it is.
        found: &'static str,
        /// What was said.
        wanted: &'static str,
    },
    /// Our own export, of a later version.
    #[error("the export has version {0}, which this Tollgate does not know; upgrade first")]
    Version(u64),
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
