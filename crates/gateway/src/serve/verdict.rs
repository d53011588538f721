//! What an upstream's failure means: for the caller, for the next attempt, and for the credential.

use types::request::AttemptOutcome;

use super::purse::Charge;
use crate::error::Refusal;
use crate::upstream::{ConnectStep, SendError};

/// A failed attempt, judged.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) outcome: AttemptOutcome,
    /// What the caller gets if nobody else can serve.
    pub(super) refusal: Refusal,
    /// Whether another credential may be tried. Never after the upstream may have acted on the request.
    pub(super) move_on: bool,
    /// Whether the upstream refused the credential itself.
    pub(super) rejects_credential: bool,
}

impl Verdict {
    fn new(outcome: AttemptOutcome, refusal: Refusal, move_on: bool) -> Self {
        Self { outcome, refusal, move_on, rejects_credential: false }
    }

    /// What the failure may have cost: nothing where the upstream cannot have worked, the input where nobody knows.
    pub(super) fn charge(&self) -> Charge {
        match self.outcome {
            AttemptOutcome::NoAnswer | AttemptOutcome::TimedOut if !self.move_on => Charge::Unknown,
            AttemptOutcome::CutOff => Charge::Loss,
            AttemptOutcome::BadAnswer if self.refusal.code == "upstream_bad_body" => Charge::Loss,
            _ => Charge::Nothing,
        }
    }
}

/// No answer at all.
pub(super) fn of_send_error(error: &SendError, host: &str) -> Verdict {
    match error {
        SendError::Connect { step, message } => {
            let (status, code, text) = match step {
                ConnectStep::Dns => (502, "upstream_dns_error", format!("DNS: {host}: {message}")),
                ConnectStep::Denied => (502, "egress_denied", format!("{host}: {message}")),
                ConnectStep::Tcp => {
                    (502, "upstream_connect_error", format!("connection to {host} failed: {message}"))
                }
                ConnectStep::TimedOut => {
                    (504, "upstream_timeout", format!("upstream timed out (connect): {message}"))
                }
                ConnectStep::Tls => (502, "upstream_tls_error", format!("TLS: {host}: {message}")),
                ConnectStep::Proxy => (502, "proxy_error", format!("outbound proxy: {message}")),
            };
            let outcome = if *step == ConnectStep::TimedOut {
                AttemptOutcome::TimedOut
            } else {
                AttemptOutcome::ConnectFailed
            };
            Verdict::new(outcome, Refusal::upstream(status, code, text), true)
        }
        SendError::NoAnswer(why) => Verdict::new(
            AttemptOutcome::NoAnswer,
            Refusal::upstream(
                502,
                "upstream_outcome_unknown",
                format!(
                    "the upstream broke the connection before it answered ({why}); it may have acted on the request"
                ),
            ),
            false,
        ),
        SendError::Journal(_) => {
            Verdict::new(AttemptOutcome::ConnectFailed, Refusal::books_unavailable(), false)
        }
        SendError::Unsendable(why) => Verdict::new(
            AttemptOutcome::ConnectFailed,
            Refusal::upstream(
                502,
                "upstream_misconfigured",
                format!("the request could not be prepared: {why}"),
            ),
            true,
        ),
    }
}

/// A deadline passed after the request was sent.
pub(super) fn of_timeout(phase: &str, limit_ms: u64) -> Verdict {
    Verdict::new(
        AttemptOutcome::TimedOut,
        Refusal::upstream(
            504,
            "upstream_timeout",
            format!("upstream timed out ({phase}, limit {limit_ms} ms)"),
        ),
        false,
    )
}

/// An answer that cannot be understood.
pub(super) fn of_bad_answer(code: &'static str, message: String) -> Verdict {
    Verdict::new(AttemptOutcome::BadAnswer, Refusal::upstream(502, code, message), true)
}

/// The answer ended before its first content.
pub(super) fn of_empty_answer(why: &str) -> Verdict {
    Verdict::new(
        AttemptOutcome::CutOff,
        Refusal::upstream(
            502,
            "upstream_unavailable",
            format!("AI service unavailable: the answer broke off ({why})"),
        ),
        true,
    )
}

