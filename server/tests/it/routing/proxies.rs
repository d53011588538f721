//! Outbound proxies: whose wins, which kinds, and what each fault of theirs is called (`UP`, U52).

use fakeup::refused_url;
use gateway::OutboundProxy;
use serde_json::{Value, json};
use types::Secret;

use super::{chain, fresh};
use crate::rig::Rig;
use crate::rig::certificates::Authority;
use crate::rig::faces::CHAT;
use crate::rig::names::Names;
use crate::rig::proxies::{FakeProxy, Manner};

/// Everything that the test asks for goes to one vendor, however it is called.
async fn proxy(rig: &Rig, manner: Manner, wants_login: bool) -> FakeProxy {
    FakeProxy::start(manner, rig.upstream.addr(), wants_login).await
}

async fn served(rig: &Rig) {
    let (got, row) = rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((got.status, chain(&row, "outcome")), (200, vec!["done".to_owned()]), "{}", got.text());
}

#[tokio::test]
async fn a_credentials_own_proxy_wins_over_its_providers_and_that_over_the_processes() {
    let house = FakeProxy::start(Manner::Http, ([127, 0, 0, 1], 9).into(), false).await;
    let own = Secret::new(house.bare_url("http"));
    let rig = Rig::bare_with(|config| {
        config.outbound = OutboundProxy { http: Some(own), ..OutboundProxy::default() };
    })
    .await;
    let (credentials, providers) =
        (proxy(&rig, Manner::Http, true).await, proxy(&rig, Manner::Http, true).await);
    let provider = rig.pool("openai", json!({"proxy_url": providers.url("http")}), &[]).await;
    let id = rig.credential(provider, "up-own", json!({"proxy_url": credentials.url("http")})).await;
    let path = format!("/credentials/{id}");

    let shown = rig.server.admin("GET", &path, &Value::Null).await;
    assert_eq!(shown["proxy_url"], format!("http://user:…@{}", credentials.address));
    served(&rig).await;
    let line = format!("POST {}/v1/chat/completions HTTP/1.1", rig.upstream.base_url());
    assert_eq!((credentials.seen(), providers.seen()), (vec![line.clone()], vec![]), "a whole address, once");
    let tested = rig.server.admin("POST", &format!("{path}/check"), &Value::Null).await;
    assert_eq!((&tested["ok"], credentials.seen().len()), (&json!(true), 2), "{tested}");
    let tested =
        rig.server.admin("POST", &format!("/providers/{provider}/test"), &json!({"model": "m-1"})).await;
    assert_eq!((&tested["ok"], credentials.seen().len()), (&json!(true), 3), "{tested}");
    let login = |entry: &fakeup::Entry| entry.request.header("proxy-authorization").is_some();
    assert!(!rig.upstream.invoice().iter().any(login), "the proxy's login is for the proxy alone");

    rig.change(&path, json!({"name": "renamed"})).await;
    served(&rig).await;
    assert_eq!((credentials.seen().len(), providers.seen().len()), (4, 0), "another change keeps it");
    rig.change(&path, json!({"proxy_url": null})).await;
    served(&rig).await;
    assert_eq!((credentials.seen().len(), providers.seen()), (4, vec![line]));
    rig.change(&format!("/providers/{provider}"), json!({"proxy_url": null})).await;
    rig.asked(fresh(CHAT, "m-1", true)).await;
    assert_eq!((providers.seen().len(), house.seen().len()), (1, 1));
}

#[tokio::test]
async fn every_kind_of_proxy_leads_to_an_upstream_behind_tls() {
    let authority = Authority::new();
    let file = authority.file();
    let rig = Rig::bare_with(|config| config.extra_ca_file = Some(file)).await;
    let front = authority.sign(&["127.0.0.1", "vendor.test"]).before(rig.upstream.addr()).await;
    let http = FakeProxy::start(Manner::Http, front.address, true).await;
    let socks = FakeProxy::start(Manner::Socks, front.address, true).await;
    let over_tls = authority.sign(&["127.0.0.1"]).before(http.address).await;
    // A name that only the proxy knows, and the address itself.
    let (named, bare) = ("https://vendor.test".to_owned(), front.url());
    let at = front.address.port();
    let provider = rig.provider("openai", json!({"base_url": named})).await;
    for (base_url, url, proxy, asked) in [
        (&named, http.url("http"), &http, "CONNECT vendor.test:443 HTTP/1.1".to_owned()),
        (&bare, http.url("http"), &http, format!("CONNECT 127.0.0.1:{at} HTTP/1.1")),
        (
            &named,
            format!("https://user:p%40ss@{}", over_tls.address),
            &http,
            "CONNECT vendor.test:443 HTTP/1.1".to_owned(),
        ),
        (&named, socks.url("socks5h"), &socks, "vendor.test:443".to_owned()),
        (&bare, socks.url("socks5"), &socks, format!("127.0.0.1:{at}")),
    ] {
        let change = json!({"base_url": base_url, "proxy_url": url});
        rig.change(&format!("/providers/{provider}"), change).await;
        let before = proxy.seen().len();
        served(&rig).await;
        assert_eq!(proxy.seen()[before..], [asked], "{base_url}");
        served(&rig).await;
        assert_eq!(proxy.seen().len(), before + 1, "the connection is kept");
    }
}

