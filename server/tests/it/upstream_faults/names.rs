//! Names that lead nowhere, nowhere yet, or where they must not, and addresses that swallow connections.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::outcomes;
use crate::rig::Rig;
use crate::rig::client::Got;
use crate::rig::faces::{CHAT, FACES};
use crate::rig::names::{Names, Says};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A rig whose names are looked up by the answered server, for this long.
async fn with_names(timeout_ms: u64, more: &[SocketAddr]) -> (Rig, Names) {
    let names = Names::start().await;
    let mut servers = more.to_vec();
    servers.push(names.address);
    let rig = Rig::bare_with(|config| {
        config.dns.servers = servers;
        config.dns.timeout_ms = timeout_ms;
    })
    .await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    (rig, names)
}

/// A provider at a name and the vendor's port.
async fn at(rig: &Rig, name: &str) -> i64 {
    let base_url = format!("http://{name}:{}", rig.upstream.addr().port());
    rig.provider("openai", json!({"name": name, "base_url": base_url, "priority": 0})).await
}

async fn asked(rig: &Rig) -> (Got, Value) {
    let ask = rig.keyed(CHAT.ask("m-1", true));
    let id = ask.id.clone();
    (rig.ask(ask).await, rig.row(&id).await)
}

/// Lets the next request open a connection of its own.
async fn anew(rig: &Rig, provider: i64, connect_ms: u64) {
    rig.recover().await;
    rig.change(&format!("/providers/{provider}"), json!({"timeouts": {"connect_ms": connect_ms}})).await;
}

/// Somebody who listens and takes no connection any more: his backlog is full.
async fn black_hole(address: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let (address, mut held) = (listener.local_addr().unwrap(), Vec::new());
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
    {
        held.push(stream.unwrap());
        assert!(held.len() < 64, "it still takes connections");
    }
    (listener, held)
}

#[tokio::test]
async fn fault_u02_an_address_that_swallows_connections_is_left_after_the_connect_time() {
    let rig = Rig::bare().await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    let (listener, _held) = black_hole(([127, 0, 0, 1], 0).into()).await;
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let timeouts = json!({"connect_ms": 100});
    for kind in ["anthropic", "openai", "gemini"] {
        let spec = json!({"name": format!("hole {kind}"), "base_url": base_url, "priority": 0, "timeouts": timeouts});
        rig.provider(kind, spec).await;
    }
    for face in FACES {
        let ask = rig.keyed(face.ask("m-1", true));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        face.assert_error(&got.json(), 504, "upstream_timeout", &id);
        assert!(got.status == 504 && got.text().contains("(connect)"), "{}", got.text());
        let row = rig.row(&id).await;
        assert_eq!(
            (outcomes(&row), row["attempts"][0]["commit"].as_str()),
            (vec!["timed_out"], Some("not_sent"))
        );
    }
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(kind, json!({"priority": 5})).await;
    }
    for face in FACES {
        rig.recover().await;
        let ask = rig.keyed(face.ask("m-1", true));
        let id = ask.id.clone();
        assert_eq!(rig.ask(ask).await.status, 200, "{face:?}");
        let row = rig.row(&id).await;
        assert_eq!(outcomes(&row), ["timed_out", "done"]);
        assert!(row["duration_ms"].as_u64().unwrap() < 8_000, "{row}");
    }
}

#[tokio::test]
async fn fault_u03_a_name_that_does_not_exist_is_said_and_not_asked_for_again_at_once() {
    let (rig, names) = with_names(2_000, &[]).await;
    let id = at(&rig, "nowhere.test").await;
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, got.code().as_str()), (502, "upstream_dns_error"), "{}", got.text());
    assert!(got.text().contains("there is no such name"), "{}", got.text());
    assert_eq!(
        (outcomes(&row), row["attempts"][0]["class"].as_str()),
        (vec!["connect_failed"], Some("system"))
    );
    let questions = names.asked("nowhere.test");
    rig.provider("openai", json!({"priority": 5})).await;
    rig.recover().await;
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["connect_failed", "done"]), "{}", got.text());
    assert_eq!(names.asked("nowhere.test"), questions, "remembered for five seconds");
    // The button says the same.
    let tested = rig.server.admin("POST", &format!("/providers/{id}/test"), &json!({})).await;
    assert!(tested["error"].as_str().unwrap().contains("there is no such name"), "{tested}");
}

