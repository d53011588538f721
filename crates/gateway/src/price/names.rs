//! The names under which a model's price may stand.
//!
//! Vendors, resellers and lists name one model in several ways: with a date, with `-latest`, with a prefix of who
//! serves it. Which name leads to which price is decided here; the prices themselves lie elsewhere.

use types::provider::ProviderKind;

/// Vendors whose own models are asked for under bare names at compatible servers.
const FIRST_HAND: [&str; 13] = [
    "deepseek/",
    "mistral/",
    "xai/",
    "moonshot/",
    "zai/",
    "dashscope/",
    "minimax/",
    "meta_llama/",
    "perplexity/",
    "cohere/",
    "voyage/",
    "groq/",
    "cerebras/",
];

/// Prefixes of the lists' names for a kind of provider, most fitting first. The empty one is the bare name.
pub(super) fn prefixes(kind: ProviderKind) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match kind {
        ProviderKind::Anthropic => &["", "anthropic/", "vertex_ai/", "bedrock/"],
        ProviderKind::OpenAi => &["", "openai/"],
        ProviderKind::OpenAiCompatible => &["", "openai/", "gemini/"],
        ProviderKind::Gemini => &["gemini/", "", "vertex_ai/"],
        ProviderKind::AzureOpenAi => &["azure/", "azure_ai/", ""],
        ProviderKind::Vertex => &["vertex_ai/", "", "gemini/", "anthropic/"],
        ProviderKind::Bedrock => &["bedrock/", "", "anthropic/"],
    };
    let others: &[&str] = match kind {
        // Many vendors offer their own models in this dialect, too.
        ProviderKind::Anthropic | ProviderKind::OpenAiCompatible => &FIRST_HAND,
        ProviderKind::AzureOpenAi => &["mistral/", "cohere/", "xai/", "deepseek/"],
        ProviderKind::OpenAi | ProviderKind::Gemini | ProviderKind::Vertex | ProviderKind::Bedrock => &[],
    };
    own.iter().chain(others).copied()
}

/// The model's name in lower case and without what says nothing about its price: a path before it, Claude Code's
/// mark of a long context, the owner of a fine-tuned model.
pub(super) fn plain(model: &str) -> String {
    let name = model.trim().to_ascii_lowercase();
    let name = name.rsplit_once("models/").map_or(name.as_str(), |(_, name)| name);
    let name = name.strip_suffix("[1m]").unwrap_or(name);
    if let Some(tuned) = name.strip_prefix("ft:") {
        let base = tuned.split(':').next().unwrap_or_default();
        return format!("ft:{base}");
    }
    name.to_owned()
}

/// The name without its date or its `-latest`, if it has one.
pub(super) fn undated(name: &str) -> Option<&str> {
    if let Some((base, version)) = name.rsplit_once('@') {
        return (!base.is_empty() && (is_date(version) || matches!(version, "latest" | "default")))
            .then_some(base);
    }
    if let Some(base) = name.strip_suffix("-latest") {
        return Some(base);
    }
    let dated = [8, 10, 3].into_iter().find_map(|length| {
        let (head, tail) = name.split_at_checked(name.len().checked_sub(length)?)?;
        let base = head.strip_suffix('-')?;
        // Google numbers its revisions: `-001`.
        let revision = length == 3 && tail.starts_with("00");
        (revision && tail.bytes().all(|b| b.is_ascii_digit()) || length > 3 && is_date(tail)).then_some(base)
    });
    dated.filter(|base| !base.is_empty())
}

/// What a name that begins with a model's name adds to it, if that is only a date: sorts by how fresh it is.
pub(super) fn freshness(name: &str, base: &str) -> Option<String> {
    let rest = name.strip_prefix(base)?;
    if rest == "-latest" {
        // Fresher than every date.
        return Some("~".to_owned());
    }
    let date = rest.strip_prefix(['-', '@'])?;
    is_date(date).then(|| date.replace('-', ""))
}

/// `20250929` or `2025-09-29`.
fn is_date(text: &str) -> bool {
    let digits: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = digits.iter().map(|part| part.len()).collect();
    matches!(lengths.as_slice(), [8] | [4, 2, 2])
        && text.starts_with("20")
        && digits.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (model, name) in [
            ("Claude-Sonnet-4-5", "claude-sonnet-4-5"),
            ("models/gemini-2.5-pro", "gemini-2.5-pro"),
            ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
            ("claude-sonnet-4-6[1m]", "claude-sonnet-4-6"),
            ("ft:gpt-4o-mini-2024-07-18:acme::ABC", "ft:gpt-4o-mini-2024-07-18"),
        ] {
            assert_eq!(plain(model), name);
        }
        for (name, base) in [
            ("claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            ("claude-sonnet-4-5@20250929", Some("claude-sonnet-4-5")),
            ("gpt-4o-2024-08-06", Some("gpt-4o")),
            ("mistral-large-latest", Some("mistral-large")),
            ("gemini-2.0-flash-001", Some("gemini-2.0-flash")),
            ("gpt-4-0613", None),
            ("claude-sonnet-4-5", None),
            ("model-12345678", None),
            ("-20250929", None),
            ("模型-20250929", Some("模型")),
            ("20250929", None),
            ("", None),
        ] {
            assert_eq!(undated(name), base, "{name}");
        }
        assert!(freshness("gpt-4o-2024-11-20", "gpt-4o") > freshness("gpt-4o-20240806", "gpt-4o"));
        assert_eq!(freshness("gpt-4o-mini", "gpt-4o"), None);
        assert!(
            freshness("mistral-large-latest", "mistral-large")
                > freshness("mistral-large-20991231", "mistral-large")
        );
    }
}
