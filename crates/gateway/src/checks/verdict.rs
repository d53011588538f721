//! What an upstream's answer to a check says about the account, and what to do about it. Pure.
//!
//! Only what the vendor itself said about this account counts against it. A network, a proxy, a captive page or an
//! upstream that fails says nothing; neither does an upstream that has no such list.

use protocol::error::UpstreamError;
use types::check::CheckResult;
use types::credential::CredentialState;
use types::oauth::{ProbeMeaning, ProbeSpec};
use types::routing::FailureClass;

use super::{question, told};
use crate::upstream::{Knock, NoKnock};

/// Words of a refusal that concerns the list of models and not the account: some vendors' keys can be confined to
/// calls that do not include it.
const CONFINED: &[&str] = &[
    "missing scopes",
    "insufficient permissions",
    "insufficient_scope",
    "scope requirement",
    "not authorized to list",
];
/// Words of a refusal of the place that was asked from: one's own way out and no account. In lower case, of messages and
/// of codes.
const ELSEWHERE: &[&str] = &[
    "unsupported_country_region_territory",
    "country, region, or territory not supported",
    "user location is not supported",
    "ip_not_authorized",
    "request not allowed",
];
/// What Gemini says of a key that it does not take; its status is 400.
const GEMINI_KEY: &[&str] = &["api key not valid", "api_key_invalid", "api key expired"];

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) result: CheckResult,
    pub(super) status: Option<u16>,
    /// What the vendor said, or what went wrong.
    pub(super) message: Option<String>,
    /// What to do about it.
    pub(super) remedy: Option<String>,
    /// The state that follows, if one does; of a healthy one, that its vendor says that it has money.
    pub(super) state: Option<CredentialState>,
}

const REFUSED: &str =
    "the vendor does not take this API key: make a new one in the vendor's console and enter it here";
const SIGN_IN: &str = "access token expired or revoked: re-authorise this account";
const FORBIDDEN: &str =
    "the vendor refuses this account: look into its console for what it wants, or enter another key";
const ENDED: &str = "the account is out of credit or suspended: top it up or ask the vendor, then recover it";
const LIMITED: &str = "it lives; the vendor limits it right now, and it comes back by itself";
const NETWORK: &str =
    "nothing is counted: look at the network, the proxy and the base address, then check again";
const PLACE: &str = "nothing is counted: the vendor does not serve the place that it is asked from; look at the \
    proxy, or at the addresses that the account allows";
const UNASKED: &str = "nothing is counted: whether it works shows with its next request";

