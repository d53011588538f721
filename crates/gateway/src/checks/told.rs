//! What an answer says beside a verdict: usage windows and money (EX-12). It only reads.

use serde_json::Value;
use types::Timestamp;
use types::allowance::{Allowance, AllowanceBalance, AllowanceWindow};
use types::oauth::{BalanceSpec, ProbeSpec};

/// Currencies that are read, and how long a number may be.
const MOST: usize = 8;
const LONGEST: usize = 30;

/// What an answer tells, as its probe says where; `None` if nothing.
pub(super) fn allowance(probe: &ProbeSpec, body: &Value, now: Timestamp) -> Option<Allowance> {
    let windows = windows(probe, body);
    let balances = probe.balance.as_ref().map(|spec| balances(spec, body, now)).unwrap_or_default();
    (!windows.is_empty() || !balances.is_empty()).then_some(Allowance { at: now, windows, balances })
}

/// Whether there is enough money to be served, if the answer says so or the contrary.
pub(super) fn is_funded(probe: &ProbeSpec, body: &Value) -> Option<bool> {
    funded(probe.balance.as_ref()?, body)
}

fn funded(spec: &BalanceSpec, body: &Value) -> Option<bool> {
    let at = Some(&spec.available).filter(|at| !at.is_empty())?;
    body.pointer(at)?.as_bool()
}

fn windows(probe: &ProbeSpec, body: &Value) -> Vec<AllowanceWindow> {
    let window = |(member, name): (&String, &String)| {
        let told = body.get(member)?;
        let used_percent = routing::allowance::whole_percent(told.get("utilization")?.as_f64()?)?;
        let resets_at = told.get("resets_at").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Some(AllowanceWindow { name: name.clone(), used_percent, resets_at, stops: !name.contains('_') })
    };
    probe.windows.iter().filter_map(window).collect()
}

