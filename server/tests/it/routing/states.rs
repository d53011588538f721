//! The states of a credential: each event leads where it should, is written down, and is over when it should be. Real
//! sockets, and a clock that tests move.

use fakeup::{Behaviour, Rule};
use gateway::Clock;
use serde_json::{Value, json};
use store::{ConnectOptions, Resealed, SealedPlace, Store};

use super::{chain, eventually, fresh};
use crate::harness::Running;
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

/// A rig with a clock to move, and a pool of `up-a` before `up-b`.
async fn rig(kind: &str) -> (Rig, Clock) {
    let clock = Clock::manual(Clock::system().now());
    let own = clock.clone();
    let rig = Rig::bare_with(move |config| config.clock = own).await;
    rig.setting("affinity.enabled", "false").await;
    rig.pool(kind, json!({}), &["up-a", "up-b"]).await;
    (rig, clock)
}

fn forbidden(message: &str) -> Behaviour {
    let error = json!({"type": "error", "error": {"type": "permission_error", "message": message}});
    Behaviour { status: Some(403), ..Behaviour::body("application/json", error.to_string()) }
}

/// The history of `up-a`, the earliest first, once it has so many lines: from, to and cause of each.
async fn history(rig: &Rig, lines: usize) -> Vec<[String; 3]> {
    let id = rig.account("up-a").await["id"].clone();
    let events = eventually("the change is written down", async || {
        let events = rig.items(&format!("/credentials/{id}/events")).await;
        (events.len() >= lines).then_some(events)
    })
    .await;
    assert_eq!(events.len(), lines, "{events:?}");
    // A moment later it would be in force by itself.
    rig.server.admin("POST", "/scheduler/refresh", &Value::Null).await;
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    events.iter().rev().map(|event| ["from", "to", "cause"].map(|field| text(event, field))).collect()
}

fn line(from: &str, to: &str, cause: &str) -> [String; 3] {
    [from.to_owned(), to.to_owned(), cause.to_owned()]
}

#[tokio::test]
async fn f_3_words_of_a_ban_suspend_and_the_third_time_in_a_row_ban_until_somebody_recovers_it() {
    let (rig, clock) = rig("anthropic").await;
    rig.on_credential("up-a", forbidden("Your account has been suspended"));
    let mut told = Vec::new();
    for (before, after) in [("valid", "suspended"), ("suspended", "suspended"), ("suspended", "banned")] {
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"], "{before}");
        told.push(line(before, after, "upstream"));
        assert_eq!(history(&rig, told.len()).await, told);
        let account = rig.account("up-a").await;
        assert_eq!(
            (&account["state"], account["cooldown_until"].is_null()),
            (&json!(after), after == "banned")
        );
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-2", true), 200).await, ["up-b"], "it is left alone");
        clock.advance(HOUR + MINUTE);
    }
    clock.advance(100 * HOUR);
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"], "no time ends a ban");
    let requests = rig.items(&format!("/credentials/{}/events", rig.account("up-a").await["id"])).await;
    assert!(requests.iter().all(|event| event["request_id"].is_string()), "{requests:?}");

    rig.upstream.forget();
    let id = rig.account("up-a").await["id"].clone();
    let back = rig.server.admin("POST", &format!("/credentials/{id}/recover"), &Value::Null).await;
    assert_eq!(
        (&back["state"], &back["consecutive_errors"], &back["cooldowns"], &back["last_error"]),
        (&json!("valid"), &json!(0), &json!([]), &Value::Null),
        "{back}"
    );
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a"], "at once");
    told.push(line("banned", "valid", "admin"));
    assert_eq!(history(&rig, 4).await, told);
    // The count begins anew with it.
    rig.on_credential("up-a", forbidden("This organization has been disabled"));
    rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await;
    told.push(line("valid", "suspended", "upstream"));
    assert_eq!(history(&rig, 5).await, told);
}

#[tokio::test]
async fn f_3_a_restart_forgets_no_suspension() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::system().now());
    let started = async || {
        let own = clock.clone();
        Running::start_in(dir.path(), move |config| config.clock = own).await.unwrap()
    };
    let mut rig = Rig::of(started().await).await;
    rig.setting("affinity.enabled", "false").await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    rig.on_credential("up-a", forbidden("Your account has been suspended"));
    for (lines, after) in [(1, "suspended"), (2, "suspended"), (3, "banned")] {
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"], "{lines}");
        assert_eq!(history(&rig, lines).await[lines - 1][1], after);
        let Rig { server, upstream, key, key_id, user_id } = rig;
        server.stop().await;
        clock.advance(HOUR + MINUTE);
        rig = Rig { server: started().await, upstream, key, key_id, user_id };
    }
    let account = rig.account("up-a").await;
    assert_eq!(
        (&account["state"], &account["cooldown_until"]),
        (&json!("banned"), &Value::Null),
        "{account}"
    );
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"], "no time ends a ban");
    rig.server.stop().await;
}

#[tokio::test]
async fn f_3_a_success_between_two_suspensions_lets_the_count_begin_anew() {
    let (rig, clock) = rig("anthropic").await;
    let suspended = || Rule::credential("up-a", forbidden("account suspended")).times(1);
    for lines in 1..3 {
        rig.upstream.script(suspended());
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"]);
        history(&rig, lines).await;
        clock.advance(HOUR + MINUTE);
    }
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a"], "it looks well");
    history(&rig, 3).await;
    rig.upstream.script(suspended());
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"]);
    let told = history(&rig, 4).await;
    assert_eq!(told[2..], [line("suspended", "valid", "upstream"), line("valid", "suspended", "upstream")]);
}

