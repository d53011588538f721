//! Variables that name credentials of the pool (TP-11): `POOL_KEY_<PROVIDER>` one, `POOL_KEYS_<PROVIDER>` a list, both
//! also for a tier: `POOL_PERSONAL_KEYS_<PROVIDER>`.
//!
//! An entry that cannot be a key is left out and told of by its number, never by its value; the start goes on. Which
//! providers there are is the engine's to know.

use gateway::{EnvEntry, EnvList};
use types::Secret;
use types::credential::Tier;
use types::pool::{PoolFault, PoolFaultKind};
use types::system::ConfigLine;

use super::read::Reader;
use super::secret::is_placeholder;

/// As much as a credential may have.
const LONGEST: usize = 16_384;
const QUOTES: [char; 2] = ['"', '\''];

/// What the name of such a variable says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    provider: String,
    tier: Tier,
    is_list: bool,
}

impl Variable {
    /// `None` if the name is none of them; upper case only.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("POOL_")?;
        let tiers = [Tier::Personal, Tier::Shared, Tier::Fallback];
        let named = tiers.into_iter().find_map(|tier| {
            let rest = rest.strip_prefix(tier.as_str().to_ascii_uppercase().as_str())?;
            Some((tier, rest.strip_prefix('_')?))
        });
        let (tier, rest) = named.unwrap_or((Tier::Shared, rest));
        let (is_list, provider) = match rest.strip_prefix("KEYS_") {
            Some(provider) => (true, provider),
            None => (false, rest.strip_prefix("KEY_")?),
        };
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let named = !provider.is_empty() && provider.chars().all(fits);
        named.then(|| Self { provider: provider.to_owned(), tier, is_list })
    }
}

/// Reads them all; what is wrong with one becomes a warning here and a fault of the pool there.
pub(super) fn read(reader: &mut Reader) -> Vec<EnvList> {
    let mut lists = Vec::new();
    for (name, raw) in reader.pool_variables() {
        let Some(variable) = Variable::parse(&name) else { continue };
        let Variable { provider, tier, is_list } = variable;
        let (entries, refused, notes) = split(&name, &raw.text, is_list);
        for fault in &refused {
            reader.warn(format!("{name} ({}): {} and is left out", raw.place, fault.message));
        }
        for note in notes {
            reader.warn(format!("{name} ({}): {note}", raw.place));
        }
        let left_out =
            if refused.is_empty() { String::new() } else { format!(", {} left out", refused.len()) };
        reader.lines.push(ConfigLine {
            name: name.clone(),
            value: format!("({} set{left_out})", entries.len()),
            source: raw.layer.as_str().to_owned(),
        });
        lists.push(EnvList { variable: name, provider, tier, entries, refused });
    }
    lists
}

/// The entries of a text, what is wrong with others, and what is merely odd.
fn split(variable: &str, text: &str, is_list: bool) -> (Vec<EnvEntry>, Vec<PoolFault>, Vec<String>) {
    let (mut entries, mut refused, mut notes) = (Vec::<EnvEntry>::new(), Vec::new(), Vec::new());
    let text = bare(text);
    let parts: Vec<&str> = if is_list { text.split([',', '\n']).collect() } else { vec![text] };
    for (number, part) in (1_u32..).zip(parts) {
        let bare = bare(part);
        if bare.is_empty() {
            continue;
        }
        let fault = if is_placeholder(bare) || bare.contains("...") || bare.contains('…') {
            Some((PoolFaultKind::Placeholder, "is a placeholder, not a key"))
        } else if bare.len() > LONGEST || !bare.bytes().all(|byte| byte.is_ascii_graphic()) {
            Some((PoolFaultKind::Malformed, "holds something else than visible characters"))
        } else if bare.contains(QUOTES) {
            Some((PoolFaultKind::Malformed, "holds a quotation mark, which no key does"))
        } else {
            None
        };
        if let Some((kind, what)) = fault {
            let message = if is_list { format!("entry {number} {what}") } else { format!("it {what}") };
            let entry = is_list.then_some(number);
            refused.push(PoolFault { kind, subject: variable.to_owned(), entry, message });
        } else if let Some(first) = entries.iter().find(|entry| entry.secret.expose() == bare) {
            notes.push(format!("entry {number} is the same as entry {}", first.number));
        } else {
            entries.push(EnvEntry { number, secret: Secret::new(bare.to_owned()) });
        }
    }
    (entries, refused, notes)
}

