//! Records that are too long for the journal, cut to what keeps their place in the books. It decides no more than what
//! may go.

use types::request::{Attempt, RequestRecord};

/// The beginning of a text.
pub(super) fn cut(text: &mut String) {
    const TEXT: usize = 1000;
    text.truncate(text.floor_char_boundary(TEXT));
}

/// An attempt with the beginnings of its texts.
pub(super) fn cut_attempt(attempt: &mut Attempt) {
    cut(&mut attempt.provider_name);
    cut(&mut attempt.credential_name);
    attempt.reason.iter_mut().for_each(cut);
}

/// A record without its decision and bill, with its first attempts and the beginnings of its texts.
pub(super) fn shorten(record: &mut RequestRecord) {
    const ATTEMPTS: usize = 50;
    record.decision = None;
    record.bill = None;
    record.attempts.truncate(ATTEMPTS);
    record.attempts.iter_mut().for_each(cut_attempt);
    let texts = [
        &mut record.client_request_id,
        &mut record.session_id,
        &mut record.model,
        &mut record.upstream_model,
        &mut record.error_code,
        &mut record.error_message,
        &mut record.client_ip,
        &mut record.user_agent,
        &mut record.service_tier,
        &mut record.group,
    ];
    texts.into_iter().flatten().for_each(cut);
}
