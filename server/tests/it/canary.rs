//! The canary sweep (T-LEAK, LG-08): every secret carries a mark, traffic and faults run, then every place where
//! words come to rest is searched for the marks.

mod accounts;
mod program;
mod search;

use fakeup::{Behaviour, Fakeup, Rule, scenario};
use serde_json::{Value, json};

use crate::harness::Answer;
use crate::rig::faces::FACES;
use program::Program;
use search::{Needles, files};

const ADMIN: &str = "CANARY-ADMIN-4f1c86d02b7e95a3d4c8e1f60b72a95c";
const VAULT: &str = "CANARY-VAULT-9d3e51b7c20f84a6e8b1d7f3025c64ab";
const UPSTREAM: &str = "sk-CANARY-UPSTREAM-71b0e4d95c2f8a36";
const PROXY: &str = "CANARY-PROXY-PASSWORD-5e2a9c01";
const PROMPT: &str = "CANARY-PROMPT-what-was-asked-stays-unkept";
const ANSWER: &str = "CANARY-ANSWER-what-was-said-goes-to-its-caller-only";
const MEMBER: &str = "CANARY-MEMBER-password-0c9a7b31";

/// A program under test and everything that it has answered.
struct Sweep {
    program: Program,
    upstream: Fakeup,
    key: String,
    answers: Vec<(String, String)>,
}

#[tokio::test]
async fn t_leak_no_secret_comes_to_rest_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path()).await;
    let mut sweep =
        Sweep { program, upstream: Fakeup::start().await, key: String::new(), answers: Vec::new() };
    sweep.furnish().await;
    sweep.script();
    sweep.traffic().await;
    sweep.doors().await;
    let tokens = sweep.accounts().await;
    sweep.read_everything().await;
    let cookies = sweep.read_pages().await;
    sweep.read_every_route(&cookies).await;
    let log = sweep.program.stop().await;
    assert!(log.contains("/v1/messages"), "there is a log of it: {log}");
    // RF-04: each refresh says whose token it is and why, and how it ended.
    for (line, word) in [
        ("Refreshing a token", "trigger=\"manual\""),
        ("Refreshing a token", "provider.name=\"anthropic\""),
        ("Refreshed a token", "ms="),
        ("could not be refreshed", "transient"),
    ] {
        let said = |text: &str| ["[TokenManager]", line, word].iter().all(|part| text.contains(part));
        assert!(log.lines().any(said), "no line '{line}' with {word}");
    }

    let mut secrets = vec![
        ("admin token", ADMIN.to_owned()),
        ("vault secret", VAULT.to_owned()),
        ("upstream key", UPSTREAM.to_owned()),
        ("Tollgate key", sweep.key),
        ("proxy password", PROXY.to_owned()),
        ("prompt", PROMPT.to_owned()),
        ("answer", ANSWER.to_owned()),
        ("member's password", MEMBER.to_owned()),
    ];
    secrets.extend(tokens);
    for (name, what) in [("tg_sid", "session"), ("tg_device", "trusted device")] {
        let value = cookies.iter().find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
        secrets.push((what, value.unwrap_or_else(|| panic!("no {name}: {cookies:?}")).to_owned()));
    }
    let needles = Needles::new(&secrets);
    let mut found = needles.leaks("the log", log.as_bytes());
    for (what, answer) in &sweep.answers {
        found.extend(needles.leaks(what, answer.as_bytes()));
    }
    for file in files(dir.path()) {
        found.extend(needles.leaks(&file.display().to_string(), &std::fs::read(&file).unwrap()));
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
    // The search itself finds what is there.
    for (name, secret) in &secrets {
        let hidden = format!("{}x{secret}", &secret[..1]);
        assert!(
            needles.leaks("here", hidden.as_bytes()).iter().any(|leak| leak.starts_with(*name)),
            "{name}"
        );
    }
}

impl Sweep {
    fn note(&mut self, what: &str, answer: &Answer) {
        self.answers.push((what.to_owned(), answer.0.clone()));
    }

    async fn admin(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let answer = self.program.admin(method, path, body).await;
        // The new key is shown once, on purpose.
        if !(method == "POST" && path.ends_with("/keys")) {
            self.note(&format!("{method} {path}"), &answer);
        }
        answer
    }

    /// A call of the model surface; a good answer belongs to its caller, every other one is searched.
    async fn call(&mut self, path: &str, headers: &str, body: &str) {
        let answer = self.program.call("POST", path, headers, body).await;
        if answer.status() != 200 {
            self.note(path, &answer);
        }
    }

