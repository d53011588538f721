//! What a vendor is asked to learn whether an account still works, and how its answer is read: as data, so that an
//! operator can follow a vendor that changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::VendorSpec;
use super::vendor::{MOST, is_header, is_visible};
use crate::dialect::named;
use crate::problem::FieldErrors;

named! {
    /// What an answer says about the account.
    ProbeMeaning {
        /// The vendor takes it.
        Healthy = "healthy",
        /// It lives, and that is no proof that it is well again.
        Alive = "alive",
        /// Somebody has to sign in again.
        SignIn = "sign_in",
        /// Nothing: the network, a proxy or the vendor itself failed.
        Inconclusive = "inconclusive",
        /// Nothing: the vendor has no such question.
        NotProbed = "not_probed",
    }
}

/// How an account is asked after. Where it is asked stands beside it, in `probe_url`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ProbeSpec {
    /// Its name in histories and logs.
    pub name: String,
    /// `GET`: nothing else is sure to cost nothing.
    pub method: String,
    /// Headers of this request alone, beside the vendor's `extra_headers`.
    pub headers: BTreeMap<String, String>,
    /// What a status means: `401`, or `5xx` for the rest of its hundred. What is not here is read as usual.
    pub statuses: BTreeMap<String, ProbeMeaning>,
    /// A member of the answer that has to hold something beside `default`; empty: any JSON will do.
    pub needs: String,
    /// Members of the answer that are usage windows (`utilization` in percent, `resets_at`), and what each is called
    /// here. Names without `_` are of all models, and `account_allowance_percent` looks at them.
    pub windows: BTreeMap<String, String>,
    /// Where the answer tells the account's money; null where it does not.
    pub balance: Option<BalanceSpec>,
    /// Whether an access token of this vendor that is no JWT is refused before it is stored.
    pub token_is_jwt: bool,
    /// What to do if the vendor does not take the account.
    pub remedy: String,
}

/// Where an answer tells money, as JSON pointers (RFC 6901).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BalanceSpec {
    /// What holds it: an object, or a list of them, one for each currency; empty is the answer itself.
    pub list: String,
    /// The currency itself, or where it stands in there.
    pub currency: String,
    /// Where it stands what is left: a number, or a text that is one.
    pub left: String,
    /// Where it stands of how much; empty if the vendor does not say.
    pub of: String,
    /// Where the answer says whether there is enough to be served at all; empty if it does not say.
    pub available: String,
}

impl BalanceSpec {
    fn is_sound(&self) -> bool {
        let pointer = |text: &str| text.is_empty() || text.starts_with('/');
        let short = |text: &str| text.len() <= 80 && !text.chars().any(char::is_control);
        let pointers = [&self.list, &self.left, &self.of, &self.available];
        pointers.iter().all(|text| pointer(text) && short(text))
            && !self.left.is_empty()
            && !self.currency.is_empty()
            && short(&self.currency)
    }
}

impl Default for ProbeSpec {
    fn default() -> Self {
        Self {
            name: "models".to_owned(),
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            statuses: BTreeMap::new(),
            needs: String::new(),
            windows: BTreeMap::new(),
            balance: None,
            token_is_jwt: false,
            remedy: String::new(),
        }
    }
}

impl ProbeSpec {
    /// What a status means by itself; `None` if it is read as usual.
    pub fn meaning(&self, status: u16) -> Option<ProbeMeaning> {
        let of = |text: String| self.statuses.get(&text).copied();
        of(status.to_string()).or_else(|| of(format!("{}xx", status / 100)))
    }

