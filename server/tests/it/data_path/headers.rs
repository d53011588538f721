//! Which headers cross, and which never do.

use fakeup::Behaviour;

use crate::rig::Rig;
use crate::rig::faces::FACES;

#[tokio::test]
async fn t_hdr_an_upstream_sees_what_concerns_it_and_nothing_else() {
    let rig = Rig::start().await;
    let passes = [
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "a-1,b-2"),
        ("openai-beta", "responses=v1"),
        ("user-agent", "claude-cli/2.1.329 (external, cli)"),
        ("accept", "application/json"),
        ("x-app", "cli"),
        ("x-stainless-retry-count", "1"),
        ("x-claude-code-session-id", "6f1c9d0e"),
        ("x-codex-window-id", "w"),
        ("session-id", "s"),
        ("originator", "codex_exec"),
        ("x-goog-api-client", "gl-node/22"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    let stays = [
        ("cookie", "session=secret"),
        ("accept-encoding", "gzip, br, zstd"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
        ("via", "1.1 proxy"),
        ("proxy-authorization", "Basic c2VjcmV0"),
        ("te", "trailers"),
        ("x-hop", "of-this-hop"),
        ("connection", "keep-alive, x-hop"),
        ("x-internal-note", "do not show"),
        ("origin", "https://example.org"),
        ("referer", "https://example.org/page"),
        ("cf-connecting-ip", "203.0.113.9"),
    ];
    for face in FACES {
        let mut ask = rig.keyed(face.ask("m-1", true));
        for (name, value) in passes.iter().chain(&stays) {
            ask = ask.header(name, value);
        }
        let got = rig.ask(ask).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let entries = rig.upstream.invoice();
        let request = &entries.last().unwrap().request;
        for (name, value) in passes {
            assert_eq!(request.header(name), Some(value), "{face:?} {name}");
        }
        for (name, value) in stays {
            let seen = request.headers.iter().any(|(_, known)| known == value);
            assert!(!seen, "{face:?} {name}: {:?}", request.headers);
        }
        assert_eq!(request.header("accept-encoding").unwrap_or("identity"), "identity");
        assert_eq!(request.header("host"), Some(rig.upstream.addr().to_string().as_str()));
        assert_eq!(
            request.headers.iter().filter(|(_, value)| value.contains("up-")).count(),
            1,
            "one credential"
        );
        let text = format!("{:?} {}", request.headers, request.target);
        assert!(!text.contains(&rig.key) && !text.contains("sk-tg"), "the caller's key stays here: {text}");
    }
}

#[tokio::test]
async fn fault_u44_a_caller_sees_nothing_of_the_upstreams_household() {
    let rig = Rig::start().await;
    let behaviour = Behaviour::default()
        .header("set-cookie", "sid=upstream")
        .header("connection", "keep-alive, x-private")
        .header("x-private", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-authenticate", "Basic")
        .header("server", "vendor/1.0")
        .header("x-ratelimit-remaining-requests", "3")
        .header("anthropic-organization-id", "org-secret")
        .header("openai-organization", "org-secret")
        .header("x-request-id", "req_vendor")
        .header("alt-svc", "h3=\":443\"")
        .header("strict-transport-security", "max-age=1")
        .header("access-control-allow-origin", "*")
        .header("openai-processing-ms", "12");
    rig.on_model("m-headers", behaviour);
    for face in FACES {
        for (_, ask) in face.both("m-headers") {
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 200);
            for name in [
                "set-cookie",
                "x-private",
                "keep-alive",
                "proxy-authenticate",
                "server",
                "x-ratelimit-remaining-requests",
                "anthropic-organization-id",
                "openai-organization",
                "alt-svc",
                "strict-transport-security",
                "access-control-allow-origin",
                "request-id",
            ] {
                assert!(!got.headers.contains_key(name), "{name}: {:?}", got.headers);
            }
            assert!(!got.header("connection").contains("x-private"), "{:?}", got.headers);
            assert_eq!(got.header("openai-processing-ms"), "12");
            assert_eq!(got.headers.get_all("x-request-id").iter().collect::<Vec<_>>(), [id.as_str()]);
            assert!(got.headers.get_all("content-length").iter().count() <= 1);
        }
    }
}

#[tokio::test]
async fn a_stream_is_marked_against_caches_and_buffers() {
    let rig = Rig::start().await;
    for face in FACES {
        let got = rig.ask(rig.keyed(face.ask("m-1", true))).await;
        assert_eq!(
            (got.header("cache-control"), got.header("x-accel-buffering")),
            ("no-cache", "no"),
            "{face:?}"
        );
    }
}
