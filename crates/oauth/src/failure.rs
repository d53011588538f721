//! What a failure at a vendor's endpoint means for the account (RF-03).

use serde_json::Value;
use types::oauth::TokenFault;

use crate::Unreachable;

/// What has to happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Ask again later: the endpoint was not reached, or had too much to do.
    Transient,
    /// Somebody has to sign in again.
    NeedsSignIn,
    /// Access was withdrawn; somebody has to sign in again.
    Revoked,
    /// The vendor refuses the client's id or secret, or what the descriptor says.
    Client,
    /// The person at the vendor's page said no.
    Denied,
    /// The device code is over.
    CodeExpired,
}

impl Class {
    /// What it means for an account whose token could not be refreshed. A client that the vendor refuses is the
    /// operator's: the account is as good as before, and a new sign-in would be refused too.
    pub fn of_account(self) -> TokenFault {
        match self {
            Self::Transient | Self::Client => TokenFault::Transient,
            Self::Revoked => TokenFault::Revoked,
            Self::NeedsSignIn | Self::Denied | Self::CodeExpired => TokenFault::NeedsSignIn,
        }
    }

    /// What it means for a credential that is itself the client, or the key of a service account.
    pub fn of_client(self) -> TokenFault {
        match self {
            Self::Client => TokenFault::NeedsSignIn,
            other => other.of_account(),
        }
    }
}

/// A refusal or a missing answer. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it means.
    pub class: Class,
    /// The vendor's code (`invalid_grant`), if it gave one.
    pub code: Option<String>,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// One sentence for a person.
    pub message: String,
}

/// Most characters of a vendor's text that are kept.
const LONGEST: usize = 300;

impl Failure {
    /// A failure without an answer.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, code: None, status: None, message: message.into() }
    }

    /// From an answer that is no success.
    pub(crate) fn of_answer(status: u16, body: &[u8]) -> Self {
        let (code, said) = said(body);
        let is_page = is_page(body);
        // A gate, a proxy or a portal says 403 too; only the vendor itself knows anything of the account.
        let class = if is_page { Class::Transient } else { class(status, code.as_deref(), said.as_deref()) };
        let mut message = format!("the token endpoint answered {status}");
        for part in [code.as_deref(), said.as_deref()].into_iter().flatten() {
            message.push_str(": ");
            message.push_str(part);
        }
        if is_page {
            message.push_str(" with a web page: something in between answered, or the address is wrong");
        }
        if class == Class::Client {
            message.push_str(" (check the client id and secret of this vendor)");
        }
        Self { class, code, status: Some(status), message }
    }

    /// The code or the sentence that a vendor sent back by redirect.
    pub fn of_redirect(error: &str, description: Option<&str>) -> Self {
        let code = cleaned(error);
        let class = if code == "access_denied" { Class::Denied } else { class(400, Some(&code), None) };
        let message = match description.map(cleaned).filter(|text| !text.is_empty()) {
            Some(text) => format!("the vendor said {code}: {text}"),
            None => format!("the vendor said {code}"),
        };
        Self { class, code: Some(code), status: None, message }
    }

    /// A success that holds no token.
    pub(crate) fn no_token() -> Self {
        Self::new(Class::Transient, "the token endpoint answered without a token; is its address right?")
    }
}

impl From<Unreachable> for Failure {
    fn from(error: Unreachable) -> Self {
        Self::new(Class::Transient, format!("the token endpoint could not be reached: {error}"))
    }
}

fn class(status: u16, code: Option<&str>, said: Option<&str>) -> Class {
    match code {
        Some("invalid_client" | "unauthorized_client" | "unsupported_grant_type") => return Class::Client,
        Some("access_denied") => return Class::Denied,
        Some("expired_token" | "ExpiredTokenException") => return Class::CodeExpired,
        Some("invalid_grant") => {
            let revoked = said.is_some_and(|text| text.to_ascii_lowercase().contains("revoked"));
            return if revoked { Class::Revoked } else { Class::NeedsSignIn };
        }
        Some("temporarily_unavailable" | "server_error") => return Class::Transient,
        _ => {}
    }
    match status {
        // 407 is a proxy's word.
        407 | 408 | 425 | 429 => Class::Transient,
        // A wrong address: nothing that a new sign-in would mend.
        404 | 405 => Class::Client,
        400..=499 => Class::NeedsSignIn,
        _ => Class::Transient,
    }
}

