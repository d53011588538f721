//! Patterns over model names. `*` matches any run of characters, and case is ignored.

/// Whether a pattern (`*` matches any run of characters, case is ignored) covers a model name.
pub fn pattern_matches(pattern: &str, model: &str) -> bool {
    fn go(pattern: &[u8], text: &[u8]) -> bool {
        // Greedy match with one backtrack point: linear for one star, never exponential.
        let (mut p, mut t, mut star, mut mark) = (0, 0, None, 0);
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some(p);
                    mark = t;
                    p += 1;
                }
                Some(c) if text.get(t).is_some_and(|x| x.eq_ignore_ascii_case(c)) => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some(s) => {
                        p = s + 1;
                        mark += 1;
                        t = mark;
                    }
                    None => return false,
                },
            }
        }
        pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
    }
    go(pattern.as_bytes(), model.as_bytes())
}

/// Whether a text can be a model's name or a pattern over names: 1 to 200 bytes without blanks.
pub(crate) fn is_model_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, model, expected) in [
            ("claude-*", "claude-sonnet-4-5", true),
            ("claude-*", "my-claude-x", false),
            ("*", "anything", true),
            ("GPT-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("*-mini", "gpt-4o-mini", true),
            ("a*b*c", "a-x-b-y-c", true),
            ("a*b*c", "a-x-c-y-b", false),
            ("", "", true),
        ] {
            assert_eq!(pattern_matches(pattern, model), expected, "{pattern} ~ {model}");
        }
    }
}
