//! A value that must not be shown: no `Display`, no `Serialize`, redacted `Debug`, wiped on drop.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

/// Wraps a secret. The only way to its content is [`Secret::expose`], which is easy to search for.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value into custody.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each caller must be a place that sends, seals, hashes or compares it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl Secret<String> {
    /// What a view may show of it: the first 3 and the last 4 characters of a long secret, else only dots.
    pub fn masked(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        match (chars.get(..3), chars.len().checked_sub(4).and_then(|from| chars.get(from..))) {
            (Some(head), Some(tail)) if chars.len() >= 16 => {
                format!("{}…{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
            }
            _ => "…".to_owned(),
        }
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Secret<String> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "writeOnly": true, "description": "Write-only; never returned."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", Secret::new("sk-very-secret-value".to_owned())), "[redacted]");
    }

    #[test]
    fn short_secrets_are_masked_whole() {
        assert_eq!(Secret::new("sk-abcdefghijklmnop".to_owned()).masked(), "sk-…mnop");
        assert_eq!(Secret::new("short".to_owned()).masked(), "…");
    }
}