#[tokio::test]
async fn fault_u04_where_nobody_answers_for_a_name_its_last_addresses_serve() {
    for silence in [Says::Code(2), Says::Code(5), Says::Nothing] {
        let (rig, names) = with_names(200, &[]).await;
        names.say("vendor.test", silence.clone());
        let id = at(&rig, "vendor.test").await;
        let started = tokio::time::Instant::now();
        let (got, row) = asked(&rig).await;
        assert_eq!((got.status, got.code().as_str()), (502, "upstream_dns_timeout"), "{}", got.text());
        assert_eq!(
            (outcomes(&row), row["attempts"][0]["commit"].as_str()),
            (vec!["connect_failed"], Some("not_sent"))
        );
        assert!(started.elapsed() < Duration::from_secs(8), "{silence:?}");

        names.say("vendor.test", Says::Addresses(vec![HERE]));
        rig.recover().await;
        let (got, _) = asked(&rig).await;
        assert_eq!(got.status, 200, "a failure is not remembered: {}", got.text());
        names.say("vendor.test", silence.clone());
        anew(&rig, id, 5_000).await;
        let questions = names.asked("vendor.test");
        let (got, _) = asked(&rig).await;
        assert_eq!(got.status, 200, "{silence:?}: {}", got.text());
        assert!(names.asked("vendor.test") > questions, "it was asked for, in vain");
    }
}

#[tokio::test]
async fn fault_u04_a_slow_name_server_is_not_waited_for_and_serves_the_next_one() {
    let (rig, names) = with_names(100, &[]).await;
    names.say("vendor.test", Says::Late(Duration::from_millis(160), vec![HERE]));
    at(&rig, "vendor.test").await;
    rig.provider("openai", json!({"priority": 5})).await;
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["connect_failed", "done"]), "{}", got.text());
    let until = tokio::time::Instant::now() + crate::rig::SOON;
    loop {
        rig.recover().await;
        let (_, row) = asked(&rig).await;
        if outcomes(&row) == ["done"] {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{row}");
    }
}

#[tokio::test]
async fn fault_u04_a_dead_name_server_is_passed_over_and_long_answers_come_by_tcp() {
    let dead = tokio::net::UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let (rig, names) = with_names(1_000, &[dead.local_addr().unwrap()]).await;
    names.say("vendor.test", Says::Long(vec![HERE]));
    at(&rig, "vendor.test").await;
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["done"]), "{}", got.text());
}

#[tokio::test]
async fn fault_u05_a_name_that_leads_to_a_forbidden_range_is_denied_even_if_it_did_not_before() {
    let (rig, names) = with_names(2_000, &[]).await;
    let metadata: IpAddr = "169.254.169.254".parse().unwrap();
    names.say("vendor.test", Says::Addresses(vec![HERE]));
    let id = at(&rig, "vendor.test").await;
    assert_eq!(asked(&rig).await.0.status, 200);
    for bad in ["169.254.169.254", "0.0.0.0", "fe80::1", "::ffff:169.254.169.254", "fd00:ec2::254"] {
        names.say("vendor.test", Says::Addresses(vec![bad.parse().unwrap()]));
        anew(&rig, id, 5_000 + u64::try_from(bad.len()).unwrap()).await;
        let (got, row) = asked(&rig).await;
        assert_eq!((got.status, got.code().as_str()), (502, "egress_denied"), "{bad}: {}", got.text());
        assert_eq!(
            (outcomes(&row), row["attempts"][0]["commit"].as_str()),
            (vec!["connect_failed"], Some("not_sent"))
        );
    }
    // Of several addresses only the open one is used.
    names.say("vendor.test", Says::Addresses(vec![metadata, HERE]));
    anew(&rig, id, 6_000).await;
    assert_eq!(asked(&rig).await.0.status, 200);
}

#[tokio::test]
async fn up_a_dead_first_address_of_a_name_costs_a_share_of_the_connect_time_and_no_attempt() {
    let (rig, names) = with_names(2_000, &[]).await;
    let other: IpAddr = "127.0.0.2".parse().unwrap();
    names.say("vendor.test", Says::Addresses(vec![other, HERE]));
    let id = at(&rig, "vendor.test").await;
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["done"]), "refused there: {}", got.text());
    let (_listener, _held) = black_hole((other, rig.upstream.addr().port()).into()).await;
    anew(&rig, id, 400).await;
    let (got, row) = asked(&rig).await;
    assert_eq!((got.status, outcomes(&row)), (200, vec!["done"]), "swallowed there: {}", got.text());
}
