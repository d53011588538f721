//! From what somebody presents to a proven [`Principal`].
//!
//! Wrong and unknown secrets get the same answer after the same work. The admin token opens nothing on the
//! model paths: it is no key, and only the snapshot's keys are accepted there (INV-14).

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;
use store::Change;
use types::principal::Principal;
use types::{Problem, Secret, UserId};

use crate::core::Core;
use crate::identity::password::{Passwords, Verdict};
use crate::identity::problem::store_problem;
use crate::identity::throttle::{Account, Begun, Lane};
use crate::identity::{SignIn, api_key};

/// Longest secret or name that is looked at. Longer ones are wrong without any work.
const MAX_PRESENTED: usize = 512;

/// Proves who somebody is: by the admin token, a member's key, or a member's name and password.
///
/// `trusted_device` says that this browser signed in before; its failures are counted apart.
pub(crate) async fn prove(
    core: &Arc<Core>,
    presented: SignIn,
    ip: IpAddr,
    trusted_device: bool,
) -> Result<Principal, Problem> {
    let door = Door { core, ip, trusted_device, via: "admin" };
    match presented {
        SignIn::Token(token) => {
            let token = Secret::new(token.expose().trim().to_owned());
            match api_key::lookup_id(token.expose()) {
                Some(lookup) => door.by_key(&token, lookup).await,
                None => door.by_admin_token(&token).await,
            }
        }
        SignIn::Password { name, password } => door.by_password(name.trim(), password).await,
    }
}

/// Proves an administrator by an `Authorization` header (AU-01).
pub(crate) async fn prove_by_bearer(
    core: &Arc<Core>,
    authorization: Option<&str>,
    ip: IpAddr,
) -> Result<Principal, Problem> {
    let token = bearer(authorization)?;
    Door { core, ip, trusted_device: false, via: "admin-api" }.by_admin_token(&token).await
}

/// The token of an `Authorization: Bearer …` header. The value is never repeated in the answer.
fn bearer(authorization: Option<&str>) -> Result<Secret<String>, Problem> {
    let malformed = || {
        Problem::new(
            "malformed_authorization",
            "Unauthorized: the Authorization header must have the form `Bearer <your-secret>`",
        )
    };
    let header = authorization.map(str::trim).filter(|text| !text.is_empty()).ok_or_else(|| {
        Problem::new(
            "missing_authorization",
            "Unauthorized: send the admin token as `Authorization: Bearer <your-secret>`",
        )
    })?;
    let (scheme, token) = header.split_once(' ').ok_or_else(malformed)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(char::is_whitespace) {
        return Err(malformed());
    }
    Ok(Secret::new(token.to_owned()))
}

fn wrong(what: &str) -> Problem {
    Problem::new("invalid_credentials", format!("Unauthorized: {what}"))
}

/// One person at the door.
struct Door<'a> {
    core: &'a Arc<Core>,
    ip: IpAddr,
    trusted_device: bool,
    via: &'static str,
}