/// Whether this is HTML (or XML), which no token endpoint answers with (RFC 6749 section 5.2).
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// The vendor's code and sentence: `{"error", "error_description"}`, or `{"error": {"type", "message"}}`.
fn said(body: &[u8]) -> (Option<String>, Option<String>) {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else { return (None, None) };
    let text =
        |value: Option<&Value>| value.and_then(Value::as_str).map(cleaned).filter(|text| !text.is_empty());
    match body.get("error") {
        Some(Value::Object(inner)) => {
            let code = text(inner.get("type")).or_else(|| text(inner.get("code")));
            (code, text(inner.get("message")))
        }
        error => {
            let code = text(error).or_else(|| text(body.get("__type"))).or_else(|| text(body.get("code")));
            let said = ["error_description", "errorDescription", "message", "reason"];
            (code, said.iter().find_map(|name| text(body.get(*name))))
        }
    }
}

fn cleaned(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Failure {
        Failure::of_answer(status, body.as_bytes())
    }

    #[test]
    fn rf_03_what_each_answer_means() {
        use Class as C;
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_grant"}"#, C::NeedsSignIn),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
                C::Revoked,
            ),
            (401, r#"{"error":"invalid_client"}"#, C::Client),
            (400, r#"{"error":"unauthorized_client"}"#, C::Client),
            // Some vendors say so of a refresh token that they do not know.
            (400, r#"{"error":"invalid_request"}"#, C::NeedsSignIn),
            (400, r#"{"error":{"type":"invalid_grant","message":"gone"}}"#, C::NeedsSignIn),
            (403, "", C::NeedsSignIn),
            (401, "Unauthorized", C::NeedsSignIn),
            (401, "<html>", C::Transient),
            (403, "\r\n<!DOCTYPE html><title>Just a moment...</title>", C::Transient),
            (404, "<html>", C::Transient),
            (404, "not here", C::Client),
            (407, "", C::Transient),
            (408, "", C::Transient),
            (429, r#"{"error":"rate_limited"}"#, C::Transient),
            (500, "", C::Transient),
            (503, r#"{"error":"temporarily_unavailable"}"#, C::Transient),
            (400, r#"{"error":"server_error"}"#, C::Transient),
            (302, "", C::Transient),
            (400, r#"{"error":"expired_token"}"#, C::CodeExpired),
            (400, r#"{"error":"access_denied"}"#, C::Denied),
        ] {
            assert_eq!(of(status, body).class, expected, "{status} {body}");
        }
    }

    #[test]
    fn oa_04_the_sentence_names_status_code_and_text_and_stays_short() {
        let long = "x".repeat(5_000);
        let failure =
            of(400, &format!(r#"{{"error":"invalid_grant","error_description":"line\nbreak {long}"}}"#));
        assert!(failure.message.starts_with("the token endpoint answered 400: invalid_grant: linebreak x"));
        assert!(failure.message.len() < 400 && failure.code.as_deref() == Some("invalid_grant"));
        let redirect = Failure::of_redirect("access_denied", Some("The user said no"));
        assert_eq!(redirect.message, "the vendor said access_denied: The user said no");
        assert_eq!(redirect.class, Class::Denied);
        let page = of(403, "<html>Just a moment...</html>");
        assert!(page.message.contains("answered 403 with a web page"), "{}", page.message);
        assert!(!page.message.contains("Just a moment"), "{}", page.message);
    }

    #[test]
    fn rf_03_an_account_is_lost_only_by_what_a_new_sign_in_mends() {
        let unreachable = Failure::from(Unreachable("timeout".to_owned())).class;
        assert_eq!(unreachable.of_account(), TokenFault::Transient);
        assert_eq!(Class::Client.of_account(), TokenFault::Transient);
        assert_eq!(Class::Client.of_client(), TokenFault::NeedsSignIn);
        assert_eq!(unreachable.of_client(), TokenFault::Transient);
        assert_eq!(Class::Revoked.of_account(), TokenFault::Revoked);
        assert_eq!(Class::NeedsSignIn.of_account(), TokenFault::NeedsSignIn);
    }
}
