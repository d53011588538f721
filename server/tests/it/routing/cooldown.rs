//! Rests: as long as the upstream asked for, within bounds, and over by themselves.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};
use types::Timestamp;

use super::{chain, eventually, fresh, now_ms};
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, GEMINI};

const SECOND: i64 = 1_000;

fn limited(headers: &[(&str, &str)]) -> Behaviour {
    headers.iter().fold(Behaviour::status(429), |behaviour, (name, value)| behaviour.header(name, value))
}

/// An instant as an HTTP date.
fn http_date(ms: i64) -> String {
    let text = Timestamp(ms).to_string();
    let (date, time) = text.split_once('T').unwrap();
    let parts: Vec<usize> = date.split('-').map(|part| part.parse().unwrap()).collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let day = usize::try_from(ms / 86_400_000 % 7).unwrap();
    format!("{}, {:02} {} {} {} GMT", days[day], parts[2], months[parts[1] - 1], parts[0], &time[..8])
}

/// For how long a credential rests from `from` on, as the admin API shows it, in milliseconds.
async fn rest_of(rig: &Rig, name: &str, from: i64) -> Option<i64> {
    let account = rig.account(name).await;
    let until = account["cooldowns"][0]["until"].as_str()?.parse::<Timestamp>().unwrap();
    Some(until.0 - from)
}

#[tokio::test]
async fn fault_u26_u27_u28_a_rest_is_as_long_as_was_asked_for_within_bounds() {
    let soon = http_date(now_ms() + 90 * SECOND);
    let in_two_minutes = Timestamp(now_ms() + 120 * SECOND).to_string();
    for (headers, least, most) in [
        (vec![("retry-after", "5")], 5, 5),
        (vec![("retry-after", "0.5")], 1, 1),
        (vec![("retry-after-ms", "2500")], 2, 3),
        (vec![("retry-after", soon.as_str())], 60, 91),
        // Over already, nonsense, or for ever: 1 s to 1 h, or what is usual where nothing was asked for.
        (vec![("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], 1, 8),
        (vec![("retry-after", "soon")], 2, 8),
        (vec![("retry-after", "-3")], 1, 8),
        (vec![("retry-after", "1e12")], 1, 3_600),
        (vec![("retry-after", "86400")], 3_600, 3_600),
        (vec![], 2, 8),
        // The vendor's own reset times.
        (
            vec![
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", &in_two_minutes),
            ],
            60,
            121,
        ),
    ] {
        let rig = Rig::unbound().await;
        rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
        rig.on_credential("up-a", limited(&headers));
        let from = now_ms();
        let (got, row) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
        let late = now_ms() - from;
        assert_eq!((got.status, chain(&row, "class")[0].as_str()), (200, "rate_limit"));
        let rest = rest_of(&rig, "up-a", from).await.unwrap_or_else(|| panic!("no rest after {headers:?}"));
        assert!((least * SECOND..=most * SECOND + late).contains(&rest), "{headers:?}: {rest} ms");
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"], "{headers:?}");
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-2", true), 200).await, ["up-a", "up-b"], "per model");
    }
}

#[tokio::test]
async fn fault_u26_when_all_rest_the_caller_hears_when_the_first_is_back_and_no_call_is_made() {
    let rig = Rig::unbound().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({}), &["up-a", "up-b"]).await;
    }
    rig.on_credential("up-a", limited(&[("retry-after", "40")]));
    rig.on_credential("up-b", limited(&[("retry-after", "20")]));
    for face in FACES {
        rig.recover().await;
        let got = rig.ask(rig.keyed(fresh(face, "m-1", true))).await;
        assert_eq!((got.status, got.code().as_str()), (429, "pool_exhausted"), "{}", got.text());
        assert!(got.text().contains("upstream: Rate limit exceeded"), "{}", got.text());
        assert_eq!(got.header("retry-after"), "20", "{face:?}: the least of them");
        rig.upstream.clear_invoice();
        let (got, row) = rig.asked(fresh(face, "m-1", true)).await;
        assert_eq!((got.status, got.code().as_str()), (429, "pool_exhausted"), "{}", got.text());
        assert!(got.text().contains("all credentials exhausted"), "{}", got.text());
        let seconds: u64 = got.header("retry-after").parse().unwrap();
        assert!((18..=20).contains(&seconds), "{seconds}");
        assert!(got.text().contains("No available provider found"), "{}", got.text());
        assert!(
            got.text().contains("account not available") && got.text().contains("cooldown"),
            "{}",
            got.text()
        );
        assert_eq!((rig.seen().len(), &row["outcome"]), (0, &json!("refused")));
    }
}

#[tokio::test]
async fn fault_u26_an_account_alone_that_rests_is_a_used_up_quota_in_every_dialect() {
    let rig = Rig::unbound().await;
    for kind in ["anthropic", "openai", "gemini"] {
        rig.pool(kind, json!({}), &["up-a"]).await;
    }
    rig.on_credential("up-a", limited(&[("retry-after", "30")]));
    for face in FACES {
        rig.recover().await;
        let got = rig.ask(rig.keyed(fresh(face, "m-1", false))).await;
        assert_eq!((got.status, got.code().as_str()), (429, "upstream_rate_limited"), "{}", got.text());
        let ask = rig.keyed(fresh(face, "m-1", true));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        face.assert_error(&got.json(), 429, "pool_exhausted", &id);
        assert!((28..=30).contains(&got.header("retry-after").parse::<u64>().unwrap()));
        assert!(got.text().contains("resets_at"), "{}", got.text());
    }
    rig.recover().await;
    rig.upstream.forget();
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "m-1", true))).await.status, 200);
}