/// Without blanks and the quotes that entries, or whole lists, are often written with (files for containers keep them).
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    for quote in QUOTES {
        let inside = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        text = inside.filter(|inside| !inside.contains(quote)).unwrap_or(text).trim();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tp_11_a_name_says_provider_tier_and_whether_it_is_a_list() {
        for (name, expected) in [
            ("POOL_KEY_ANTHROPIC", Some(("ANTHROPIC", Tier::Shared, false))),
            ("POOL_KEYS_ANTHROPIC", Some(("ANTHROPIC", Tier::Shared, true))),
            ("POOL_PERSONAL_KEYS_OPENAI_MAIN", Some(("OPENAI_MAIN", Tier::Personal, true))),
            ("POOL_SHARED_KEY_3", Some(("3", Tier::Shared, false))),
            ("POOL_FALLBACK_KEYS_X", Some(("X", Tier::Fallback, true))),
            ("POOL_KEYS_", None),
            ("POOL_KEYS", None),
            ("POOL_keys_a", None),
            ("POOL_PERSONAL_X", None),
            ("KEYS_ANTHROPIC", None),
        ] {
            let expected = expected.map(|(provider, tier, is_list)| Variable {
                provider: provider.to_owned(),
                tier,
                is_list,
            });
            assert_eq!(Variable::parse(name), expected, "{name}");
        }
    }

    #[test]
    fn tp_11_blanks_and_quotes_are_trimmed_repeats_dropped_and_placeholders_told_by_number() {
        let seen = |text: &str, is_list: bool| {
            let (entries, refused, notes) = split("V", text, is_list);
            let kept: Vec<_> =
                entries.iter().map(|entry| format!("{}={}", entry.number, entry.secret.expose())).collect();
            let told: Vec<_> = refused.iter().map(|fault| (fault.kind, fault.entry)).collect();
            let all = format!("{refused:?}{notes:?}");
            (kept, told, notes.len(), all)
        };
        let text = " sk-a1 , \"sk-b2\",'sk-c3' ,, \" sk-a1 \", your-key-here,sk-d4 sk-e5,<insert>,sk-…";
        let (kept, told, notes, all) = seen(text, true);
        assert_eq!(kept, ["1=sk-a1", "2=sk-b2", "3=sk-c3"]);
        let placeholder = PoolFaultKind::Placeholder;
        assert_eq!(
            told,
            [
                (placeholder, Some(6)),
                (PoolFaultKind::Malformed, Some(7)),
                (placeholder, Some(8)),
                (placeholder, Some(9))
            ]
        );
        assert_eq!(notes, 1, "entry 5 repeats entry 1");
        for value in ["sk-", "your-key-here", "insert"] {
            assert!(!all.contains(value), "a value shows: {all}");
        }
        assert_eq!(seen("sk-...,sk-a1", true).1, [(placeholder, Some(1))]);
        assert_eq!(seen("'sk-a1,b'", false).0, ["1=sk-a1,b"], "one key may hold a comma");
        assert_eq!(seen("changeme", false).1, [(placeholder, None)]);
        assert_eq!(seen("sk-a\nsk-b\n", true).0, ["1=sk-a", "2=sk-b"]);
        assert_eq!(seen(" 'sk-a, sk-b' ", true).0, ["1=sk-a", "2=sk-b"], "quotes around the whole list");
        assert_eq!(seen("\"sk-a\", 'sk-b'", true).0, ["1=sk-a", "2=sk-b"]);
        let (kept, told, _, all) = seen("[\"sk-a\",sk-b]\n\"sk-c,sk-d", true);
        assert_eq!(kept, ["2=sk-b]", "4=sk-d"]);
        assert_eq!(told, [(PoolFaultKind::Malformed, Some(1)), (PoolFaultKind::Malformed, Some(3))], "{all}");
        assert_eq!(seen(" , ", true), (vec![], vec![], 0, "[][]".to_owned()));
    }
}
