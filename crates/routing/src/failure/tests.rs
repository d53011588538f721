//! Classes by type and status, as vendors really answer.

use types::routing::FailureClass as C;

use super::*;

#[test]
fn errors_are_classed_by_type_first_and_status_second() {
    let table: &[(u16, &str, &str, C)] = &[
        // U26, U28: quota for now.
        (429, "rate_limit_error", "", C::RateLimit),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric", C::RateLimit),
        (429, "", "", C::RateLimit),
        (200, "rate_limit_error", "in a stream", C::RateLimit),
        (500, "rate_limit_exceeded", "a reseller's status", C::RateLimit),
        (429, "invalid_request_error", "", C::RateLimit),
        // U33: overload.
        (529, "overloaded_error", "Overloaded", C::Overload),
        (503, "", "<html>", C::Overload),
        (503, "UNAVAILABLE", "The model is overloaded", C::Overload),
        (200, "overloaded_error", "U39", C::Overload),
        (500, "overloaded_error", "", C::Overload),
        // U34: out of credit, whatever the status.
        (402, "", "", C::Quota),
        (429, "insufficient_quota", "You exceeded your current quota", C::Quota),
        (403, "permission_error", "Your account has been SUSPENDED", C::Quota),
        (403, "", "This API method requires billing to be enabled", C::Quota),
        (403, "", "账户余额不足", C::Quota),
        (403, "PERMISSION_DENIED", "Consumer 'api_key:AIza' has been suspended.", C::Quota),
        // The words count on a 403 only.
        (400, "invalid_request_error", "messages: suspended banned billing", C::Client),
        (500, "api_error", "billing service unavailable", C::Provider),
        // F.3: another 403 rests shortly.
        (403, "permission_error", "not allowed for this model", C::RateLimit),
        (403, "", "Request not allowed", C::RateLimit),
        // U29, U30: the credential.
        (401, "authentication_error", "invalid x-api-key", C::Auth),
        (401, "invalid_request_error", "You didn't provide an API key", C::Auth),
        (401, "", "", C::Auth),
        (403, "authentication_error", "", C::Auth),
        (401, "invalid_api_key", "", C::Auth),
        // U35: the request.
        (400, "invalid_request_error", "max_tokens: required", C::Client),
        (400, "context_length_exceeded", "", C::Client),
        (413, "request_too_large", "", C::Client),
        (413, "", "", C::Client),
        (422, "", "", C::Client),
        (409, "", "", C::Client),
        (200, "invalid_request_error", "in a stream", C::Client),
        (200, "INVALID_ARGUMENT", "in a stream", C::Client),
        // U36: the model.
        (404, "not_found_error", "model: claude-x", C::NotFound),
        (404, "model_not_found", "", C::NotFound),
        (400, "model_not_found", "", C::NotFound),
        (404, "invalid_request_error", "", C::NotFound),
        (200, "not_found_error", "in a stream", C::NotFound),
        (404, "previous_response_not_found", "U54", C::Client),
        // U32, U37, U38, U11: the upstream.
        (500, "api_error", "", C::Provider),
        (500, "invalid_request_error", "a server's failure in its caller's words", C::Provider),
        (502, "", "", C::Provider),
        (504, "DEADLINE_EXCEEDED", "", C::Provider),
        (524, "", "", C::Provider),
        (408, "", "", C::Provider),
        (499, "", "", C::Provider),
        (307, "", "", C::Provider),
        (101, "", "", C::Provider),
        (200, "", "", C::Provider),
        (200, "api_error", "", C::Provider),
        (0, "", "", C::Provider),
        (999, "", "", C::Provider),
        // U52: the outbound proxy.
        (407, "", "", C::System),
    ];
    for (status, kind, message, class) in table {
        assert_eq!(of_status(*status, kind, message), *class, "{status} {kind:?} {message:?}");
    }
}

#[test]
fn what_may_have_been_acted_on_is_not_tried_again() {
    let safe: Vec<_> = C::ALL.iter().copied().filter(|class| safe_to_retry(*class)).collect();
    assert_eq!(safe, [C::Provider, C::System, C::Overload, C::RateLimit, C::Auth, C::Quota, C::NotFound]);
}
