//! What an upstream's failure means: for the caller, for the next attempt, and for the credential.

use bytes::Bytes;
use http::HeaderMap;
use http::header::HeaderValue;
use types::request::{AttemptOutcome, Commit};
use types::routing::FailureClass;

use super::purse::Charge;
use crate::error::Refusal;
use crate::upstream::{ConnectStep, SendError, TlsFault};

/// A failed attempt, judged.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) outcome: AttemptOutcome,
    /// Whose fault it was.
    pub(super) class: FailureClass,
    /// Whether the upstream can have acted on the request.
    pub(super) commit: Commit,
    /// What the caller gets if nobody else can serve.
    pub(super) refusal: Refusal,
    /// The upstream's own answer, which the caller gets in place of the refusal: it is about his request.
    pub(super) passed: Option<Box<Passed>>,
    /// What the upstream said about coming back.
    pub(super) hint: Hint,
    /// The mending that the upstream's answer asks for.
    pub(super) rectifier: Option<protocol::rectify::Rectifier>,
    /// Whether an error rule has put its own answer in place of the upstream's.
    pub(super) is_overridden: bool,
}

/// An upstream's error answer that is about the request.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) status: http::StatusCode,
    pub(super) content_type: HeaderValue,
    pub(super) body: Bytes,
}

/// What an upstream said about coming back.
#[derive(Debug, Default)]
pub(super) struct Hint {
    pub(super) headers: HeaderMap,
    /// A delay named in its body, in milliseconds.
    pub(super) delay_ms: Option<u64>,
    /// A rest that an error rule sets, in seconds.
    pub(super) rule_s: Option<u32>,
}

impl Verdict {
    fn new(outcome: AttemptOutcome, class: FailureClass, commit: Commit, refusal: Refusal) -> Self {
        let hint = Hint::default();
        Self { outcome, class, commit, refusal, passed: None, hint, rectifier: None, is_overridden: false }
    }

    /// Whether another credential may be tried. After the upstream may have acted on the request, only if the
    /// setting `routing.retry_unknown` says so.
    pub(super) fn moves_on(&self, retry_unknown: bool) -> bool {
        routing::failure::safe_to_retry(self.class) || (self.class == FailureClass::Unknown && retry_unknown)
    }

    /// What the failure may have cost: nothing where the upstream cannot have worked, the input where nobody knows.
    pub(super) fn charge(&self) -> Charge {
        match (self.class, self.outcome) {
            (FailureClass::Unknown, _) => Charge::Unknown,
            (_, AttemptOutcome::CutOff | AttemptOutcome::TimedOut)
                if self.commit == Commit::ResponseStarted =>
            {
                Charge::Loss
            }
            (_, AttemptOutcome::BadAnswer) if self.refusal.code == "upstream_bad_body" => Charge::Loss,
            _ => Charge::Nothing,
        }
    }
}

fn tls_code(fault: TlsFault) -> (u16, &'static str) {
    match fault {
        TlsFault::Expired => (502, "upstream_tls_expired"),
        TlsFault::WrongHost => (502, "upstream_tls_wrong_host"),
        TlsFault::SelfSigned => (502, "upstream_tls_self_signed"),
        TlsFault::UnknownAuthority => (502, "upstream_tls_unknown_ca"),
        TlsFault::Other => (502, "upstream_tls_error"),
    }
}

/// No answer at all.
pub(super) fn of_send_error(error: &SendError, host: &str) -> Verdict {
    match error {
        SendError::Connect { step, message } => {
            let (status, code, text) = match step {
                ConnectStep::Dns => (502, "upstream_dns_error", format!("DNS: {host}: {message}")),
                ConnectStep::DnsUnknown => (502, "upstream_dns_timeout", format!("DNS: {host}: {message}")),
                ConnectStep::Denied => (502, "egress_denied", format!("{host}: {message}")),
                ConnectStep::Tcp => {
                    (502, "upstream_connect_error", format!("connection to {host} failed: {message}"))
                }
                ConnectStep::TimedOut => {
                    (504, "upstream_timeout", format!("upstream timed out (connect): {message}"))
                }
                ConnectStep::Tls(fault) => {
                    let (status, code) = tls_code(*fault);
                    (status, code, format!("TLS: {host}: {message}"))
                }
                ConnectStep::Proxy => (502, "proxy_error", format!("outbound proxy: {message}")),
            };
            let outcome = if *step == ConnectStep::TimedOut {
                AttemptOutcome::TimedOut
            } else {
                AttemptOutcome::ConnectFailed
            };
            Verdict::new(
                outcome,
                FailureClass::System,
                Commit::NotSent,
                Refusal::upstream(status, code, text),
            )
        }
        SendError::NoAnswer(why) => Verdict::new(
            AttemptOutcome::NoAnswer,
            FailureClass::Unknown,
            Commit::PossiblyAccepted,
            Refusal::upstream(
                502,
                "upstream_outcome_unknown",
                format!(
                    "the upstream broke the connection before it answered ({why}); it may have acted on the request"
                ),
            ),
        ),
        SendError::Journal(_) => Verdict::new(
            AttemptOutcome::ConnectFailed,
            FailureClass::Local,
            Commit::NotSent,
            Refusal::books_unavailable(),
        ),
        SendError::Unsendable(why) => Verdict::new(
            AttemptOutcome::ConnectFailed,
            FailureClass::System,
            Commit::NotSent,
            Refusal::upstream(
                502,
                "upstream_misconfigured",
                format!("the request could not be prepared: {why}"),
            ),
        ),
    }
}