/// `is_account`: it presents an access token, not a key. `probe`: how its vendor's descriptor wants it read.
pub(super) fn of(answer: Result<&Knock, &NoKnock>, is_account: bool, probe: Option<&ProbeSpec>) -> Verdict {
    let knock = match answer {
        Ok(knock) => knock,
        Err(NoKnock::Unaskable(why)) => return plain(CheckResult::NotProbed, None, why.clone(), UNASKED),
        Err(NoKnock::NoAnswer(why)) => return plain(CheckResult::Inconclusive, None, why.clone(), NETWORK),
    };
    let status = knock.status.as_u16();
    let said = knock.error.as_ref().map_or("", |error| error.message.as_str());
    let message = if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") };
    let lower = said.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if matches!(status, 401 | 403) && says(CONFINED) {
        let what = format!("{message} (it may not be asked this; it can serve all the same)");
        return plain(CheckResult::NotProbed, Some(status), what, UNASKED);
    }
    let code = knock.error.as_ref().and_then(|error| error.code.as_deref()).unwrap_or_default();
    if matches!(status, 400 | 401 | 403) && (says(ELSEWHERE) || ELSEWHERE.contains(&code)) {
        return plain(CheckResult::Inconclusive, Some(status), message, PLACE);
    }
    // A web page is no vendor's word: whatever stands in between says 403 too, and asks for a browser.
    let is_page = status == 403 && is_html(knock);
    let is_stranger = !knock.is_json && !knock.is_empty && (status == 200 || probe.is_some() || is_page);
    if is_stranger {
        let what = format!("{message}: the answer is no JSON, something in between answered");
        return plain(CheckResult::Inconclusive, Some(status), what, NETWORK);
    }
    let own = probe.map(|probe| probe.remedy.as_str()).filter(|remedy| !remedy.is_empty());
    let failed = |remedy: &str, state: Option<CredentialState>| Verdict {
        result: CheckResult::Failed,
        status: Some(status),
        message: Some(message.clone()),
        remedy: Some(remedy.to_owned()),
        state,
    };
    let refused = if is_account {
        failed(own.unwrap_or(SIGN_IN), Some(CredentialState::NeedsReauth))
    } else {
        failed(own.unwrap_or(REFUSED), Some(CredentialState::Invalid))
    };
    match probe.and_then(|probe| probe.meaning(status)) {
        Some(ProbeMeaning::Healthy) | None => {}
        Some(ProbeMeaning::SignIn) => return refused,
        Some(ProbeMeaning::Alive) => return plain(CheckResult::Alive, Some(status), message, LIMITED),
        Some(ProbeMeaning::Inconclusive) => {
            return plain(CheckResult::Inconclusive, Some(status), message, NETWORK);
        }
        Some(ProbeMeaning::NotProbed) => {
            return plain(CheckResult::NotProbed, Some(status), message, UNASKED);
        }
    }
    let funded = probe.zip(knock.body.as_ref()).and_then(|(probe, body)| told::is_funded(probe, body));
    if knock.status.is_success() && funded == Some(false) {
        return Verdict {
            message: Some(format!("{message}: the vendor says that the balance is too low")),
            ..failed(ENDED, Some(CredentialState::Suspended))
        };
    }
    if knock.status.is_success() && knock.error.is_none() {
        return match probe.map(|probe| probe.needs.as_str()) {
            _ if !knock.is_json => {
                let what = "the answer is no JSON: something in between answered".to_owned();
                plain(CheckResult::Inconclusive, Some(status), what, NETWORK)
            }
            Some(needs) if !question::holds(needs, knock.body.as_ref()) => Verdict {
                message: Some(format!(
                    "HTTP {status}: the answer names nothing that belongs to this account"
                )),
                ..refused
            },
            _ => Verdict {
                result: CheckResult::Healthy,
                status: Some(status),
                message: None,
                remedy: None,
                state: funded.map(|_| CredentialState::Valid),
            },
        };
    }
    let class = match status {
        400 if says(GEMINI_KEY) => FailureClass::Auth,
        _ => class(status, knock.error.as_ref(), said),
    };
    match class {
        FailureClass::Auth => refused,
        FailureClass::Quota => failed(ENDED, Some(CredentialState::Suspended)),
        // Forbidden for a reason that may pass: it is counted, and once is no proof.
        FailureClass::RateLimit if status == 403 => failed(own.unwrap_or(FORBIDDEN), None),
        FailureClass::RateLimit => plain(CheckResult::Alive, Some(status), message, LIMITED),
        FailureClass::NotFound | FailureClass::Client => {
            let what = format!("{message} (this upstream knows no such question)");
            plain(CheckResult::NotProbed, Some(status), what, UNASKED)
        }
        _ => plain(CheckResult::Inconclusive, Some(status), message, NETWORK),
    }
}

