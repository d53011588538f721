//! Error rules: what an upstream's error means where its type and status do not say enough.
//!
//! It only finds the rule; what follows from its class is decided by the caller.

use types::error_rule::ErrorRuleSpec;

mod builtin;

pub use builtin::builtin;

/// Rules in the order in which they are looked at.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    spec: ErrorRuleSpec,
    /// `contains` in lower case.
    needle: Option<String>,
    is_builtin: bool,
}

impl Rules {
    /// The given rules by priority (as given among equals), then the built-in ones. Those switched off never hold.
    pub fn new(mut custom: Vec<ErrorRuleSpec>) -> Self {
        custom.sort_by_key(|spec| spec.priority);
        let rule = |is_builtin| {
            move |spec: ErrorRuleSpec| {
                let needle = spec.contains.as_ref().map(|text| text.to_lowercase());
                Rule { spec, needle, is_builtin }
            }
        };
        let all = custom.into_iter().map(rule(false)).chain(builtin().into_iter().map(rule(true)));
        Self { rules: all.filter(|rule| rule.spec.enabled).collect() }
    }

    /// The first rule that holds. `status` is what came over HTTP, `kind` the parsed type or code (empty if none),
    /// `message` the parsed message.
    pub fn find(&self, status: u16, kind: &str, message: &str) -> Option<&ErrorRuleSpec> {
        let message = message.to_lowercase();
        self.rules.iter().find(|rule| rule.holds(status, kind, &message)).map(|rule| &rule.spec)
    }
}

impl Rule {
    fn holds(&self, status: u16, kind: &str, lower_message: &str) -> bool {
        let Self { spec, needle, is_builtin } = self;
        // A server's own failure is that, whatever it says: some wrap their callers' words in it.
        if *is_builtin && status >= 500 {
            return false;
        }
        let names_something = spec.status.is_some() || spec.kind.is_some() || needle.is_some();
        names_something
            && spec.status.is_none_or(|wanted| wanted == status)
            && spec.kind.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind))
            && needle.as_ref().is_none_or(|words| lower_message.contains(words.as_str()))
    }
}

#[cfg(test)]
mod tests;
