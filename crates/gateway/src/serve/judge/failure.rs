//! What an upstream's own error means, in a status or inside a success.

use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use protocol::error::UpstreamError;
use types::routing::FailureClass;

use super::super::echo;
use super::super::translation::Translated;
use super::super::verdict::{self, Hint, Passed, Verdict};
use super::Asked;
use crate::upstream::AnswerBody;

/// Most of an error answer that is read.
const ERROR_BODY: usize = 256 * 1024;

impl Asked<'_> {
    fn is_translated(&self) -> bool {
        self.endpoint != self.request.ingress.endpoint
    }

    /// A success status with an error inside (U11, U39): judged by what the vendor calls it.
    pub(super) fn error_in_success(&self, error: UpstreamError) -> Verdict {
        if matches!(error.kind.as_str(), "empty_answer" | "bad_json") {
            return verdict::of_empty_answer(&error.message);
        }
        let class = routing::failure::of_status(200, &error.kind, &error.message);
        let status = match class {
            FailureClass::Auth => 401,
            FailureClass::Quota => 402,
            FailureClass::NotFound => 404,
            FailureClass::RateLimit => 429,
            FailureClass::Overload => 503,
            FailureClass::Client => 400,
            _ => 500,
        };
        let hint = Hint { delay_ms: error.retry_after_ms, ..Hint::default() };
        self.classed(status, class, error, hint)
    }

    /// An error status with its body.
    pub(super) async fn error_answer(
        &self,
        status: StatusCode,
        headers: HeaderMap,
        mut body: AnswerBody,
    ) -> Verdict {
        let mut bytes = BytesMut::new();
        // A body that breaks off or goes on for ever still has a status that says enough.
        while let Some(Ok(piece)) = body.piece().await {
            let room = ERROR_BODY.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if bytes.len() >= ERROR_BODY {
                break;
            }
        }
        let bytes = echo::cleaned_body(bytes.freeze(), self.credential);
        let parsed = protocol::error::parse_upstream(self.endpoint.dialect(), &bytes);
        let known = parsed.is_some();
        let error = parsed.unwrap_or_else(|| UpstreamError {
            message: String::new(),
            kind: String::new(),
            code: None,
            retry_after_ms: None,
        });
        let kind = error.code.as_deref().filter(|code| is_word(code)).unwrap_or(&error.kind);
        let mut class = routing::failure::of_status(status.as_u16(), &error.kind, &error.message);
        if class == routing::failure::of_status(status.as_u16(), "", "") {
            // The finer code may know more than the type; it never says less.
            class = routing::failure::of_status(status.as_u16(), kind, &error.message);
        }
        let content_type = headers.get(http::header::CONTENT_TYPE).cloned();
        let hint = Hint { delay_ms: error.retry_after_ms, headers, rule_s: None };
        let mut verdict = self.classed(status.as_u16(), class, error, hint);
        let about_request = matches!(verdict.class, FailureClass::Client | FailureClass::NotFound);
        if let Some(content_type) = content_type
            .filter(|_| about_request && known && !verdict.is_overridden && bytes.len() < ERROR_BODY)
        {
            let (content_type, body) = if self.is_translated() {
                Translated::refusal(self.request, status, &verdict.refusal.message)
            } else {
                (content_type, bytes)
            };
            verdict.passed = Some(Box::new(Passed { status, content_type, body }));
        }
        verdict
    }

    /// The verdict on an upstream's own error, by the administrator's rules first.
    fn classed(&self, status: u16, class: FailureClass, error: UpstreamError, mut hint: Hint) -> Verdict {
        let Self { request, credential, endpoint, .. } = *self;
        let rule = request.snapshot.rules.find(status, &error.kind, &error.message);
        let class = rule.map_or(class, |rule| rule.class);
        // What is mended is the caller's body, and this upstream has seen another.
        let rectifier =
            if self.is_translated() { None } else { protocol::rectify::asked_for(endpoint, status, &error) };
        let said = echo::cleaned(error.message, credential);
        let said = if said.is_empty() { format!("HTTP {status}") } else { said };
        let now = request.ingress.received.at;
        let asked = routing::cooldown::retry_after(&hint.headers, now)
            .or_else(|| hint.delay_ms.and_then(|ms| i64::try_from(ms).ok()))
            .and_then(|ms| u64::try_from(ms).ok())
            .map(|ms| ms.div_ceil(1_000).clamp(1, 3_600));
        hint.rule_s = rule.and_then(|rule| rule.cooldown_s);
        let mut verdict = verdict::of_status(status, class, &said, asked);
        verdict.hint = hint;
        verdict.rectifier = rectifier;
        if let Some(rule) = rule {
            if let Some(status) = rule.answer_status {
                verdict.refusal.status = status;
                verdict.is_overridden = true;
            }
            if let Some(message) = &rule.answer_message {
                verdict.refusal.message.clone_from(message);
                verdict.is_overridden = true;
            }
        }
        verdict
    }
}

fn is_word(code: &str) -> bool {
    !code.is_empty() && !code.bytes().all(|byte| byte.is_ascii_digit())
}