#[tokio::test]
async fn tp_17_ac_04_a_rest_ends_by_itself_and_one_request_looks_first() {
    let rig = Rig::unbound().await;
    rig.pool("openai", json!({}), &["up-a", "up-b"]).await;
    rig.upstream.script(Rule::credential("up-a", limited(&[("retry-after", "1")])).times(1));
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a", "up-b"]);
    eventually("up-a is asked again", async || {
        let seen = rig.sent_with(fresh(CHAT, "m-1", true), 200).await;
        (seen == ["up-a"]).then_some(())
    })
    .await;
    let account = rig.account("up-a").await;
    assert_eq!((&account["state"], &account["cooldowns"]), (&json!("valid"), &json!([])), "{account}");
}

#[tokio::test]
async fn tp_17_a_rest_that_was_told_wrongly_does_not_outlive_a_reset_by_hand() {
    let rig = Rig::unbound().await;
    rig.pool("openai", json!({}), &["up-a", "up-b"]).await;
    rig.upstream.script(Rule::credential("up-a", limited(&[("retry-after", "3000")])).times(1));
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a", "up-b"]);
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-b"]);
    let marks = rig.items("/cache/unavailable").await;
    assert_eq!(
        (marks.len(), &marks[0]["credential_name"], &marks[0]["mark"]),
        (1, &json!("up-a"), &json!("rate_limited")),
        "{marks:?}"
    );
    let recovered = rig.server.admin("POST", "/credentials/recover", &Value::Null).await;
    assert!(recovered["cleared"].as_u64().unwrap() >= 1, "{recovered}");
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a"]);
    assert!(rig.items("/cache/unavailable").await.is_empty());
}

#[tokio::test]
async fn an_error_rule_says_what_an_error_means_and_how_long_it_rests() {
    let rig = Rig::unbound().await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    let rule = json!({
        "name": "house quota", "status": 400, "contains": "house quota is used up", "class": "rate_limit", "cooldown_s": 77,
    });
    let made = rig.server.admin("POST", "/error-rules", &rule).await;
    assert!(made["id"].is_i64(), "{made}");
    let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "Your house quota is used up."}});
    rig.on_credential(
        "up-a",
        Behaviour { status: Some(400), ..Behaviour::body("application/json", error.to_string()) },
    );
    let from = now_ms();
    let (got, row) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
    assert_eq!((got.status, chain(&row, "class")[0].as_str()), (200, "rate_limit"), "{}", got.text());
    let rest = rest_of(&rig, "up-a", from).await.unwrap();
    assert!((77 * SECOND..90 * SECOND).contains(&rest), "{rest}");
    // An answer of the rule's own, once nobody else can serve.
    let answer =
        json!({"class": "client", "answer_status": 418, "answer_message": "Ask the house for more."});
    rig.change(&format!("/error-rules/{}", made["id"]), answer).await;
    rig.server.admin("POST", "/credentials/recover", &Value::Null).await;
    let got = rig.ask(rig.keyed(fresh(ANTHROPIC, "m-1", true))).await;
    assert_eq!(got.status, 418, "{}", got.text());
    assert!(got.text().contains("Ask the house for more."), "{}", got.text());
}

#[tokio::test]
async fn gemini_says_in_its_body_when_to_come_back() {
    let rig = Rig::unbound().await;
    rig.pool("gemini", json!({}), &["up-a", "up-b"]).await;
    let error = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"},
    ]}});
    rig.on_credential(
        "up-a",
        Behaviour { status: Some(429), ..Behaviour::body("application/json", error.to_string()) },
    );
    let from = now_ms();
    rig.asked(fresh(GEMINI, "m-1", true)).await;
    let rest = rest_of(&rig, "up-a", from).await.unwrap();
    assert!((34 * SECOND..40 * SECOND).contains(&rest), "{rest}");
}

#[tokio::test]
async fn fault_u33_an_overloaded_account_is_left_alone_for_ten_seconds_and_blamed_no_further() {
    for status in [503, 529] {
        let rig = Rig::unbound().await;
        rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
        rig.upstream.script(Rule::credential("up-a", Behaviour::status(status)).times(1));
        let from = now_ms();
        let (got, row) = rig.asked(fresh(ANTHROPIC, "m-1", true)).await;
        assert_eq!((got.status, chain(&row, "credential_name")), (200, vec!["up-a".into(), "up-b".into()]));
        assert_eq!(chain(&row, "class")[0], "overload", "{row}");
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", false), 200).await, ["up-b"], "{status}");
        let rests = rest_of(&rig, "up-a", from).await.expect("it rests");
        assert!((9_000..=12_000).contains(&rests), "{status}: {rests} ms");
        let account = rig.account("up-a").await;
        assert_eq!(
            (&account["state"], &account["breaker"]),
            (&json!("valid"), &json!("closed")),
            "{account}"
        );
    }
}