#[tokio::test]
async fn f_3_a_429_about_the_account_is_written_down_and_taken_back_by_the_task_when_its_time_is_over() {
    let (rig, clock) = rig("anthropic").await;
    let limit = Behaviour::status(429)
        .header("anthropic-ratelimit-unified-status", "rejected")
        .header("retry-after", "600");
    rig.upstream.script(Rule::credential("up-a", limit).times(1));
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"]);
    assert_eq!(history(&rig, 1).await, [line("valid", "rate_limited", "upstream")]);
    let run = async || {
        let head = format!("Authorization: Bearer {}\r\n", crate::harness::ADMIN_TOKEN);
        let request = crate::harness::post("/api/admin/tasks/recover/run", &head, "");
        assert_eq!(rig.server.raw(request).await.status(), 204);
    };
    clock.advance(9 * MINUTE);
    run().await;
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-2", true), 200).await, ["up-b"], "not yet");
    clock.advance(2 * MINUTE);
    eventually("the task takes it back", async || {
        run().await;
        (rig.account("up-a").await["state"] == "valid").then_some(())
    })
    .await;
    assert_eq!(history(&rig, 2).await[1], line("rate_limited", "valid", "recovery"));
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a"]);
}

#[tokio::test]
async fn f_3_overload_rests_twice_as_long_each_time_and_is_no_state_that_is_stored() {
    let (rig, clock) = rig("anthropic").await;
    rig.on_credential("up-a", Behaviour::status(529));
    for seconds in [10, 20, 40, 80, 120, 120] {
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a", "up-b"], "{seconds}");
        let account = rig.account("up-a").await;
        let until = clock.now().plus_ms(seconds * 1_000).to_string();
        assert_eq!(
            (&account["cooldowns"][0]["state"], &account["cooldowns"][0]["until"]),
            (&json!("overloaded"), &json!(until)),
            "{account}"
        );
        clock.advance(seconds * 1_000 - 1);
        assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"], "{seconds}");
        clock.advance(1);
    }
    rig.upstream.forget();
    assert_eq!(
        rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await,
        ["up-a"],
        "one looks, and it is well"
    );
    assert_eq!(rig.account("up-a").await["cooldowns"], json!([]));
    assert_eq!(history(&rig, 0).await, Vec::<[String; 3]>::new());
}

#[tokio::test]
async fn f_3_a_connection_that_fails_is_a_mark_in_memory_that_only_puts_the_account_last() {
    let (rig, clock) = rig("openai").await;
    // Nobody listens where the first provider is.
    let nowhere = fakeup::refused_url().unwrap();
    let spec = json!({"name": "dead", "base_url": nowhere, "api_key": "up-dead", "priority": -9});
    let provider = rig.provider("openai", spec).await;
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!(
        (got.status, chain(&row, "credential_name")),
        (200, vec!["key 1".into(), "up-a".into()]),
        "{row}"
    );
    let dead = rig.items(&format!("/credentials?provider_id={provider}")).await.remove(0);
    assert_eq!(
        (&dead["state"], &dead["cooldowns"][0]["state"]),
        (&json!("valid"), &json!("unavailable")),
        "{dead}"
    );
    assert_eq!(rig.sent_with(fresh(CHAT, "m-1", true), 200).await, ["up-a"]);
    assert_eq!(rig.items(&format!("/credentials/{}/events", dead["id"])).await, Vec::<Value>::new());
    clock.advance(HOUR);
    let later = rig.items(&format!("/credentials?provider_id={provider}")).await.remove(0);
    assert_eq!(later["cooldowns"], json!([]), "it is over by itself: {later}");
    let (_, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!(chain(&row, "credential_name")[0], "key 1", "and it is tried first again");
}

#[tokio::test]
async fn f_3_a_secret_that_cannot_be_decrypted_is_unreadable_until_it_is_entered_again() {
    let mut url = String::new();
    let rig = Rig::bare_with(|config| url = config.database_url.expose().clone()).await;
    rig.setting("affinity.enabled", "false").await;
    rig.pool("anthropic", json!({}), &["up-a", "up-b"]).await;
    let id = rig.account("up-a").await["id"].as_i64().unwrap();
    let store = Store::connect(&url, ConnectOptions { max_connections: 1 }).await.unwrap();
    let place = SealedPlace::CredentialSecret;
    let values = store.sealed_batch(place, id - 1, 1).await.unwrap();
    assert_eq!(values[0].row, id);
    let old = values[0].sealed.clone();
    let mut new = old.clone();
    *new.last_mut().unwrap() ^= 1;
    assert_eq!(store.sealed_replace(place, &[Resealed { row: id, old, new }]).await.unwrap(), 1);
    store.close().await;
    rig.server.admin("POST", "/scheduler/refresh", &Value::Null).await;

    let account = rig.account("up-a").await;
    assert_eq!(account["state"], "unreadable", "{account}");
    assert!(account["state_reason"].as_str().unwrap().contains("enter it again"), "{account}");
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-b"], "nothing false is sent");
    let pool = rig.get("/pool").await;
    assert_eq!(pool["faults"][0]["kind"], "unreadable", "{pool}");
    let recovered = rig.server.admin("POST", &format!("/credentials/{id}/recover"), &Value::Null).await;
    assert_eq!(recovered["state"], "unreadable", "that does not mend it");
    rig.change(&format!("/credentials/{id}"), json!({ "api_key": "up-a" })).await;
    assert_eq!(rig.account("up-a").await["state"], "valid");
    assert_eq!(rig.sent_with(fresh(ANTHROPIC, "m-1", true), 200).await, ["up-a"]);
}
