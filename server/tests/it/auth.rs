//! Sign-in, sessions, sign-out and the same-origin check, from outside.

pub(crate) mod console;

use http::{Method, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use console::{Console, FORM};

/// The attributes of the session cookie on plain HTTP. A change here is a change of the security contract.
const ATTRIBUTES: &str = "; HttpOnly; SameSite=Strict; Path=/";
const SECURE_ATTRIBUTES: &str = "; HttpOnly; SameSite=Strict; Secure; Path=/";

#[tokio::test]
async fn au_05_the_session_cookie_has_exactly_the_agreed_attributes() {
    let console = Console::start().await;
    let (_, key) = console.member("ann").await;
    for secret in [console.token.clone(), key] {
        let answer = console.form("/auth/login", "", &format!("secret={secret}")).await;
        let line = answer.set_cookie("tg_sid").unwrap();
        assert_eq!(line.split_once(';').map(|(_, rest)| format!(";{rest}")).unwrap(), ATTRIBUTES);
    }
    let tls = Console::start_with(|config| config.secure_cookies = true).await;
    let answer = tls.form("/auth/login", "", &format!("secret={}&next=/keys", tls.token)).await;
    let line = answer.set_cookie("__Host-tg_sid").unwrap();
    assert_eq!(line.split_once(';').map(|(_, rest)| format!(";{rest}")).unwrap(), SECURE_ATTRIBUTES);
    assert!(answer.set_cookie("tg_sid").is_none());
    // A browser that refuses the cookie arrives without it and is told so instead of being asked again.
    assert_eq!(answer.header("location"), "/auth/arrived?next=%2Fkeys");
    let lost = tls.get("/auth/arrived?next=%2Fkeys", &[]).await;
    assert_eq!(lost.header("location"), "/login?problem=cookie_refused&next=%2Fkeys");
    let kept = tls.page("/auth/arrived?next=%2Fkeys", &answer.cookie("__Host-tg_sid").unwrap()).await;
    assert_eq!(kept.header("location"), "/keys");
}

#[tokio::test]
async fn fault_x06_every_sign_in_makes_a_new_session_and_ends_the_old_one() {
    let console = Console::start().await;
    let planted = console.admin_session().await;
    let answer = console.form("/auth/login", &planted, &format!("secret={}", console.token)).await;
    let fresh = answer.cookie("tg_sid").unwrap();
    assert_ne!(planted, fresh);
    assert_eq!(console.page("/", &fresh).await.status, StatusCode::OK);
    let old = console.page("/", &planted).await;
    assert_eq!(old.header("location"), "/login?problem=token_invalid");
    // An id that the server never gave is not taken over either.
    let invented = "tg_sid=AAAAAAAAAAAAAAAAAAAAAA";
    let answer = console.form("/auth/login", invented, &format!("secret={}", console.token)).await;
    assert_ne!(answer.cookie("tg_sid").unwrap(), invented);
}

#[tokio::test]
async fn au_05_sign_out_ends_the_session_and_really_clears_the_cookie() {
    let console = Console::start().await;
    let cookie = console.admin_session().await;
    let answer = console.form("/auth/logout", &cookie, "").await;
    assert_eq!(answer.header("location"), "/login");
    assert_eq!(answer.set_cookie("tg_sid").unwrap(), format!("tg_sid=; Max-Age=0{ATTRIBUTES}"));
    assert_eq!(console.page("/", &cookie).await.header("location"), "/login?problem=token_invalid");

    let tls = Console::start_with(|config| config.secure_cookies = true).await;
    let answer = tls.form("/auth/login", "", &format!("secret={}", tls.token)).await;
    let cookie = answer.cookie("__Host-tg_sid").unwrap();
    let answer = tls.form("/auth/logout", &cookie, "").await;
    assert_eq!(
        answer.set_cookie("__Host-tg_sid").unwrap(),
        format!("__Host-tg_sid=; Max-Age=0{SECURE_ATTRIBUTES}")
    );
}

#[tokio::test]
async fn au_03_expired_and_invalid_sessions_are_told_apart() {
    let console = Console::start().await;
    let anonymous = console.page("/keys?user_id=1", "").await;
    assert_eq!(anonymous.status, StatusCode::SEE_OTHER);
    assert_eq!(anonymous.header("location"), "/login?next=%2Fkeys%3Fuser_id%3D1");
    for forged in ["tg_sid=", "tg_sid=x", "tg_sid=AAAAAAAAAAAAAAAAAAAAAA", "tg_sid=eyJhbGciOiJub25lIn0.e30."]
    {
        let answer = console.page("/", forged).await;
        assert_eq!(answer.header("location"), "/login?problem=token_invalid", "{forged}");
    }
    for (id, session, code) in [
        (
            1_i128,
            r#"{"principal":{"role":"admin"},"ends_at":"2020-01-01T00:00:00Z","seen_at":"2020-01-01T00:00:00Z"}"#,
            "token_expired",
        ),
        (2, r#"{"principal":{"role":"admin"},"ends_at":"2120-01-01T00:00:00Z"}"#, "token_invalid"),
        (
            3,
            r#"{"principal":{"role":"admin"},"ends_at":"2120-01-01T00:00:00Z","seen_at":"2120-01-01T00:00:00Z","x":1}"#,
            "token_invalid",
        ),
        (
            4,
            r#"{"principal":{"role":"member","user_id":4711},"ends_at":"2120-01-01T00:00:00Z","seen_at":"2120-01-01T00:00:00Z"}"#,
            "token_invalid",
        ),
    ] {
        let cookie = plant(&console, id, session).await;
        let answer = console.page("/", &cookie).await;
        assert_eq!(answer.header("location"), format!("/login?problem={code}"), "{session}");
    }
}

// Puts a row under the hash of a known session id; answers the cookie for it.
async fn plant(console: &Console, id: i128, session: &str) -> String {
    use base64::Engine;
    let hash = Sha256::new().chain_update("session:").chain_update(id.to_le_bytes()).finalize();
    let until = "2120-01-01T00:00:00Z".parse().unwrap();
    let data = format!(r#"{{"signed_in":{session}}}"#);
    console.state.store.session_save(&hash, None, &data, until).await.unwrap();
    format!("tg_sid={}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id.to_le_bytes()))
}

#[tokio::test]
async fn fault_x06_a_disabled_member_is_out_with_the_next_request() {
    let console = Console::start().await;
    let (id, key) = console.member("ann").await;
    let cookie = console.sign_in(&key).await;
    assert_eq!(console.page("/me", &cookie).await.status, StatusCode::OK);
    let off = console.rest(Method::PATCH, &format!("/users/{id}"), Some(json!({ "enabled": false }))).await;
    assert_eq!(off.status, StatusCode::OK, "{off:?}");
    assert_eq!(
        console.page("/me", &cookie).await.header("location"),
        "/login?problem=token_invalid&next=%2Fme"
    );
}

#[tokio::test]
async fn fault_x20_sign_in_lands_on_own_paths_only() {
    let console = Console::start().await;
    for (next, landing) in [
        ("/providers", "/providers"),
        ("%2Frequests%3Fstatus%3Derror", "/requests?status=error"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("https://evil.example", "/"),
        ("/%09/evil.example", "/"),
        ("/%0d%0aSet-Cookie:%20a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("/login", "/"),
        ("", "/"),
    ] {
        let answer = console.form("/auth/login", "", &format!("secret={}&next={next}", console.token)).await;
        assert_eq!(answer.header("location"), landing, "{next}");
    }
}

#[tokio::test]
async fn a_failed_sign_in_says_why_and_keeps_the_target() {
    let console = Console::start().await;
    for (body, location) in [
        ("secret=wrong&next=/keys", "/login?problem=invalid_credentials&next=%2Fkeys"),
        ("name=nobody&password=wrong-wrong-wrong", "/login?problem=invalid_credentials"),
        ("secret=&next=/keys", "/login?problem=missing_authorization&next=%2Fkeys"),
        ("", "/login?problem=missing_authorization"),
    ] {
        let answer = console.form("/auth/login", "", body).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, location), "{body}");
        assert!(answer.set_cookie("tg_sid").is_none());
    }
    let long = console.form("/auth/login", "", &format!("secret={}", "a".repeat(5_000))).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn fault_x01_guessing_is_slowed_down_and_the_owner_still_gets_in() {
    let console = Console::start().await;
    let remembered = {
        let answer = console.form("/auth/login", "", &format!("secret={}", console.token)).await;
        answer.cookie("tg_device").unwrap()
    };
    let mut seen = Vec::new();
    for _ in 0..8 {
        let answer = console.form("/auth/login", "", "secret=guess").await;
        seen.push(answer.header("location").to_owned());
    }
    assert_eq!(seen.first().unwrap(), "/login?problem=invalid_credentials");
    assert_eq!(seen.last().unwrap(), "/login?problem=too_many_attempts");
    let owner = console.form("/auth/login", &remembered, &format!("secret={}", console.token)).await;
    assert!(owner.cookie("tg_sid").is_some(), "{owner:?}");
}

#[tokio::test]
async fn preferences_are_two_cookies_for_a_year() {
    let console = Console::start().await;
    let answer = console.form("/preferences", "", "lang=zh&theme=dark&next=/login?next=%252Fkeys").await;
    assert_eq!(answer.header("location"), "/login?next=%2Fkeys");
    assert_eq!(answer.set_cookie("tg_lang").unwrap(), "tg_lang=zh; Max-Age=31536000; Path=/; SameSite=Lax");
    assert_eq!(
        answer.set_cookie("tg_theme").unwrap(),
        "tg_theme=dark; Max-Age=31536000; Path=/; SameSite=Lax"
    );
    let answer = console.form("/preferences", "", "lang=xx;%20Domain=evil&theme=&next=//evil").await;
    assert_eq!(answer.header("location"), "/");
    assert!(answer.set_cookie("tg_lang").is_none() && answer.set_cookie("tg_theme").is_none());
}

#[tokio::test]
async fn fault_x04_only_our_own_pages_can_change_anything() {
    let console = Console::start().await;
    let session = console.admin_session().await;
    let own = console.base.as_str();
    let combinations: [(&[(&str, &str)], bool); 14] = [
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "same-origin"), ("origin", own)], true),
        (&[("origin", own)], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (&[("sec-fetch-site", "same-site"), ("origin", own)], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", own)], false),
        (&[("sec-fetch-site", "none"), ("origin", own)], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "http://127.0.0.1")], false),
        (&[], false),
    ];
    let function = leptos::server_fn::axum::server_fn_paths().next().map_or("/rpc/none", |(path, _)| path);
    for (headers, allowed) in combinations {
        for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json"] {
            for path in ["/auth/login", "/auth/logout", "/preferences", function] {
                let mut sent = headers.to_vec();
                sent.push(("content-type", kind));
                // Signing out would end the session for the next row.
                if path != "/auth/logout" {
                    sent.push(("cookie", session.as_str()));
                }
                let answer = console.call(Method::POST, path, &sent, "").await;
                let refused = answer.status == StatusCode::FORBIDDEN
                    && answer.json()["error"]["code"] == "cross_origin";
                assert_eq!(!refused, allowed, "{path} as {kind} with {headers:?}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn fault_x05_no_server_function_is_reached_by_get() {
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        assert_eq!(method, Method::POST, "{path}");
    }
    let console = Console::start().await;
    let session = console.admin_session().await;
    for path in ["/auth/login", "/auth/logout", "/preferences"] {
        assert_eq!(console.page(path, &session).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(console.page("/", &session).await.status, StatusCode::OK, "the session is still there");
}

#[tokio::test]
async fn the_forms_refuse_what_is_no_form() {
    let console = Console::start().await;
    let answer = console
        .call(
            Method::POST,
            "/auth/login",
            &[("content-type", "application/json"), ("sec-fetch-site", "same-origin")],
            "{}",
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(FORM.iter().any(|(name, _)| *name == "sec-fetch-site"));
}
