//! Error rules: order, what must hold, and the built-in ones on vendors' sentences.

use types::routing::FailureClass as C;

use super::*;

fn rule(
    name: &str,
    priority: i32,
    status: Option<u16>,
    kind: Option<&str>,
    contains: Option<&str>,
) -> ErrorRuleSpec {
    ErrorRuleSpec {
        name: name.to_owned(),
        enabled: true,
        priority,
        status,
        kind: kind.map(str::to_owned),
        contains: contains.map(str::to_owned),
        class: C::Provider,
        cooldown_s: None,
        answer_status: None,
        answer_message: None,
    }
}

fn found(rules: &Rules, status: u16, kind: &str, message: &str) -> Option<String> {
    rules.find(status, kind, message).map(|rule| rule.name.clone())
}

#[test]
fn all_that_a_rule_names_must_hold_without_regard_to_case() {
    let rules = Rules::new(vec![rule("all", 0, Some(418), Some("Teapot"), Some("SHORT und Stöckig"))]);
    let all = Some("all".to_owned());
    assert_eq!(found(&rules, 418, "teapot", "I am short und STÖCKIG."), all);
    assert_eq!(found(&rules, 419, "teapot", "I am short und stöckig."), None);
    assert_eq!(found(&rules, 418, "teapots", "I am short und stöckig."), None);
    assert_eq!(found(&rules, 418, "teapot", "I am tall."), None);
}

#[test]
fn the_lowest_priority_wins_and_among_equals_the_first() {
    let rules = Rules::new(vec![
        rule("late", 5, Some(418), None, None),
        rule("first", -1, Some(418), None, None),
        rule("second", -1, Some(418), None, None),
    ]);
    assert_eq!(found(&rules, 418, "", ""), Some("first".to_owned()));
}

#[test]
fn own_rules_come_before_built_in_ones_whatever_their_priority() {
    let rules = Rules::new(vec![rule("mine", 1_000, None, None, Some("prompt is too long"))]);
    assert_eq!(found(&rules, 400, "", "prompt is too long: 1 > 0"), Some("mine".to_owned()));
}

#[test]
fn rules_that_are_off_or_name_nothing_never_hold() {
    let off = ErrorRuleSpec { enabled: false, ..rule("off", 0, Some(418), None, None) };
    let rules = Rules::new(vec![off, rule("empty", 0, None, None, None)]);
    assert_eq!(found(&rules, 418, "", ""), None);
}

#[test]
fn a_servers_own_failure_is_no_matter_of_built_in_rules_but_of_own_ones() {
    let rules = Rules::new(vec![rule("mine", 0, Some(500), None, None)]);
    assert_eq!(found(&rules, 500, "", "prompt is too long"), Some("mine".to_owned()));
    assert_eq!(found(&Rules::new(Vec::new()), 500, "", "prompt is too long"), None);
    assert_eq!(found(&Rules::new(Vec::new()), 502, "unsupported_value", ""), None);
}

#[test]
fn built_in_rules_know_the_sentences_of_vendors() {
    let rules = Rules::new(Vec::new());
    let table: &[(u16, &str, &str, C)] = &[
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", C::Client),
        (200, "", "This model's maximum context length is 8192 tokens. However, …", C::Client),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 1 + 2 > 3",
            C::Client,
        ),
        (400, "", "The input token count (9) exceeds the maximum number of tokens allowed (8).", C::Client),
        (400, "invalid_request_error", "Output blocked by content filtering policy", C::Client),
        (400, "", "messages.1.content.0: Invalid `signature` in `thinking` block", C::Client),
        (400, "", "A maximum of 4 blocks with cache_control may be provided. Found 5.", C::Client),
        (
            400,
            "",
            "messages.3: `tool_use` ids were found without `tool_result` blocks immediately after",
            C::Client,
        ),
        (400, "unsupported_parameter", "Unsupported parameter: 'max_tokens'", C::Client),
        (400, "", "A maximum of 100 PDF pages may be provided.", C::Client),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            C::Quota,
        ),
        (400, "invalid_request_error", "This organization has been disabled.", C::Quota),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", C::Auth),
        (403, "permission_error", "OAuth token has been revoked. Please obtain a new token.", C::Auth),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", C::Provider),
        (404, "", "The model `x` does not exist or you do not have access to it.", C::NotFound),
    ];
    for (status, kind, message, class) in table {
        assert_eq!(rules.find(*status, kind, message).map(|rule| rule.class), Some(*class), "{message}");
    }
    for ordinary in ["Overloaded", "Internal server error", "Too many requests", "not found", ""] {
        assert_eq!(found(&rules, 400, "", ordinary), None);
    }
}

#[test]
fn each_built_in_rule_can_be_found() {
    let rules = Rules::new(Vec::new());
    for spec in builtin() {
        let (kind, words) = (spec.kind.as_deref().unwrap_or(""), spec.contains.as_deref().unwrap_or(""));
        assert_eq!(rules.find(400, kind, words), Some(&spec), "an earlier rule hides it");
        assert_eq!(words, words.to_lowercase());
    }
}