/// The request itself cannot be sent as this upstream would need it; nothing was.
pub(super) fn of_request(refusal: Refusal) -> Verdict {
    Verdict::new(AttemptOutcome::BadAnswer, FailureClass::Client, Commit::NotSent, refusal)
}

/// A deadline passed after the request was sent. `began`: the answer had begun, but its content had not.
pub(super) fn of_timeout(phase: &str, limit_ms: u64, began: bool) -> Verdict {
    let (class, commit) = if began {
        (FailureClass::Provider, Commit::ResponseStarted)
    } else {
        (FailureClass::Unknown, Commit::PossiblyAccepted)
    };
    let message = format!("upstream timed out ({phase}, limit {limit_ms} ms)");
    let refusal = Refusal::upstream(504, "upstream_timeout", message);
    Verdict::new(AttemptOutcome::TimedOut, class, commit, refusal)
}

/// An answer that cannot be understood.
pub(super) fn of_bad_answer(code: &'static str, message: String) -> Verdict {
    let refusal = Refusal::upstream(502, code, message);
    Verdict::new(AttemptOutcome::BadAnswer, FailureClass::Provider, Commit::ResponseStarted, refusal)
}

/// The answer ended before its first content.
pub(super) fn of_empty_answer(why: &str) -> Verdict {
    let message = format!("AI service unavailable: the answer broke off ({why})");
    let refusal = Refusal::upstream(502, "upstream_unavailable", message);
    Verdict::new(AttemptOutcome::CutOff, FailureClass::Provider, Commit::ResponseStarted, refusal)
}

/// An error status.
pub(super) fn of_status(status: u16, class: FailureClass, said: &str, retry_after_s: Option<u64>) -> Verdict {
    let refusal = match status {
        300..=399 => {
            let message = format!("upstream answered with a redirect ({status}), which is not followed");
            return of_bad_answer("redirect_refused", message);
        }
        100..=199 => {
            let message = format!("upstream switched protocols ({status}), which was not asked for");
            return of_bad_answer("upstream_bad_answer", message);
        }
        _ => refusal(status, class, said, retry_after_s).with("upstream_status", status),
    };
    Verdict::new(AttemptOutcome::UpstreamError, class, Commit::NotSent, refusal)
}

fn refusal(status: u16, class: FailureClass, said: &str, retry_after_s: Option<u64>) -> Refusal {
    match (class, status) {
        // A 401 or 403 would blame the caller's own key.
        (FailureClass::Auth, _) | (FailureClass::RateLimit, 401 | 403) => Refusal::upstream(
            502,
            "upstream_auth_failed",
            format!(
                "upstream: Invalid API key (its answer was {status}); your own key is fine, tell your administrator"
            ),
        ),
        (FailureClass::Quota, _) => Refusal::upstream(
            502,
            "upstream_quota_exhausted",
            format!("upstream: its account is out of credit: {said}"),
        ),
        (FailureClass::RateLimit, _) => {
            let message = format!("upstream: Rate limit exceeded: {said}");
            Refusal::upstream(429, "upstream_rate_limited", message).retry_after(retry_after_s.unwrap_or(1))
        }
        (FailureClass::Overload, _) => {
            let message = format!("AI service unavailable: upstream answered {status}: {said}");
            Refusal::upstream(503, "upstream_unavailable", message).retry_after(retry_after_s.unwrap_or(2))
        }
        (_, 408 | 504) => Refusal::upstream(
            504,
            "upstream_timeout",
            format!("upstream timed out (it answered {status} itself): {said}"),
        ),
        (FailureClass::Client | FailureClass::NotFound, 400..=499) => {
            let said = if said.is_empty() { "it did not say why in a known form" } else { said };
            Refusal::upstream(
                status,
                "upstream_rejected",
                format!("upstream refused the request ({status}): {said}"),
            )
        }
        (FailureClass::Client | FailureClass::NotFound, _) => {
            Refusal::upstream(400, "upstream_rejected", format!("upstream refused the request: {said}"))
        }
        _ => Refusal::upstream(
            502,
            "upstream_unavailable",
            format!("AI service unavailable: upstream answered {status}: {said}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16) -> Verdict {
        of_status(status, routing::failure::of_status(status, "", ""), "", None)
    }

    #[test]
    fn up_10_an_upstreams_401_never_blames_the_callers_key() {
        for status in [401, 403] {
            let verdict = of(status);
            assert_eq!((verdict.refusal.status, verdict.refusal.code), (502, "upstream_auth_failed"));
            assert!(verdict.moves_on(false));
            assert!(verdict.refusal.message.contains("upstream: Invalid API key"));
        }
    }

    #[test]
    fn up_11_the_callers_own_faults_end_the_request() {
        for status in [400, 409, 413, 415, 422] {
            assert!(!of(status).moves_on(true), "{status}");
        }
        assert!(of(404).moves_on(false), "another account may have the model");
    }

    #[test]
    fn nothing_moves_on_after_the_upstream_may_have_acted_unless_it_is_allowed() {
        let unknown = of_send_error(&SendError::NoAnswer("reset".into()), "h");
        assert!(!unknown.moves_on(false) && unknown.moves_on(true));
        assert!(!of_timeout("first byte", 1, false).moves_on(false));
        assert!(of_timeout("first byte", 1, true).moves_on(false), "its answer had begun without content");
        let refused = SendError::Connect { step: ConnectStep::Tcp, message: "refused".into() };
        assert!(of_send_error(&refused, "h").moves_on(false));
    }
}
