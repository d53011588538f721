//! Certificates that are not believed, each for a reason of its own (U6), and those that are.

use rcgen::date_time_ymd;
use serde_json::json;

use super::outcomes;
use crate::rig::Rig;
use crate::rig::certificates::{Authority, Identity, self_signed};
use crate::rig::faces::CHAT;

const NAMES: &[&str] = &["127.0.0.1"];

#[tokio::test]
async fn fault_u06_every_fault_of_a_certificate_has_its_own_code_and_nothing_is_sent() {
    let (authority, renewed, stranger) = (Authority::new(), Authority::new(), Authority::called("nobody"));
    let file = authority.file();
    let rig = Rig::bare_with(|config| config.extra_ca_file = Some(file)).await;
    rig.server.admin("PUT", "/settings/affinity.enabled", &json!({"value": "false"})).await;
    let expired = |params: &mut rcgen::CertificateParams| {
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    };
    let future = |params: &mut rcgen::CertificateParams| {
        (params.not_before, params.not_after) = (date_time_ymd(3001, 1, 1), date_time_ymd(3002, 1, 1));
    };
    let cases: [(&str, Identity, &str, &str); 7] = [
        ("expired", authority.sign_as(NAMES, expired), "upstream_tls_expired", "has expired"),
        ("future", authority.sign_as(NAMES, future), "upstream_tls_expired", "is not valid yet"),
        (
            "other",
            authority.sign(&["vendor.test"]),
            "upstream_tls_wrong_host",
            "for other names than 127.0.0.1",
        ),
        ("self", self_signed(NAMES, false), "upstream_tls_self_signed", "put it into EXTRA_CA_FILE"),
        ("self as authority", self_signed(NAMES, true), "upstream_tls_self_signed", "CA:TRUE"),
        ("renewed", renewed.sign(NAMES), "upstream_tls_unknown_ca", "has another key"),
        ("stranger", stranger.sign(NAMES), "upstream_tls_unknown_ca", "is not believed here"),
    ];
    let mut fronts = Vec::new();
    for (name, identity, code, words) in cases {
        let front = identity.before(rig.upstream.addr()).await;
        let id = rig.provider("openai", json!({"name": name, "base_url": front.url(), "priority": 0})).await;
        let ask = rig.keyed(CHAT.ask("m-1", true));
        let request = ask.id.clone();
        let got = rig.ask(ask).await;
        CHAT.assert_error(&got.json(), 502, code, &request);
        assert!(got.status == 502 && got.text().contains(words), "{name}: {}", got.text());
        let row = rig.row(&request).await;
        let attempt = &row["attempts"][0];
        assert_eq!(
            (outcomes(&row), attempt["class"].as_str(), attempt["commit"].as_str()),
            (vec!["connect_failed"], Some("system"), Some("not_sent"))
        );
        let tested = rig.server.admin("POST", &format!("/providers/{id}/test"), &json!({})).await;
        assert!(tested["error"].as_str().unwrap().contains(words), "{name}: {tested}");
        rig.change(&format!("/providers/{id}"), json!({"enabled": false})).await;
        fronts.push((id, front));
    }
    assert!(rig.seen().is_empty(), "nothing was sent, encrypted or not");

    // The others are tried, and a good certificate serves.
    let front = authority.sign(NAMES).before(rig.upstream.addr()).await;
    rig.provider("openai", json!({"name": "good", "base_url": front.url(), "priority": 5})).await;
    rig.change(&format!("/providers/{}", fronts[0].0), json!({"enabled": true})).await;
    rig.recover().await;
    let ask = rig.keyed(CHAT.ask("m-1", false));
    let request = ask.id.clone();
    assert_eq!(rig.ask(ask).await.status, 200);
    assert_eq!(outcomes(&rig.row(&request).await), ["connect_failed", "done"]);
}

#[tokio::test]
async fn fault_u06_a_certificate_that_vouches_for_itself_is_believed_if_the_operator_says_so() {
    let (own, dir) = (self_signed(NAMES, false), tempfile::tempdir().unwrap());
    let file = own.file(&dir);
    let rig = Rig::bare_with(|config| config.extra_ca_file = Some(file)).await;
    let front = own.before(rig.upstream.addr()).await;
    rig.provider("openai", json!({"base_url": front.url()})).await;
    let got = rig.ask(rig.keyed(CHAT.ask("m-1", false))).await;
    assert_eq!(got.status, 200, "{}", got.text());
}
