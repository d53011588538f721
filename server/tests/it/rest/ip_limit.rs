//! The limit per address, from outside (RL-01 to RL-04). Windows and memory are tested where it is counted.

use gateway::Actor;
use http::{Method, StatusCode};
use serde_json::json;
use types::principal::Principal;

use crate::auth::console::{Answer, Console};

/// A server on which the loopback counts and may come so often a minute.
async fn limited(per_minute: u32, change: impl FnOnce(&mut server::ServerConfig)) -> Console {
    let console = Console::start_with(change).await;
    set(&console, "limits.ip_per_minute", &per_minute.to_string()).await;
    set(&console, "limits.ip_exempt", "198.51.100.0/24").await;
    console
}

/// Changes a setting past the edge, which counts calls.
async fn set(console: &Console, name: &str, value: &str) {
    let actor = Actor { via: "admin", client_ip: None, request_id: String::new(), session: None };
    let admin = console.state.gateway.admin(&Principal::Admin, actor).unwrap();
    admin.setting_put(name.to_owned(), value.to_owned()).await.unwrap();
}

async fn post(console: &Console, path: &str) -> Answer {
    console.call(Method::POST, path, &[("content-type", "application/json")], "{\"model\":\"m\"}").await
}

fn check_headers(answer: &Answer, limit: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&wait), "{answer:?}");
    assert_eq!(answer.header("x-ratelimit-limit"), limit, "{answer:?}");
    assert_eq!(answer.header("x-ratelimit-remaining"), "0");
    assert!(answer.header("x-ratelimit-reset").parse::<u64>().unwrap() > 1_700_000_000);
    assert!(answer.body.contains("Too Many Requests"), "{answer:?}");
}

#[tokio::test]
async fn rl_01_every_face_refuses_in_its_own_words_and_pages_stay_open() {
    let console = limited(3, |_| {}).await;
    for _ in 0..3 {
        assert_eq!(console.get("/v1/models", &[]).await.status, StatusCode::UNAUTHORIZED);
    }
    let anthropic = post(&console, "/v1/messages").await;
    check_headers(&anthropic, "3");
    let error = anthropic.json();
    assert_eq!((&error["type"], &error["error"]["type"]), (&json!("error"), &json!("rate_limit_error")));
    assert_eq!(error["error"]["code"], "ip_rate_limited");
    for path in
        ["/v1/chat/completions", "/v1/responses", "/responses", "/api/admin/users", "/rpc/app/api/me/usage"]
    {
        let answer = post(&console, path).await;
        check_headers(&answer, "3");
        assert!(answer.body.contains("\"ip_rate_limited\""), "{path}: {answer:?}");
    }
    let gemini = post(&console, "/v1beta/models/m:generateContent").await;
    check_headers(&gemini, "3");
    assert_eq!(gemini.json()["error"]["details"][0]["reason"], "ip_rate_limited", "{gemini:?}");
    check_headers(&console.get("/v1/models", &[]).await, "3");
    check_headers(&console.form("/auth/login", "", "secret=x").await, "3");
    for open in ["/login", "/livez", "/readyz", "/health", "/pkg/tollgate.css"] {
        assert_eq!(console.get(open, &[]).await.status, StatusCode::OK, "{open}");
    }
    let bearer = format!("Bearer {}", console.token);
    let metrics = console.get("/metrics", &[("authorization", &bearer)]).await;
    assert!(metrics.body.contains("tollgate_ip_refusals_total 9\n"), "{metrics:?}");
    assert!(metrics.body.ends_with("# EOF\n"));

    set(&console, "limits.ip_per_minute", "0").await;
    assert_eq!(console.get("/v1/models", &[]).await.status, StatusCode::UNAUTHORIZED, "in force at once");
}

#[tokio::test]
async fn rl_03_a_flood_leaves_a_row_but_not_a_row_for_each_request() {
    let console = limited(1, |_| {}).await;
    let began = std::time::Instant::now();
    for _ in 0..40 {
        post(&console, "/v1/messages").await;
    }
    let seconds = began.elapsed().as_secs() + 2;
    set(&console, "limits.ip_per_minute", "0").await;
    let until = std::time::Instant::now() + crate::rig::SOON;
    let rows = loop {
        let page = console.rest(Method::GET, "/requests?error_code=ip_rate_limited", None).await.json();
        let rows = page["items"].as_array().unwrap().clone();
        if !rows.is_empty() || std::time::Instant::now() > until {
            break rows;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!((1..=seconds).contains(&u64::try_from(rows.len()).unwrap()), "{} rows: {rows:?}", rows.len());
    assert_eq!((&rows[0]["outcome"], &rows[0]["client_ip"]), (&json!("refused"), &json!("127.0.0.1")));
    assert_eq!((&rows[0]["status_code"], &rows[0]["cost_usd"]), (&json!(429), &json!("0")));
}

#[tokio::test]
async fn rl_03_who_was_refused_most_often_is_told_by_rest() {
    let console =
        limited(1, |config| config.trust_proxy = server::config::TrustProxy::parse("127.0.0.1").unwrap())
            .await;
    for (forwarded, times) in [("203.0.113.1", 3), ("203.0.113.2", 5), ("203.0.113.3", 1)] {
        for _ in 0..times {
            console.get("/v1/models", &[("x-forwarded-for", forwarded)]).await;
        }
    }
    let told = console.rest(Method::GET, "/refused-addresses", None).await.json();
    assert_eq!((&told["per_minute"], &told["refused"]), (&json!(1), &json!(6)), "{told}");
    let items: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|i| (&i["address"], &i["refused"])).collect();
    assert_eq!(items, [(&json!("203.0.113.2"), &json!(4)), (&json!("203.0.113.1"), &json!(2))], "{told}");
    assert!(told["items"][0]["latest"].as_str().unwrap() >= told["items"][0]["since"].as_str().unwrap());
}

#[tokio::test]
async fn rl_02_behind_a_trusted_proxy_each_client_counts_alone_and_nobody_can_pretend() {
    let console =
        limited(2, |config| config.trust_proxy = server::config::TrustProxy::parse("127.0.0.1").unwrap())
            .await;
    let from = async |forwarded: &str| {
        console.get("/v1/models", &[("x-forwarded-for", forwarded)]).await.status.as_u16()
    };
    for (forwarded, status) in [
        ("203.0.113.1", 401),
        ("203.0.113.1", 401),
        ("203.0.113.1", 429),
        ("9.9.9.9, 203.0.113.1", 429),
        ("203.0.113.2", 401),
        ("198.51.100.9", 401),
        ("198.51.100.9", 401),
        ("198.51.100.9", 401),
    ] {
        assert_eq!(from(forwarded).await, status, "{forwarded}");
    }
    assert!(!console.state.proxy_hint.was_given());

    let untrusting = limited(2, |_| {}).await;
    let from = async |forwarded: &str| {
        untrusting.get("/v1/models", &[("x-forwarded-for", forwarded)]).await.status.as_u16()
    };
    assert_eq!(
        [from("203.0.113.1").await, from("203.0.113.2").await, from("203.0.113.3").await],
        [401, 401, 429]
    );
    assert!(untrusting.state.proxy_hint.was_given());
}

#[tokio::test]
async fn rl_01_enable_rate_limit_off_switches_it_off() {
    let console = limited(1, |config| config.enable_rate_limit = false).await;
    for _ in 0..5 {
        assert_eq!(console.get("/v1/models", &[]).await.status, StatusCode::UNAUTHORIZED);
    }
}