    pub(super) fn check(&self, errors: &mut FieldErrors) {
        let plain = |text: &str, most: usize| text.len() <= most && !text.chars().any(char::is_control);
        if self.name.is_empty()
            || !plain(&self.name, 40)
            || !plain(&self.needs, 80)
            || !plain(&self.remedy, 300)
        {
            errors.add("probe", "expected a name of 1 to 40 characters and short texts");
        }
        if self.method != "GET" {
            errors.add("probe.method", "expected GET: nothing else is sure to cost nothing");
        }
        let bad = |(name, value): (&String, &String)| {
            let own =
                ["host", "content-length", "connection", "transfer-encoding", "user-agent", "authorization"];
            !is_header(name) || own.contains(&name.to_ascii_lowercase().as_str()) || !is_visible(value)
        };
        if self.headers.len() > MOST || self.headers.iter().any(bad) {
            errors.add(
                "probe.headers",
                "expected names and values of headers, and none that the connection owns",
            );
        }
        let is_status = |text: &String| {
            let bytes = text.as_bytes();
            matches!(bytes, [b'1'..=b'5', b'x', b'x'])
                || matches!(bytes, [b'1'..=b'5', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
        };
        if !self.statuses.keys().all(is_status) {
            errors.add("probe.statuses", "expected statuses such as 401 or 5xx");
        }
        if self.balance.as_ref().is_some_and(|balance| !balance.is_sound()) {
            errors.add("probe.balance", "expected a currency and short JSON pointers such as /data/left");
        }
        let is_name = |text: &String| (1..=40).contains(&text.len()) && is_visible(text);
        if self.windows.len() > MOST || !self.windows.iter().all(|(from, to)| is_name(from) && is_name(to)) {
            errors.add("probe.windows", "expected members of the answer with a short name for each");
        }
    }
}

impl VendorSpec {
    /// Asks after accounts as the preset of the same name does, unless this one says something of its own. Descriptors
    /// that were stored before there were probes say nothing.
    pub fn probing_like(mut self, preset: Option<&Self>) -> Self {
        if let Some(preset) = preset
            && self.probe.is_none()
        {
            self.probe.clone_from(&preset.probe);
            if self.probe_url.is_empty() {
                self.probe_url.clone_from(&preset.probe_url);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(text: &str) -> ProbeSpec {
        serde_json::from_str(text).unwrap()
    }

    fn faults(text: &str) -> Vec<String> {
        let mut errors = FieldErrors::default();
        probe(text).check(&mut errors);
        errors.finish(()).map_or_else(|problem| problem.fields.into_keys().collect(), |()| Vec::new())
    }

    #[test]
    fn hc_06_a_status_goes_before_its_hundred() {
        let probe = probe(r#"{"statuses":{"4xx":"not_probed","401":"sign_in"}}"#);
        assert_eq!(probe.meaning(401), Some(ProbeMeaning::SignIn));
        assert_eq!(probe.meaning(404), Some(ProbeMeaning::NotProbed));
        assert_eq!(probe.meaning(500), None);
    }

    #[test]
    fn hc_10_a_probe_that_could_cost_something_or_reach_elsewhere_is_refused() {
        assert!(faults("{}").is_empty());
        assert!(faults(r#"{"balance":{"list":"/data","currency":"/currency","left":"/left"}}"#).is_empty());
        for (text, field) in [
            (r#"{"method":"POST"}"#, "probe.method"),
            (r#"{"headers":{"host":"other"}}"#, "probe.headers"),
            (r#"{"headers":{"authorization":"Bearer x"}}"#, "probe.headers"),
            (r#"{"statuses":{"20x":"healthy"}}"#, "probe.statuses"),
            (r#"{"statuses":{"999":"healthy"}}"#, "probe.statuses"),
            (r#"{"windows":{"five_hour":""}}"#, "probe.windows"),
            (r#"{"name":""}"#, "probe"),
            (r#"{"balance":{}}"#, "probe.balance"),
            (r#"{"balance":{"currency":"USD","left":"data.left"}}"#, "probe.balance"),
        ] {
            assert_eq!(faults(text), [field], "{text}");
        }
    }

    #[test]
    fn hc_06_what_was_stored_before_there_were_probes_asks_like_its_preset() {
        let preset = VendorSpec {
            probe_url: "/usage".to_owned(),
            probe: Some(probe(r#"{"name":"usage"}"#)),
            ..VendorSpec::default()
        };
        let old = VendorSpec::default().probing_like(Some(&preset));
        assert_eq!((old.probe_url.as_str(), old.probe.unwrap().name.as_str()), ("/usage", "usage"));
        let moved = VendorSpec { probe_url: "/mine".to_owned(), ..VendorSpec::default() };
        assert_eq!(moved.probing_like(Some(&preset)).probe_url, "/mine");
        let own = VendorSpec { probe: Some(ProbeSpec::default()), ..VendorSpec::default() };
        assert_eq!(
            own.clone().probing_like(Some(&preset)),
            own,
            "an empty probe asks for the list of models"
        );
    }
}