    async fn furnish(&mut self) {
        let base_url = self.upstream.base_url();
        for kind in ["anthropic", "openai", "gemini"] {
            let spec = json!({"name": kind, "kind": kind, "base_url": base_url, "api_key": UPSTREAM});
            assert_eq!(self.admin("POST", "/providers", spec).await.status(), 201);
        }
        let proxied = json!({
            "name": "proxied", "kind": "openai", "base_url": base_url, "api_key": UPSTREAM, "enabled": false,
            "proxy_url": format!("http://someone:{PROXY}@127.0.0.1:9/"),
        });
        assert_eq!(self.admin("POST", "/providers", proxied).await.status(), 201);
        let proxied = json!({
            "provider_id": 4, "name": "own way", "api_key": UPSTREAM, "enabled": false,
            "proxy_url": format!("socks5://someone:{PROXY}@127.0.0.1:9"),
        });
        let made = self.admin("POST", "/credentials", proxied).await;
        assert_eq!(made.status(), 201);
        assert_eq!(made.json()["proxy_url"], "socks5://someone:…@127.0.0.1:9");
        let user = json!({"name": "someone", "password": MEMBER});
        assert_eq!(self.admin("POST", "/users", user).await.status(), 201);
        let made = self.admin("POST", "/users/1/keys", json!({"name": "laptop"})).await;
        self.key = made.json()["key"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned();
    }

    /// The vendor repeats what it was sent, as careless ones do.
    fn script(&self) {
        self.upstream.script(Rule::always(Behaviour::saying(ANSWER)));
        for name in scenario::NAMES {
            if let Some(behaviour) = scenario::of_model(name) {
                self.upstream.script(Rule::model(name, behaviour));
            }
        }
        let message = format!("Incorrect API key provided: {UPSTREAM}");
        let echo = json!({"type": "error", "error": {"message": message, "type": "invalid_request_error"}})
            .to_string();
        for status in [200, 400, 401, 403, 404, 422, 429, 500, 503] {
            let behaviour =
                Behaviour { status: Some(status), ..Behaviour::body("application/json", echo.clone()) };
            self.upstream.script(Rule::model(&format!("echo-{status}"), behaviour));
        }
        let event = Behaviour::body("text/event-stream", format!("event: error\ndata: {echo}\n\n"));
        self.upstream.script(Rule::model("echo-event", event));
    }

    async fn traffic(&mut self) {
        let slow = |name: &str| ["stall", "slow", "bomb", "late"].iter().any(|word| name.contains(word));
        let mut models: Vec<String> = vec!["m-1".into(), "echo-event".into()];
        models.extend([200, 400, 401, 403, 404, 422, 429, 500, 503].map(|status| format!("echo-{status}")));
        models.extend(scenario::NAMES.iter().filter(|name| !slow(name)).map(|name| (*name).to_owned()));
        let key = self.key.clone();
        for face in FACES {
            for model in &models {
                for streaming in [false, true] {
                    let mut body = face.body(model, streaming);
                    body["system"] = json!(PROMPT);
                    let header = format!("Authorization: Bearer {key}\r\n");
                    self.call(&face.target(model, streaming), &header, &body.to_string()).await;
                }
            }
            // Keys in the wrong place, half a key, a broken body around the prompt.
            let path = face.target("m-1", false);
            let bad = format!("{{\"model\":\"m-1\",\"messages\":\"{PROMPT}\",}}");
            self.call(&path, &format!("x-api-key: {key}\r\n"), &bad).await;
            self.call(&path, &format!("Authorization: {key}\r\n"), "{}").await;
            self.call(&path, &format!("x-api-key: {key}\r\nx-goog-api-key: {key}x\r\n"), "{}").await;
            self.call(&format!("{path}?key={key}"), "", "{}").await;
            self.call(&format!("/v1/nothing?key={key}"), &format!("x-api-key: {key}\r\n"), "{}").await;
        }
    }

    /// Wrong secrets, secrets in wrong fields, and calls that use a secret.
    async fn doors(&mut self) {
        for bad in [format!("{ADMIN}x"), self.key.clone(), UPSTREAM.to_owned()] {
            for header in [format!("Authorization: Bearer {bad}\r\n"), format!("Authorization: {bad}\r\n")] {
                let answer = self.program.call("GET", "/api/admin/users", &header, "").await;
                assert_eq!(answer.status(), 401);
                self.note("a wrong bearer", &answer);
            }
        }
        let refused = self.program.sign_in(&format!("{ADMIN}x")).await;
        self.note("a wrong sign-in", &refused);
        let key = self.key.clone();
        self.admin("POST", "/keys/find", json!({ "key": key })).await;
        for id in 1..=3 {
            self.admin("POST", &format!("/providers/{id}/test"), json!({})).await;
            self.admin("POST", &format!("/credentials/{id}/check"), Value::Null).await;
        }
        let typo =
            json!({"name": "x", "kind": "openai", "base_url": "http://127.0.0.1:1", "api_kye": UPSTREAM});
        assert_eq!(self.admin("POST", "/providers", typo).await.status(), 422);
        let quoted = json!({"provider_id": 1, "api_key": format!("\"{UPSTREAM}\"")});
        self.admin("POST", "/credentials", quoted).await;
        self.admin("PATCH", "/credentials/1", json!({"api_key": UPSTREAM, "name": "renewed"})).await;
    }

    /// Everything that the interfaces for programs show.
    async fn read_everything(&mut self) {
        for path in [
            "/providers",
            "/providers/1",
            "/providers/4",
            "/credentials",
            "/credentials/1",
            "/users",
            "/users/1",
            "/keys",
            "/keys/1",
            "/requests?limit=200",
            "/audit?limit=200",
            "/settings",
            "/system",
            "/usage?by=key",
            "/overview",
            "/oauth/vendors",
            "/oauth/vendors/test",
            "/oauth/flows",
            "/pool",
            "/providers/1/vitals",
            "/openapi.json",
        ] {
            assert_eq!(self.admin("GET", path, Value::Null).await.status(), 200, "{path}");
        }
        let own = format!("x-api-key: {}\r\n", self.key);
        let rows = self.program.admin("GET", "/requests?limit=200", Value::Null).await.json();
        for row in rows["items"].as_array().unwrap() {
            let id = row["request_id"].as_str().unwrap();
            self.admin("GET", &format!("/requests/{id}"), Value::Null).await;
            let explained = self.program.call("GET", &format!("/v1/requests/{id}/explain"), &own, "").await;
            self.note("explain", &explained);
        }
        for (path, headers) in [
            ("/health", ""),
            ("/health/database", ""),
            ("/readyz", ""),
            ("/metrics", ""),
            ("/login", ""),
            ("/", ""),
            ("/v1/usage", own.as_str()),
            ("/v1/models", own.as_str()),
        ] {
            let answer = self.program.call("GET", path, headers, "").await;
            self.note(path, &answer);
        }
    }

    /// Every page and every answer that there is, by the matrix of routes, which a test holds complete.
    async fn read_every_route(&mut self, cookies: &[String]) {
        let rows = self.program.admin("GET", "/requests?limit=1", Value::Null).await.json();
        let request = rows["items"][0]["request_id"].as_str().unwrap().to_owned();
        let cookie = format!("Cookie: {}\r\n", cookies.join("; "));
        let bearer = format!("Authorization: Bearer {ADMIN}\r\n");
        let routes = include_str!("authz.csv").lines().filter_map(|line| line.strip_prefix("GET "));
        let (mut shown, mut others) = (0, Vec::new());
        for route in routes.map(|line| line.split(',').next().unwrap()) {
            // Streams without an end; what they say of requests is what the lists say.
            if route.ends_with("/live") || route.starts_with("/live/") {
                continue;
            }
            let path = [("{request_id}", request.as_str()), ("{name}", "test"), ("{model}", "m-1")]
                .iter()
                .fold(route.replace("{id}", "1"), |path, (hole, what)| path.replace(hole, what));
            let door = if path.starts_with("/api/") { &bearer } else { &cookie };
            let answer = self.program.call("GET", &path, door, "").await;
            if answer.status() == 200 {
                shown += 1;
            } else {
                others.push(format!("{path} {}", answer.status()));
            }
            self.note(&path, &answer);
        }
        assert!(shown > 85, "only {shown} routes showed anything: {others:?}");
    }

    /// Every page of the administrator's; answers the cookies of the session.
    async fn read_pages(&mut self) -> Vec<String> {
        let signed_in = self.program.sign_in(ADMIN).await;
        let set = signed_in.0.lines().filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
        let cookies: Vec<String> = set.map(str::to_owned).collect();
        assert!(!cookies.is_empty(), "{signed_in:?}");
        let header = format!("Cookie: {}\r\n", cookies.join("; "));
        for path in [
            "/",
            "/providers",
            "/providers/1",
            "/providers/4",
            "/users",
            "/users/1",
            "/keys",
            "/keys/1",
            "/requests",
            "/settings",
            "/audit",
            "/system",
            "/oauth",
            "/oauth/vendors/test",
            "/oauth/flows/1",
            "/oauth/flows/2",
            "/oauth/flows/3",
            "/pool",
            "/pool?history=6",
            "/credentials/import",
            "/api-docs",
        ] {
            let page = self.program.call("GET", path, &header, "").await;
            assert_eq!(page.status(), 200, "{path}: {page:?}");
            self.note(path, &page);
        }
        cookies
    }
}
