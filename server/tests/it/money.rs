//! Money through the public routes: what is booked is what the vendor bills, and what limits leave is never exceeded.

mod compacted;
mod contract;
mod cost;
mod instances;
mod limits;
mod packages;
mod rush;

use fakeup::Tokens;
use serde_json::{Value, json};

use crate::harness::ADMIN_TOKEN;
use crate::rig::Rig;

/// The list price of every `m-…` model in these tests, in nano-USD per one million tokens.
const INPUT: u128 = 3_000_000_000;
const OUTPUT: u128 = 15_000_000_000;
const CACHE_READ: u128 = 300_000_000;
const CACHE_5M: u128 = 3_750_000_000;
const CACHE_1H: u128 = 6_000_000_000;

/// The same as it is entered.
fn price() -> Value {
    json!({
        "input_per_million_usd": "3", "output_per_million_usd": "15", "cache_read_per_million_usd": "0.3",
        "cache_write_5m_per_million_usd": "3.75", "cache_write_1h_per_million_usd": "6",
        "max_output_tokens": 4096,
    })
}

/// What a vendor's tokens cost at list price, in nano-USD: worked out here a second time, by hand.
fn list_price(tokens: Tokens) -> u128 {
    let line = |count: u64, rate: u128| (u128::from(count) * rate).div_ceil(1_000_000);
    line(tokens.input, INPUT)
        + line(tokens.output, OUTPUT)
        + line(tokens.cache_read, CACHE_READ)
        + line(tokens.cache_write - tokens.cache_write_1h, CACHE_5M)
        + line(tokens.cache_write_1h, CACHE_1H)
}

/// Nano-USD of an amount in an answer.
fn nano(value: &Value) -> u128 {
    let text = value.as_str().unwrap_or_else(|| panic!("no amount: {value}"));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

/// An amount of nano-USD as text.
fn usd(nano: u128) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

impl Rig {
    /// Sets a setting.
    async fn set(&self, name: &str, value: &str) {
        let answer = self.server.admin("PUT", &format!("/settings/{name}"), &json!({ "value": value })).await;
        assert!(answer.get("error").is_none(), "{name}: {answer}");
    }

    /// Prices models with the list price.
    async fn priced(&self, models: &[&str]) {
        for model in models {
            let answer = self.server.admin("PUT", &format!("/prices/{model}"), &price()).await;
            assert_eq!(answer["model"], *model, "{answer}");
        }
    }

    /// The audit of the books finds nothing, once everything that was asked has ended.
    async fn audited(&self) {
        let report = self.server.admin("GET", "/ledger/audit", &Value::Null).await;
        assert_eq!(report["violations"], json!([]), "{report}");
        assert!(report["checked"].as_u64().is_some_and(|checked| checked > 0), "{report}");
    }

    /// Lets usage count from zero again.
    async fn reset(&self, path: &str) {
        let head = format!("POST /api/admin{path}/usage-reset HTTP/1.1\r\nHost: a\r\n");
        let auth = format!("Authorization: Bearer {ADMIN_TOKEN}\r\nContent-Length: 0\r\n");
        let answer = self.server.raw(format!("{head}{auth}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
    }

    /// One limit of the rig's user or key as it stands.
    async fn quota(&self, scope: &str, name: &str) -> Value {
        let query = if scope == "user" {
            format!("/quotas?user_id={}", self.user_id)
        } else {
            format!("/quotas?key_id={}", self.key_id)
        };
        let lines = self.server.admin("GET", &query, &Value::Null).await;
        let found = lines["items"]
            .as_array()
            .and_then(|all| all.iter().find(|line| line["scope"] == scope && line["limit_name"] == name));
        found.unwrap_or_else(|| panic!("no {name} of {scope}: {lines}")).clone()
    }
}
