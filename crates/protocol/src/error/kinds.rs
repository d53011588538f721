//! Which error type each vendor's SDK expects for a status and code.

/// Anthropic's `error.type`.
pub(super) fn anthropic(status: u16, code: &str) -> &'static str {
    match code {
        "no_available_account" | "upstream_unavailable" | "maintenance_mode" => return "overloaded_error",
        "rate_limit_exceeded" | "upstream_rate_limited" => return "rate_limit_error",
        "database_unavailable" | "database_busy" => return "api_error",
        _ => {}
    }
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        408 | 504 => "timeout_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// OpenAI's `error.type`.
pub(super) fn openai(status: u16, code: &str) -> &'static str {
    match code {
        "key_invalid" | "key_disabled" | "key_expired" => return "invalid_api_key",
        "model_not_allowed" => return "model_not_allowed",
        "client_not_allowed" => return "client_not_allowed",
        "package_expired"
        | "no_active_package"
        | "quota_exceeded"
        | "daily_limit_exceeded"
        | "weekly_limit_exceeded"
        | "monthly_limit_exceeded" => return "insufficient_quota",
        _ => {}
    }
    match status {
        403 => "permission_denied",
        408 | 504 => "timeout",
        429 => "rate_limit_exceeded",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

/// Google's `error.status`, a canonical code of `google.rpc.Code`.
pub(super) fn gemini(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        408 | 504 => "DEADLINE_EXCEEDED",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}
