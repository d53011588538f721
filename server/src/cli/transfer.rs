//! `tollgate import` and `tollgate export`: the page's import and export for scripts.
//!
//! The running gateway does the work, by the same service as the page, so that what was imported serves at once. This
//! only reads the file, prints the plan, and says in the exit code whether it was done.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};
use types::Secret;
use types::import::{CredentialExport, CredentialImport, ImportAction, together};

use super::print;
use super::running::Running;
use crate::boot::{BootError, Exit, generated};
use crate::config::ServerConfig;

/// Making a key of a passphrase takes a second, comparing thousands of credentials a few.
const PATIENCE: Duration = Duration::from_mins(1);
/// No file that is taken is larger; an archive grows by a third on its way.
const MOST_BYTES: u64 = 9 << 20;

/// The way out where none answers.
const ABSENT: &str = "Start it with 'tollgate serve', or give this command the HOST and PORT of the one that runs; \
    files can be imported in the dashboard too, under Providers.";

/// Take over what another gateway keeps.
#[derive(Args, Debug)]
pub(super) struct Import {
    /// The file, a folder of account files, or `-` for standard input.
    file: PathBuf,
    /// What it is, where its content does not say: `litellm`, `one-api`, `new-api`, `claude-relay-service`,
    /// `claude-code-hub`, `cliproxyapi` or `tollgate`.
    #[arg(long, value_name = "KIND")]
    from: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Ask the vendor about each secret first, and leave out what it does not take.
    #[arg(long)]
    try_first: bool,
    /// Leave a provider out whose name another one has, in place of putting a number behind it.
    #[arg(long)]
    skip_taken_names: bool,
    /// The file that holds the passphrase of a sealed export.
    #[arg(long, value_name = "PATH")]
    passphrase_file: Option<PathBuf>,
}

/// Hand everything on in a sealed file.
#[derive(Args, Debug)]
pub(super) struct Export {
    /// The file to make; one that is there already is left alone.
    file: PathBuf,
    /// The file that holds the passphrase: at least 12 characters.
    #[arg(long, value_name = "PATH")]
    passphrase_file: PathBuf,
}

pub(super) fn import(command: &Import, config: ServerConfig) -> Result<(), BootError> {
    let content = content(&command.file)?;
    let passphrase = command.passphrase_file.as_deref().map(passphrase).transpose()?;
    let conflict = if command.skip_taken_names { "skip" } else { "rename" };
    let origin = command.file.file_name().map(|name| name.to_string_lossy());
    let body = json!({
        "content": content, "from": command.from, "passphrase": passphrase, "on_conflict": conflict,
        "origin": origin, "dry_run": true, "probe": command.try_first,
    });
    let (path, gateway) = ("/api/admin/credentials/import", Gateway::of(config));
    let seen: CredentialImport = gateway.post(path, &body)?;
    show(&seen);
    let CredentialImport { new_providers, new_credentials, existing, skipped, .. } = seen;
    let counts = format!(
        "{new_providers} providers and {new_credentials} credentials to add, {existing} here already, {skipped} left out"
    );
    if command.dry_run {
        print(&format!("{counts}; nothing was changed"));
        return Ok(());
    }
    // Exactly what was shown: if anything has changed since, it is refused. Nobody is asked twice.
    let shown = [
        ("dry_run", json!(false)),
        ("probe", json!(false)),
        ("leave_out", json!(seen.refused())),
        ("preview", json!(seen.preview)),
    ];
    let mut body = body;
    if let Some(fields) = body.as_object_mut() {
        fields.extend(shown.map(|(name, value)| (name.to_owned(), value)));
    }
    let _done: CredentialImport = gateway.post(path, &body)?;
    print(&format!("{counts}; done"));
    Ok(())
}

pub(super) fn export(command: &Export, config: ServerConfig) -> Result<(), BootError> {
    let body = json!({ "passphrase": passphrase(&command.passphrase_file)? });
    if command.file.exists() {
        return Err(refused(format!("{} is there already", command.file.display()), "Name another file."));
    }
    let sealed: CredentialExport = Gateway::of(config).post("/api/admin/credentials/export", &body)?;
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&command.file);
    let written = made.and_then(|mut file| file.write_all(sealed.content.as_bytes()));
    written.map_err(|error| unreadable(&command.file, &error))?;
    let CredentialExport { providers, credentials, unreadable, .. } = sealed;
    let left =
        if unreadable == 0 { String::new() } else { format!("; {unreadable} cannot be decrypted here") };
    print(&format!("{providers} providers and {credentials} credentials sealed{left}"));
    Ok(())
}