fn balances(spec: &BalanceSpec, body: &Value, now: Timestamp) -> Vec<AllowanceBalance> {
    let held = match body.pointer(&spec.list) {
        Some(Value::Array(items)) => items.iter().take(MOST).collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let spent = funded(spec, body) == Some(false);
    let balance = |entry: &Value| {
        let (left, amount) = number(entry, &spec.left)?;
        let of = Some(&spec.of).filter(|at| !at.is_empty()).and_then(|at| number(entry, at));
        let used_percent = match &of {
            _ if amount <= 0.0 || spent => Some(100),
            Some((_, whole)) if *whole > 0.0 => {
                routing::allowance::whole_percent(((whole - amount) / whole * 100.0).clamp(0.0, 100.0))
            }
            _ => None,
        };
        let currency = match spec.currency.strip_prefix('/') {
            Some(_) => entry.pointer(&spec.currency)?.as_str()?,
            None => spec.currency.as_str(),
        };
        let currency = currency.chars().filter(char::is_ascii_alphanumeric).take(MOST).collect();
        Some(AllowanceBalance { at: now, currency, left, of: of.map(|(text, _)| text), used_percent })
    };
    held.into_iter().filter_map(balance).collect()
}

/// A number, or a text that is one, as it is written and as it counts.
fn number(entry: &Value, pointer: &str) -> Option<(String, f64)> {
    let text = match entry.pointer(pointer)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let amount = text.parse::<f64>().ok().filter(|amount| amount.is_finite())?;
    (text.len() <= LONGEST).then_some((text, amount))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use types::provider::ProviderKind;

    use super::*;

    #[test]
    fn ex_12_windows_are_read_out_of_the_usage_answer() {
        let probe = oauth::preset("claude").unwrap().probe.clone().unwrap();
        let body = json!({
            "five_hour": {"utilization": 64.9, "resets_at": "2026-11-21T10:00:00.5+00:00"},
            "seven_day": {"utilization": 12, "resets_at": null},
            "seven_day_opus": {"utilization": 99.0},
            "seven_day_sonnet": null,
            "extra_usage": {"utilization": 100},
        });
        let told = allowance(&probe, &body, Timestamp(7)).unwrap();
        let lines: Vec<_> = told.windows.iter().map(|w| (w.name.as_str(), w.used_percent, w.stops)).collect();
        assert_eq!(lines, [("5h", 64, true), ("7d", 12, true), ("7d_opus", 99, false)]);
        assert_eq!(told.windows[0].resets_at, Some("2026-11-21T10:00:00.5Z".parse().unwrap()));
        for nonsense in [
            json!({}),
            json!([]),
            json!({"five_hour": {"utilization": "a lot"}}),
            json!({"five_hour": {"utilization": -1}}),
        ] {
            assert_eq!(allowance(&probe, &nonsense, Timestamp(7)), None, "{nonsense}");
        }
    }

    fn told(base_url: &str, body: &Value) -> Vec<(String, String, Option<String>, Option<u32>)> {
        let known = oauth::key_probe(ProviderKind::OpenAiCompatible, base_url, "sk-x").unwrap();
        let told = allowance(&known.probe, body, Timestamp(7)).map(|told| told.balances).unwrap_or_default();
        told.into_iter().map(|money| (money.currency, money.left, money.of, money.used_percent)).collect()
    }

    #[test]
    fn ex_12_each_vendors_balance_is_read() {
        let line = |currency: &str, left: &str, of: Option<&str>, used| {
            (currency.to_owned(), left.to_owned(), of.map(str::to_owned), used)
        };
        let deepseek = json!({"is_available": true, "balance_infos": [
            {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00"},
            {"currency": "USD", "total_balance": "0.00"},
        ]});
        let expected = [line("CNY", "110.00", None, None), line("USD", "0.00", None, Some(100))];
        assert_eq!(told("https://api.deepseek.com", &deepseek), expected);
        let refused = json!({"is_available": false, "balance_infos": [
            {"currency": "CNY", "total_balance": "0.30"},
        ]});
        let expected = [line("CNY", "0.30", None, Some(100))];
        assert_eq!(told("https://api.deepseek.com", &refused), expected, "too little is nothing");
        let openrouter =
            json!({"data": {"label": "x", "limit": 100, "limit_remaining": 74.5, "usage": 25.5}});
        let expected = [line("USD", "74.5", Some("100"), Some(25))];
        assert_eq!(told("https://openrouter.ai/api/v1", &openrouter), expected);
        let unlimited = json!({"data": {"limit": null, "limit_remaining": null, "usage": 25.5}});
        assert_eq!(told("https://openrouter.ai/api/v1", &unlimited), []);
        let moonshot = json!({"code": 0, "data": {"available_balance": -0.5, "cash_balance": -0.5}});
        assert_eq!(told("https://api.moonshot.cn/v1", &moonshot), [line("CNY", "-0.5", None, Some(100))]);
        let siliconflow = json!({"code": 20000, "data": {"balance": "0.88", "totalBalance": "88.88"}});
        assert_eq!(told("https://api.siliconflow.com", &siliconflow), [line("USD", "88.88", None, None)]);
    }

    #[test]
    fn ex_12_nonsense_is_no_money() {
        for left in [json!("much"), json!(null), json!("inf"), json!({}), json!("1".repeat(31))] {
            let body = json!({"data": {"available_balance": left}});
            assert_eq!(told("https://api.moonshot.cn/v1", &body), [], "{left}");
        }
        assert_eq!(told("https://api.moonshot.cn/v1", &json!([])), []);
    }

    #[test]
    fn ex_12_only_a_clear_word_says_whether_an_account_is_spent() {
        let known =
            oauth::key_probe(ProviderKind::OpenAiCompatible, "https://api.deepseek.com", "k").unwrap();
        for (body, expected) in [
            (json!({"is_available": false}), Some(false)),
            (json!({"is_available": true}), Some(true)),
            (json!({"is_available": "false"}), None),
            (json!({}), None),
        ] {
            assert_eq!(is_funded(&known.probe, &body), expected, "{body}");
        }
    }
}