fn is_html(knock: &Knock) -> bool {
    let kind = knock.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// The class by the type of the error, or by its code where the type says no more than the status.
fn class(status: u16, error: Option<&UpstreamError>, said: &str) -> FailureClass {
    let of = |word: &str| routing::failure::of_status(status, word, said);
    let class = of(error.map_or("", |error| error.kind.as_str()));
    match error.and_then(|error| error.code.as_deref()) {
        Some(code) if class == of("") => of(code),
        _ => class,
    }
}

fn plain(result: CheckResult, status: Option<u16>, message: String, remedy: &'static str) -> Verdict {
    Verdict { result, status, message: Some(message), remedy: Some(remedy.to_owned()), state: None }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use types::check::CheckResult::{Alive, Failed, Healthy, Inconclusive, NotProbed};

    use super::*;

    fn said(status: u16, kind: &str, message: &str) -> Verdict {
        let error = (!message.is_empty()).then(|| UpstreamError {
            message: message.to_owned(),
            kind: kind.to_owned(),
            code: None,
            retry_after_ms: None,
        });
        of(Ok(&Knock { error, ..answer(status, Some(serde_json::json!({}))) }), false, None)
    }

    /// An answer with a JSON body, or with a web page.
    fn answer(status: u16, body: Option<serde_json::Value>) -> Knock {
        let status = StatusCode::from_u16(status).unwrap();
        Knock {
            status,
            headers: HeaderMap::new(),
            error: None,
            is_json: body.is_some(),
            is_empty: false,
            body,
        }
    }

    #[test]
    fn hc_10_each_answer_has_its_verdict() {
        for (status, kind, message, result, state) in [
            (200, "", "", Healthy, None),
            (401, "authentication_error", "invalid x-api-key", Failed, Some(CredentialState::Invalid)),
            (401, "", "", Failed, Some(CredentialState::Invalid)),
            (403, "permission_error", "no", Failed, None),
            (403, "", "account suspended", Failed, Some(CredentialState::Suspended)),
            (402, "", "pay", Failed, Some(CredentialState::Suspended)),
            (
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                Failed,
                Some(CredentialState::Invalid),
            ),
            (200, "insufficient_quota", "You exceeded your quota", Failed, Some(CredentialState::Suspended)),
            (403, "", "You have insufficient permissions. Missing scopes: api.model.read", NotProbed, None),
            (429, "rate_limit_error", "slow", Alive, None),
            (404, "", "no such page", NotProbed, None),
            (405, "", "", NotProbed, None),
            (400, "", "what?", NotProbed, None),
            (500, "", "", Inconclusive, None),
            (502, "", "bad gateway", Inconclusive, None),
            (503, "", "", Inconclusive, None),
            (529, "overloaded_error", "busy", Inconclusive, None),
            (407, "", "", Inconclusive, None),
            (302, "", "", Inconclusive, None),
        ] {
            let verdict = said(status, kind, message);
            assert_eq!((verdict.result, verdict.state), (result, state), "{status} {kind} {message}");
            assert_eq!(verdict.remedy.is_none(), result == Healthy, "{status}: what to do is always said");
        }
    }

    #[test]
    fn hc_06_an_account_that_is_refused_has_to_be_signed_in_again() {
        let knock = answer(401, Some(serde_json::json!({})));
        let (key, account) = (of(Ok(&knock), false, None), of(Ok(&knock), true, None));
        assert!(account.remedy.unwrap().contains("access token expired or revoked"));
        assert_eq!(
            (key.state, account.state),
            (Some(CredentialState::Invalid), Some(CredentialState::NeedsReauth))
        );
    }

    #[test]
    fn hc_06_hc_08_a_descriptor_says_how_its_vendors_answers_are_read() {
        let json = |text: &str| Some(serde_json::from_str::<serde_json::Value>(text).unwrap());
        for (vendor, status, body, result, state) in [
            ("claude", 200, json("{}"), Healthy, None),
            ("claude", 401, json("{}"), Failed, Some(CredentialState::NeedsReauth)),
            ("claude", 403, json("{}"), Failed, Some(CredentialState::NeedsReauth)),
            ("claude", 403, None, Inconclusive, None),
            ("claude", 429, json("{}"), Alive, None),
            ("claude", 503, json("{}"), Inconclusive, None),
            ("claude", 200, None, Inconclusive, None),
            ("codex", 200, json(r#"{"accounts":{"a":{}}}"#), Healthy, None),
            (
                "codex",
                200,
                json(r#"{"accounts":{"default":{}}}"#),
                Failed,
                Some(CredentialState::NeedsReauth),
            ),
            ("codex", 403, None, Inconclusive, None),
            ("gemini", 403, json("{}"), Failed, None),
            ("gemini", 401, json("{}"), Failed, Some(CredentialState::NeedsReauth)),
        ] {
            let spec = oauth::preset(vendor).unwrap().probe.as_ref().unwrap();
            let verdict = of(Ok(&answer(status, body)), true, Some(spec));
            assert_eq!((verdict.result, verdict.state), (result, state), "{vendor} {status}");
            if result == Failed {
                assert_eq!(verdict.remedy.as_deref(), Some(spec.remedy.as_str()), "{vendor} {status}");
            }
        }
    }

    #[test]
    fn ex_12_a_vendor_that_says_there_is_no_money_left_ends_the_account_until_it_says_otherwise() {
        let kind = types::provider::ProviderKind::OpenAiCompatible;
        let probe = &oauth::key_probe(kind, "https://api.deepseek.com", "sk-x").unwrap().probe;
        let told = |available| {
            let body = serde_json::json!({ "is_available": available, "balance_infos": [] });
            of(Ok(&answer(200, Some(body))), false, Some(probe))
        };
        let spent = told(false);
        assert_eq!((spent.result, spent.state), (Failed, Some(CredentialState::Suspended)));
        assert!(
            spent.message.unwrap().contains("balance is too low")
                && spent.remedy.unwrap().contains("top it up")
        );
        let paid = told(true);
        assert_eq!((paid.result, paid.state), (Healthy, Some(CredentialState::Valid)));
        let refused = of(Ok(&answer(401, Some(serde_json::json!({})))), false, Some(probe));
        assert_eq!((refused.result, refused.state), (Failed, Some(CredentialState::Invalid)));
    }

    #[test]
    fn hc_12_no_answer_and_a_strangers_page_say_nothing_about_the_account() {
        let none = of(Err(&NoKnock::NoAnswer("connection refused".into())), false, None);
        assert_eq!((none.result, none.status, none.state), (Inconclusive, None, None));
        assert_eq!(of(Ok(&answer(200, None)), false, None).result, Inconclusive);
        assert_eq!(of(Err(&NoKnock::Unaskable("cannot be decrypted".into())), false, None).result, NotProbed);
    }
}
