//! Which requests meet which behaviour.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::behaviour::Behaviour;
use crate::request::Received;

/// A behaviour and whom it concerns; a field left out concerns everybody.
///
/// Rules with [`Rule::times`] are used up in the order of their arrival and go before all others; among the
/// others the latest wins, so that scripting anew replaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// The credential that the request carries, in whichever header.
    pub credential: Option<String>,
    /// The end of the path, without the query.
    pub path: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// A text somewhere in the body.
    pub marker: Option<String>,
    /// How many requests it serves.
    pub times: Option<u32>,
    /// What they meet.
    pub behaviour: Behaviour,
}

impl Rule {
    /// Concerns every request.
    pub fn always(behaviour: Behaviour) -> Self {
        Self { behaviour, ..Self::default() }
    }

    /// Concerns a model.
    pub fn model(model: &str, behaviour: Behaviour) -> Self {
        Self { model: Some(model.to_owned()), behaviour, ..Self::default() }
    }

    /// Concerns a credential.
    pub fn credential(credential: &str, behaviour: Behaviour) -> Self {
        Self { credential: Some(credential.to_owned()), behaviour, ..Self::default() }
    }

    /// Serves only so many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    pub(crate) fn concerns(&self, request: &Received) -> bool {
        self.credential.as_deref().is_none_or(|wanted| request.credential() == Some(wanted))
            && self.path.as_deref().is_none_or(|end| request.path().ends_with(end))
            && self.model.as_deref().is_none_or(|wanted| request.model() == Some(wanted))
            && self
                .marker
                .as_deref()
                .is_none_or(|text| memchr::memmem::find(&request.body, text.as_bytes()).is_some())
    }
}

impl<'de> Deserialize<'de> for Rule {
    /// One flat object: the matchers, and every other field is the behaviour's.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let mut text = |name: &str| match fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(D::Error::custom(format!("{name}: expected a text"))),
        };
        let (credential, path) = (text("credential")?, text("path")?);
        let (model, marker) = (text("model")?, text("marker")?);
        let times = match fields.remove("times") {
            None | Some(Value::Null) => None,
            Some(value) => Some(serde_json::from_value(value).map_err(D::Error::custom)?),
        };
        let behaviour = serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { credential, path, model, marker, times, behaviour })
    }
}

/// All rules, with what is left of each.
#[derive(Debug, Default)]
pub(crate) struct Book {
    limited: Vec<Rule>,
    lasting: Vec<Rule>,
}

impl Book {
    pub(crate) fn add(&mut self, rule: Rule) {
        if rule.times.is_some() { self.limited.push(rule) } else { self.lasting.push(rule) }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn take(&mut self, request: &Received) -> Option<Behaviour> {
        let open = |rule: &&mut Rule| rule.times.is_some_and(|times| times > 0) && rule.concerns(request);
        if let Some(rule) = self.limited.iter_mut().find(open) {
            rule.times = rule.times.map(|times| times.saturating_sub(1));
            return Some(rule.behaviour.clone());
        }
        let found = self.lasting.iter().rev().find(|rule| rule.concerns(request));
        found.map(|rule| rule.behaviour.clone())
    }
}