#[tokio::test]
async fn fault_u52_each_fault_of_a_proxy_has_its_own_sentence() {
    let (authority, names) = (Authority::new(), Names::start().await);
    let (file, server) = (authority.file(), names.address);
    let rig = Rig::bare_with(|config| {
        config.extra_ca_file = Some(file);
        config.dns.servers = vec![server];
    })
    .await;
    rig.setting("affinity.enabled", "false").await;
    let strict = proxy(&rig, Manner::Http, true).await;
    let closed = proxy(&rig, Manner::HttpWithoutTunnels, false).await;
    let socks = proxy(&rig, Manner::Socks, true).await;
    let stranger = crate::rig::certificates::self_signed(&["127.0.0.1"], false).before(strict.address).await;
    let (plain, tls) = (rig.upstream.base_url(), "https://vendor.test".to_owned());
    let provider = rig.provider("openai", json!({})).await;
    let credential = rig.items("/credentials").await[0]["id"].clone();
    let wrong = |scheme: &str, at: &FakeProxy| format!("{scheme}://user:wrong@{}", at.address);
    for (base_url, url, words) in [
        (&plain, refused_url().unwrap(), "cannot be reached"),
        (&tls, refused_url().unwrap(), "cannot be reached"),
        (&plain, strict.bare_url("http"), "wants a user name and a password (407)"),
        (&plain, wrong("http", &strict), "refuses its user name and password (407)"),
        (&tls, wrong("http", &strict), "refuses its user name and password (407)"),
        (&tls, stranger.url(), "TLS to the outbound proxy"),
        (&tls, "http://nowhere.test:3128".into(), "DNS: the outbound proxy nowhere.test:3128"),
        (&tls, closed.bare_url("http"), "refuses the way to vendor.test:443: HTTP 403"),
        (&plain, wrong("socks5h", &socks), "refuses its user name and password"),
        (&plain, socks.bare_url("socks5h"), "wants a user name and a password"),
        (&tls, strict.bare_url("socks5h"), "the outbound proxy made no connection within 400 ms"),
    ] {
        // Where it is not the time that is told, it must not be what ends it.
        let connect_ms = if words.ends_with("400 ms") { 400 } else { 10_000 };
        let change = json!({"base_url": base_url, "timeouts": {"connect_ms": connect_ms}});
        rig.change(&format!("/providers/{provider}"), change).await;
        rig.change(&format!("/credentials/{credential}"), json!({"proxy_url": url})).await;
        let tested =
            rig.server.admin("POST", &format!("/credentials/{credential}/check"), &Value::Null).await;
        let said = tested["error"].as_str().unwrap_or_else(|| panic!("{url}: {tested}"));
        assert!(said.contains(words) && !said.contains("wrong"), "{url}: {said}");
        rig.recover().await;
        let (got, row) = rig.asked(fresh(CHAT, "m-1", false)).await;
        assert_eq!((got.status, got.code().as_str()), (502, "proxy_error"), "{url}: {}", got.text());
        assert_eq!(
            (chain(&row, "class"), chain(&row, "commit")),
            (vec!["system".into()], vec!["not_sent".into()])
        );
    }
    assert_eq!(rig.seen().len(), 0, "nothing reached the vendor but what was no request for a model");
    let trail = rig.items("/audit?object=credential&limit=200").await;
    let told =
        |words: &str| trail.iter().any(|entry| entry["after"]["proxy_url"].to_string().contains(words));
    assert!(told("socks5h://user:…@") && told("http://nowhere.test:3128"), "{trail:?}");
    assert!(!trail.iter().any(|entry| entry.to_string().contains("wrong")), "{trail:?}");
}

#[tokio::test]
async fn an_address_that_is_no_proxy_is_refused_with_its_field() {
    let rig = Rig::bare().await;
    let provider = rig.provider("openai", json!({})).await;
    let input = json!({"provider_id": provider, "api_key": "k", "weight": 0, "proxy_url": "ftp://p"});
    let refused = rig.server.admin("POST", "/credentials", &input).await;
    let fields = refused["error"]["details"]["fields"].as_object().or(refused["error"]["fields"].as_object());
    let mut names: Vec<_> = fields.unwrap_or_else(|| panic!("{refused}")).keys().collect();
    names.sort();
    assert_eq!(names, ["proxy_url", "weight"], "all faults at once: {refused}");
}
