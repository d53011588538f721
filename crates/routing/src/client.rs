//! Which clients a provider serves, by their User-Agent.
//!
//! A User-Agent proves nothing: this sorts honest clients and is no access control.

use types::pattern::pattern_matches;

/// Bytes of a User-Agent that are looked at, so that an endless one costs nothing.
const LOOKED_AT: usize = 512;

/// Whether a client may be served.
///
/// A pattern with `*` covers whole User-Agents, one without is looked for anywhere in them; case is ignored, and in the
/// latter also `-` and `_`. One that begins with `!` excludes, and wins. If there are only such, everybody else is
/// served. A client that does not name itself is covered by `*` only.
pub fn allows(patterns: &[String], user_agent: Option<&str>) -> bool {
    let user_agent = user_agent.map(str::trim).filter(|text| !text.is_empty()).map(beginning);
    let (mut closed, mut named) = (false, false);
    for pattern in patterns.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty()) {
        if let Some(excluded) = pattern.strip_prefix('!') {
            if covers(excluded.trim(), user_agent) {
                return false;
            }
        } else {
            closed = true;
            named = named || covers(pattern, user_agent);
        }
    }
    named || !closed
}

fn covers(pattern: &str, user_agent: Option<&str>) -> bool {
    match user_agent {
        _ if pattern.is_empty() => false,
        _ if pattern.bytes().all(|byte| byte == b'*') => true,
        None => false,
        Some(text) if pattern.contains('*') => pattern_matches(pattern, text),
        Some(text) => contains(text.as_bytes(), pattern.as_bytes()),
    }
}

/// Whether one text holds the other, but for case, `-` and `_`.
fn contains(text: &[u8], wanted: &[u8]) -> bool {
    fn letters(text: &[u8]) -> impl Iterator<Item = u8> {
        text.iter().filter(|byte| !matches!(byte, b'-' | b'_')).map(u8::to_ascii_lowercase)
    }
    let mut wanted_letters = letters(wanted).peekable();
    // A pattern of nothing but dashes would be found everywhere.
    wanted_letters.peek().is_some()
        && (0..text.len()).any(|from| {
            let mut rest = letters(text.get(from..).unwrap_or_default());
            letters(wanted).all(|letter| rest.next() == Some(letter))
        })
}

fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(patterns: &[&str], user_agent: Option<&str>) -> bool {
        allows(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(), user_agent)
    }

    #[test]
    fn patterns_include_and_exclude() {
        const CLAUDE: &str = "claude-cli/2.0.5 (external, cli)";
        for (patterns, user_agent, expected) in [
            (&[][..], Some(CLAUDE), true),
            (&[], None, true),
            (&["claude-cli/*"], Some(CLAUDE), true),
            (&["claude-cli/*"], Some("my claude-cli/2"), false),
            (&["claude-cli"], Some("my claude-cli/2"), true),
            (&["claude_cli"], Some("my CLAUDE-CLI/2"), true),
            (&["Codex CLI*"], Some(CLAUDE), false),
            (&["claude-cli/*", "codex*"], Some("codex_cli_rs/0.1"), true),
            (&["*", "!curl/*"], Some("curl/8.5"), false),
            (&["!curl/*", "*"], Some("curl/8.5"), false),
            (&["!curl/*"], Some(CLAUDE), true),
            (&["!curl/*"], None, true),
            (&["!*"], None, false),
            (&["!*"], Some(CLAUDE), false),
            (&["*"], None, true),
            (&["claude*"], None, false),
            (&["claude*"], Some("  "), false),
            (&["claude*", "!claude-cli/1.*"], Some("claude-cli/1.0.9"), false),
            (&["claude*", "!claude-cli/1.*"], Some(CLAUDE), true),
            (&["--"], Some(CLAUDE), false),
            (&["!"], Some(CLAUDE), true),
            (&["! curl"], Some("curl/8.5"), false),
        ] {
            assert_eq!(allowed(patterns, user_agent), expected, "{patterns:?} {user_agent:?}");
        }
    }

    #[test]
    fn only_the_beginning_of_an_endless_name_is_looked_at() {
        let endless = format!("{}needle", "ä".repeat(100_000));
        assert!(!allowed(&["needle"], Some(&endless)));
        assert!(allowed(&["ä*"], Some(&endless)));
    }
}