/// An error status that is not the caller's fault; `None` if it is, and the body belongs to him.
pub(super) fn of_status(status: u16, said: &str, retry_after_s: Option<u64>) -> Option<Verdict> {
    let mut rejects_credential = false;
    let refusal = match status {
        401 | 403 => {
            rejects_credential = true;
            Refusal::upstream(
                502,
                "upstream_auth_failed",
                format!(
                    "upstream: Invalid API key (its answer was {status}); your own key is fine, tell your administrator"
                ),
            )
        }
        402 => Refusal::upstream(
            502,
            "upstream_quota_exhausted",
            format!("upstream: its account is out of credit: {said}"),
        ),
        429 => {
            let refusal = Refusal::upstream(
                429,
                "upstream_rate_limited",
                format!("upstream: Rate limit exceeded: {said}"),
            );
            refusal.retry_after(retry_after_s.unwrap_or(1))
        }
        503 | 529 => {
            let refusal = Refusal::upstream(
                503,
                "upstream_unavailable",
                format!("AI service unavailable: upstream answered {status}: {said}"),
            );
            refusal.retry_after(retry_after_s.unwrap_or(2))
        }
        408 | 504 => Refusal::upstream(
            504,
            "upstream_timeout",
            format!("upstream timed out (it answered {status} itself): {said}"),
        ),
        500..=599 => Refusal::upstream(
            502,
            "upstream_unavailable",
            format!("AI service unavailable: upstream answered {status}: {said}"),
        ),
        300..=399 => {
            let message = format!("upstream answered with a redirect ({status}), which is not followed");
            return Some(of_bad_answer("redirect_refused", message));
        }
        100..=199 => {
            let message = format!("upstream switched protocols ({status}), which was not asked for");
            return Some(of_bad_answer("upstream_bad_answer", message));
        }
        _ => return None,
    };
    let refusal = refusal.with("upstream_status", status);
    let mut verdict = Verdict::new(AttemptOutcome::UpstreamError, refusal, true);
    verdict.rejects_credential = rejects_credential;
    Some(verdict)
}

/// A success status with an error inside (U11): judged by what the vendor calls it.
pub(super) fn of_error_in_success(kind: &str, said: &str) -> Verdict {
    let status = match kind {
        "authentication_error"
        | "permission_error"
        | "UNAUTHENTICATED"
        | "PERMISSION_DENIED"
        | "invalid_api_key" => 401,
        "rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" => 429,
        "overloaded_error" | "UNAVAILABLE" => 503,
        _ => 500,
    };
    of_status(status, said, None).unwrap_or_else(|| of_empty_answer(said))
}

/// `Retry-After` in seconds, 1 to 3,600; a date or nonsense counts as absent (U27).
pub(super) fn retry_after(headers: &http::HeaderMap) -> Option<u64> {
    let seconds: u64 = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.clamp(1, 3_600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_10_an_upstreams_401_never_blames_the_callers_key() {
        for status in [401, 403] {
            let verdict = of_status(status, "bad key", None).unwrap();
            assert_eq!((verdict.refusal.status, verdict.refusal.code), (502, "upstream_auth_failed"));
            assert!(verdict.move_on && verdict.rejects_credential);
            assert!(verdict.refusal.message.contains("upstream: Invalid API key"));
        }
    }

    #[test]
    fn up_11_the_callers_own_faults_are_passed_on() {
        for status in [400, 404, 409, 413, 415, 422] {
            assert!(of_status(status, "", None).is_none(), "{status}");
        }
    }

    #[test]
    fn u27_retry_after_is_clamped() {
        for (text, expected) in [
            ("5", Some(5)),
            ("0", Some(1)),
            ("999999", Some(3_600)),
            ("1e12", None),
            ("soon", None),
            ("-4", None),
        ] {
            let mut headers = http::HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            assert_eq!(retry_after(&headers), expected, "{text}");
        }
    }

    #[test]
    fn nothing_moves_on_after_the_upstream_may_have_acted() {
        assert!(!of_send_error(&SendError::NoAnswer("reset".into()), "h").move_on);
        assert!(!of_timeout("first byte", 1).move_on);
        assert!(
            of_send_error(&SendError::Connect { step: ConnectStep::Tcp, message: "refused".into() }, "h")
                .move_on
        );
    }
}
