//! Texts of settings to values; the error says what was expected.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::SettingKind;
use crate::credential::Tier;

pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

pub(super) fn number(kind: SettingKind, text: &str) -> Result<u32, String> {
    let (min, max) = match kind {
        SettingKind::Number(min, max) => (min, max),
        _ => (0, u32::MAX),
    };
    text.parse::<u32>()
        .ok()
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| format!("expected a whole number, {min} to {max}"))
}

pub(super) fn choice(kind: SettingKind, text: &str) -> Result<String, String> {
    let SettingKind::Choice(words) = kind else { return Ok(text.to_owned()) };
    if words.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected one of: {}", words.join(", ")))
    }
}

pub(super) fn status(kind: SettingKind, text: &str) -> Result<u16, String> {
    choice(kind, text)?.parse().map_err(|_| "expected a status".to_owned())
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" | "" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

pub(super) fn tiers(text: &str) -> Result<Vec<Tier>, String> {
    let tiers: Option<Vec<Tier>> = text.split(',').map(|t| t.trim().parse().ok()).collect();
    let mut sorted = tiers.clone().unwrap_or_default();
    sorted.sort();
    sorted.dedup();
    match tiers {
        Some(tiers) if sorted.len() == Tier::ALL.len() && tiers.len() == sorted.len() => Ok(tiers),
        _ => Err("expected personal, shared and fallback, each once".to_owned()),
    }
}

/// The form only: the names themselves are known where the calendar is (`gateway`), not in the browser.
pub(super) fn time_zone(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected an IANA time zone such as Europe/Berlin".to_owned())
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let networks: Result<Vec<IpNet>, String> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(Into::into));
            network
                .map(|n| n.trunc())
                .map_err(|_| format!("'{part}' is no address or network such as 10.0.0.0/8"))
        })
        .collect();
    networks.and_then(|list| if list.len() > 200 { Err("at most 200 networks".to_owned()) } else { Ok(list) })
}

pub(super) fn address(text: &str) -> Result<String, String> {
    let fits = text.is_empty()
        || (text.len() <= 500
            && url::Url::parse(text)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()));
    if fits { Ok(text.to_owned()) } else { Err("expected an http or https address, or nothing".to_owned()) }
}