impl Door<'_> {
    async fn by_admin_token(&self, token: &Secret<String>) -> Result<Principal, Problem> {
        let core = self.core;
        let refusal = || {
            wrong(
                "the secret is not the configured ADMIN_TOKEN; compare the fingerprint on the sign-in page, or that \
                 of `tollgate doctor auth`, with the first 8 characters of your token's SHA-256",
            )
        };
        if token.expose().len() > MAX_PRESENTED {
            return Err(refusal());
        }
        let right = {
            let _turn = core.admin_token.turn().await;
            match self.begin(Account::Admin, || core.admin_token.is_proven(token))? {
                Begun::Proven => true,
                Begun::Try(attempt) => match core.admin_token.verify(token).await {
                    Ok(true) => {
                        attempt.succeeded();
                        true
                    }
                    Ok(false) => {
                        attempt.failed();
                        false
                    }
                    Err(problem) => {
                        attempt.not_checked();
                        return Err(problem);
                    }
                },
            }
        };
        if !right {
            self.note_failure("admin").await;
            return Err(refusal());
        }
        // Each call of the REST API proves itself anew; only a sign-in that opens a session is worth a row.
        if self.via == "admin" {
            self.note_success("admin", "", "admin").await;
        }
        Ok(Principal::Admin)
    }

    async fn by_key(&self, token: &Secret<String>, lookup: &str) -> Result<Principal, Problem> {
        let core = self.core;
        let snapshot = core.snapshot();
        let key = snapshot.keys.get(&core.keys.hash(token.expose()));
        let account = Account::Key(lookup.to_owned());
        let Some(key) = (match self.begin(account, || key.is_some())? {
            Begun::Proven => key,
            Begun::Try(attempt) => {
                attempt.failed();
                None
            }
        }) else {
            self.note_failure(&format!("key {}{lookup}", api_key::PREFIX)).await;
            return Err(wrong("Tollgate does not know this key; check it or ask your administrator"));
        };
        // He holds the key, so he may know why it does not open the door.
        let now = core.clock.now();
        if !key.spec.enabled || key.spec.expires_at.is_some_and(|end| now >= end) {
            return Err(wrong("this key is switched off or expired; ask your administrator"));
        }
        if !key.user.is_active(now) {
            return Err(wrong("this user is switched off or expired; ask your administrator"));
        }
        self.note_member(key.user.id, &key.user.spec.name).await;
        Ok(Principal::Member { user_id: key.user.id })
    }

    async fn by_password(&self, name: &str, password: Secret<String>) -> Result<Principal, Problem> {
        let refusal = || wrong("name or password is wrong, or no password is set for this name");
        if name.is_empty() || name.len() > MAX_PRESENTED || password.expose().len() > MAX_PRESENTED {
            return Err(refusal());
        }
        let core = self.core;
        let account = Account::Name(name.to_lowercase());
        let attempt = match self.begin(account, || false)? {
            Begun::Try(attempt) => attempt,
            Begun::Proven => return Err(refusal()),
        };
        let row = match core.store.user_fetch_by_name(name).await {
            Ok(row) => row,
            Err(error) => {
                attempt.not_checked();
                return Err(store_problem(error, "user"));
            }
        };
        let stored = row.as_ref().and_then(|row| row.password_hash.clone());
        let verdict = match Passwords::shared().verify(password.clone(), stored).await {
            Ok(verdict) => verdict,
            Err(problem) => {
                attempt.not_checked();
                return Err(problem);
            }
        };
        let Some(row) = row.filter(|_| verdict != Verdict::Mismatch) else {
            attempt.failed();
            self.note_failure(name).await;
            return Err(refusal());
        };
        attempt.succeeded();
        let now = core.clock.now();
        if !row.spec.enabled || row.spec.expires_at.is_some_and(|end| now >= end) {
            return Err(wrong("this user is switched off or expired; ask your administrator"));
        }
        if verdict == Verdict::MatchButStale {
            self.renew_hash(&row, password).await;
        }
        self.note_member(row.id, &row.spec.name).await;
        Ok(Principal::Member { user_id: row.id })
    }

    fn begin(&self, account: Account, quick: impl FnOnce() -> bool) -> Result<Begun<'_>, Problem> {
        self.core.throttle.begin(self.core.clock.now(), account, self.ip, self.trusted_device, quick)
    }

    /// Replaces a hash that was made with weaker parameters. If it does not work out, the old one stays good.
    async fn renew_hash(&self, row: &store::UserRow, password: Secret<String>) {
        let Ok(hash) = Passwords::shared().hash(password).await else { return };
        let change = self.change("user.rehash", row.id.to_string(), &row.spec.name, None);
        let patch = types::Patch::Set(hash);
        if let Err(error) = self.core.store.user_update(row.id, row.version, &row.spec, patch, change).await {
            tracing::warn!(%error, user.id = row.id.0, "a password hash could not be renewed");
        }
    }

    async fn note_member(&self, id: UserId, name: &str) {
        self.note_success(&format!("user:{name}"), &id.to_string(), name).await;
    }

    async fn note_success(&self, actor: &str, id: &str, name: &str) {
        let change =
            Change { actor: actor.to_owned(), ..self.change("sign_in.ok", id.to_owned(), name, None) };
        self.write(change).await;
    }

    /// Writes a failure down, but not more of them than somebody could read.
    async fn note_failure(&self, whom: &str) {
        tracing::warn!(client.ip = %self.ip, "a sign-in failed");
        let Some(unwritten) = self.core.throttle.audit_slot(self.core.clock.now()) else { return };
        let lane = match Lane::of(self.ip, self.trusted_device) {
            Lane::Public | Lane::KnownNetwork => "public",
            Lane::Loopback => "loopback",
            Lane::TrustedDevice => "trusted device",
        };
        let after = json!({ "from": lane, "failures_not_written_before": unwritten });
        let whom: String = whom.chars().take(80).collect();
        self.write(self.change("sign_in.failed", String::new(), &whom, Some(after))).await;
    }

    fn change(&self, action: &str, id: String, name: &str, after: Option<serde_json::Value>) -> Change {
        Change {
            at: self.core.clock.now(),
            actor: self.via.to_owned(),
            client_ip: Some(self.ip.to_canonical().to_string()),
            action: action.to_owned(),
            object: if action.starts_with("user.") { "user" } else { "session" }.to_owned(),
            object_id: id,
            object_name: name.to_owned(),
            before: None,
            after,
        }
    }

    /// A sign-in does not fail because its trace could not be written; the log says so instead.
    async fn write(&self, change: Change) {
        if let Err(error) = self.core.store.audit_append(change).await {
            tracing::error!(%error, "a sign-in could not be written to the audit log");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn au_01_each_fault_of_the_header_has_its_code_and_the_phrases_of_the_handbook() {
        for (header, code) in [
            (None, "missing_authorization"),
            (Some(""), "missing_authorization"),
            (Some("   "), "missing_authorization"),
            (Some("tg-token"), "malformed_authorization"),
            (Some("Basic dXNlcjpwYXNz"), "malformed_authorization"),
            (Some("Bearer"), "malformed_authorization"),
            (Some("Bearer two words"), "malformed_authorization"),
        ] {
            let problem = bearer(header).unwrap_err();
            assert_eq!((problem.code.as_str(), problem.status()), (code, 401), "{header:?}");
            assert!(problem.message.contains("Unauthorized"), "{problem}");
            assert!(problem.message.contains("Bearer <your-secret>"), "{problem}");
            assert!(!problem.message.contains("tg-token") && !problem.message.contains("dXNlcjpwYXNz"));
        }
        for header in ["Bearer tg-token", "bearer tg-token", "BEARER   tg-token "] {
            assert_eq!(bearer(Some(header)).unwrap().expose(), "tg-token");
        }
    }
}
