//! What makes a secret unfit for production. It judges texts; it never stores or prints one.

/// Texts that stand in handbooks and examples, ours included; compared in lower case.
const KNOWN: &[&str] = &[
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz012345",
    "abcdefghijklmnopqrstuvwxyz123456",
    "12345678901234567890123456789012",
    "correct-horse-battery-staple",
    "thisisasecretkeythatshouldbechanged",
];

/// Parts that only a placeholder contains.
const PLACEHOLDER_PARTS: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "change-this",
    "change_this",
    "your-",
    "your_",
    "yoursecret",
    "placeholder",
    "replace-",
    "replace_",
    "replaceme",
    "insert-",
    "insert_",
    "example",
    "dummy",
    "xxxxxx",
    "my-secret",
    "my_secret",
    "default-",
    "test-secret",
    "admin-token",
    "admin_token",
    "api_secret",
    "secret-key-here",
];

/// Whether a text only stands where a secret belongs.
pub fn is_placeholder(secret: &str) -> bool {
    let lower = secret.to_lowercase();
    let bracketed = lower.starts_with('<') && lower.ends_with('>');
    bracketed
        || PLACEHOLDER_PARTS.iter().any(|part| lower.contains(part))
        || KNOWN.iter().any(|known| lower.starts_with(known))
}

/// Why a secret must not guard a production system; `None` if nothing speaks against it.
pub fn weakness(secret: &str) -> Option<&'static str> {
    if is_placeholder(secret) {
        return Some("it is a placeholder, not a secret");
    }
    let lower = secret.to_lowercase();
    let chars: Vec<char> = lower.chars().collect();
    if chars.len() < 32 {
        return Some("it is shorter than 32 characters");
    }
    if (1..=8).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b)) {
        return Some("it repeats the same few characters");
    }
    let mut distinct = chars;
    distinct.sort_unstable();
    distinct.dedup();
    (distinct.len() < 8).then_some("it is made of fewer than 8 different characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st_01_placeholders_and_short_or_repeated_texts_are_weak() {
        for weak in [
            "changeme",
            "your-secret-key-that-is-long-enough-to-pass",
            "ChangeMe-ChangeMe-ChangeMe-ChangeMe",
            "0123456789abcdef0123456789abcdef",
            "short-but-random-9f8e7d",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcdabcdabcdabcdabcdabcdabcdabcdabcd",
            "<generate with openssl rand -hex 32 please>",
            "",
        ] {
            assert!(weakness(weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn random_texts_are_fit() {
        for fit in [
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "Yp3kT0cW7bqLr2ZsVn5XhJm8AeGd4UfQ",
        ] {
            assert_eq!(weakness(fit), None, "{fit}");
        }
    }
}
