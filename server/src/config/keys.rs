//! The names that Tollgate reads, each stated once. What a value must look like is `read`'s business.

/// One configuration value by name.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name in the environment, in `.env` and (in either case) in `tollgate.toml`.
    pub name: &'static str,
    /// A second name for the same value.
    pub alias: Option<&'static str>,
    /// Whether its value is never shown.
    pub secret: bool,
}

const fn plain(name: &'static str) -> Key {
    Key { name, alias: None, secret: false }
}

const fn secret(name: &'static str, alias: Option<&'static str>) -> Key {
    Key { name, alias, secret: true }
}

/// Every name of the product contract, in the order in which `config show` prints them.
pub const KEYS: &[Key] = &[
    plain("TOLLGATE_ENV"),
    plain("HOST"),
    plain("PORT"),
    plain("BASE_URL"),
    Key { name: "DATABASE_URL", alias: Some("DSN"), secret: false },
    plain("REDIS_URL"),
    plain("DATA_DIR"),
    secret("ADMIN_TOKEN", Some("API_SECRET")),
    secret("ENCRYPTION_SECRET", None),
    secret("ENCRYPTION_SECRET_PREVIOUS", None),
    plain("ENABLE_SECURE_COOKIES"),
    plain("AUTO_MIGRATE"),
    plain("ENABLE_RATE_LIMIT"),
    plain("ENABLE_CIRCUIT_BREAKER_ON_NETWORK_ERRORS"),
    plain("TRUST_PROXY"),
    plain("API_TEST_TIMEOUT_MS"),
    plain("EXTRA_CA_FILE"),
    plain("UNSAFE_DISABLE_TLS_CHECK"),
    plain("HTTP_PROXY"),
    plain("HTTPS_PROXY"),
    plain("NO_PROXY"),
    plain("DNS_SERVERS"),
    plain("DNS_TIMEOUT_MS"),
    plain("OAUTH_CALLBACK_HOST"),
    plain("LOG_LEVEL"),
    plain("LOG_FORMAT"),
];

/// The key that a name or alias means; upper case only.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name || key.alias == Some(name))
}

/// The known name that a misspelt one most likely meant: at most two edits away.
pub fn nearest(name: &str) -> Option<&'static str> {
    KEYS.iter()
        .flat_map(|key| std::iter::once(key.name).chain(key.alias))
        .map(|known| (distance(known, name), known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len() / 2)
        .min()
        .map(|(_, known)| known)
}

/// Edit distance in characters; also used to name the nearest route in a 404.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (slot, right) in row.iter_mut().skip(1).zip(&b) {
            let cost = diagonal + usize::from(left != *right);
            diagonal = *slot;
            before = cost.min(diagonal + 1).min(before + 1);
            *slot = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        for (a, b, expected) in [("", "", 0), ("abc", "", 3), ("PORT", "PRT", 1), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_misspelt_name_is_recognised_and_a_strange_one_is_not() {
        assert_eq!(nearest("DATABSE_URL"), Some("DATABASE_URL"));
        assert_eq!(nearest("LOGLEVEL"), Some("LOG_LEVEL"));
        assert_eq!(nearest("POSTGRES_PASSWORD"), None);
        assert_eq!(nearest("HOME"), None);
    }
}