/// The plan, line by line, as the page shows it; never a secret.
fn show(found: &CredentialImport) {
    print(&format!("format     {}", found.format));
    let word = |action: ImportAction| match action {
        ImportAction::Add => "add",
        ImportAction::Exists => "here",
        ImportAction::Skip => "leave out",
    };
    let why = |reason: Option<&String>| reason.map(|text| format!(": {text}")).unwrap_or_default();
    for provider in &found.providers {
        let does = word(provider.action);
        let (name, kind, address) = (&provider.name, &provider.kind, &provider.base_url);
        print(&format!("{does:<10} {name} ({kind}, {address}){}", why(provider.reason.as_ref())));
        for credential in &provider.credentials {
            let does = word(credential.action);
            let (name, auth, hint) = (&credential.name, &credential.auth, &credential.secret_hint);
            let taken = if credential.trial.is_some() && !credential.was_refused() {
                ": its vendor takes it"
            } else {
                ""
            };
            print(&format!("  {does:<10} {name} ({auth}, {hint}){taken}{}", why(credential.reason.as_ref())));
        }
    }
    for note in &found.notes {
        print(&format!("note       {}: {}", note.place, note.what));
    }
    if found.more_notes > 0 {
        print(&format!("note       and {} more", found.more_notes));
    }
}

/// A file as it goes into the request: text as it is, an archive in base64, a folder's files one after another.
fn content(path: &Path) -> Result<String, BootError> {
    let fault = |error: std::io::Error| unreadable(path, &error);
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(MOST_BYTES).read_to_end(&mut bytes).map_err(fault)?;
        return Ok(text_of(bytes));
    }
    if !path.is_dir() {
        let mut bytes = Vec::new();
        fs::File::open(path).map_err(fault)?.take(MOST_BYTES).read_to_end(&mut bytes).map_err(fault)?;
        return Ok(text_of(bytes));
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path)
        .map_err(fault)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    if files.is_empty() {
        let what = format!("{}: holds no .json file", path.display());
        return Err(refused(what, "Name the folder that holds the account files, or one file."));
    }
    let texts = files.iter().map(|file| {
        let text = fs::read(file).map_err(|error| unreadable(file, &error))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What is no text is broken; the gateway says of which file.
        Ok((name, String::from_utf8_lossy(&text).into_owned()))
    });
    let texts = texts.collect::<Result<Vec<_>, BootError>>()?;
    Ok(together(texts.iter().map(|(name, text)| (name.as_str(), text.as_str()))))
}

fn text_of(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        // An archive of texts alone can be valid UTF-8.
        Ok(text) if !text.contains('\0') => text,
        Ok(text) => STANDARD.encode(text),
        Err(error) => STANDARD.encode(error.as_bytes()),
    }
}

/// The first line: editors put an end to it.
fn passphrase(path: &Path) -> Result<String, BootError> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The running gateway's admin API.
struct Gateway {
    running: Running,
    admin_token: Option<Secret<String>>,
}

impl Gateway {
    /// With the admin token of its first start, if the configuration names none.
    fn of(mut config: ServerConfig) -> Self {
        generated::find(&mut config);
        Self { running: Running::of(&config), admin_token: config.admin_token }
    }

    fn post<T: serde::de::DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, BootError> {
        let (address, token) = (self.running.address(), self.admin_token.as_ref());
        let answer =
            self.running.send(("POST", path), token, &body.to_string(), PATIENCE).map_err(|error| {
                if error.kind() == std::io::ErrorKind::ConnectionRefused {
                    let what = format!("no gateway runs at {address}, and a running one does this work");
                    return refused(what, ABSENT);
                }
                let what = format!("the gateway at {address} could not be asked: {error}");
                refused(what, ABSENT)
            })?;
        let value = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
        match answer.status {
            200 => serde_json::from_value(value).map_err(|_| {
                refused(
                    format!("{address} is another version of Tollgate"),
                    "Use the program that runs there.",
                )
            }),
            401 => Err(refused(
                format!("the gateway at {address} does not take this admin token"),
                "Give this command the ADMIN_TOKEN of the running gateway.",
            )),
            status => Err(refused(problem(status, &value), "Mend that and try again; nothing was changed.")),
        }
    }
}

/// What the admin API complained about, fields included.
fn problem(status: u16, answer: &Value) -> String {
    let error = answer.get("error");
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let message = text(error.and_then(|error| error.get("message")));
    let message = message.unwrap_or_else(|| format!("the gateway answered {status}"));
    let fields = error.and_then(|error| error.get("fields")).and_then(Value::as_object);
    let faults = fields.into_iter().flatten();
    let faults = faults.filter_map(|(field, fault)| Some(format!("{field}: {}", fault.as_str()?)));
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { message } else { faults.join("; ") }
}

fn refused(what: String, advice: &str) -> BootError {
    BootError::new(Exit::Other, what, advice)
}

fn unreadable(path: &Path, error: &std::io::Error) -> BootError {
    refused(format!("{}: {error}", path.display()), "Look at the path and its rights.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_go_in_base64_and_texts_as_they_are() {
        assert_eq!(text_of(b"model_list: []".to_vec()), "model_list: []");
        assert_eq!(text_of(vec![0x1f, 0x8b, 0xff]), STANDARD.encode([0x1f, 0x8b, 0xff]));
        assert_eq!(text_of(b"a.json\0\0{}".to_vec()), STANDARD.encode(b"a.json\0\0{}"));
    }

    #[test]
    fn a_refusal_names_its_fields() {
        let answer = json!({"error": {"message": "some fields are wrong", "fields": {"content": "the file is empty"}}});
        assert_eq!(problem(422, &answer), "content: the file is empty");
        assert_eq!(problem(500, &Value::Null), "the gateway answered 500");
    }
}
