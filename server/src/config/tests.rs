use super::source::File;
use super::*;

const STRONG: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const STRONG_TOO: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

fn inputs(environment: &[(&str, &str)], dotenv: &str, toml: &str) -> Inputs {
    let file =
        |name: &str, text: &str| (!text.is_empty()).then(|| File { name: name.into(), text: text.into() });
    Inputs {
        environment: environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        dotenv: file(".env", dotenv),
        toml: file("tollgate.toml", toml),
        problems: Vec::new(),
    }
}

fn problems(inputs: Inputs) -> String {
    ServerConfig::load(inputs).map(|_| ()).unwrap_err().to_string()
}

fn line<'a>(config: &'a ServerConfig, name: &str) -> (&'a str, &'a str) {
    let line = config.lines.iter().find(|line| line.name == name).unwrap();
    (&line.value, &line.source)
}

#[test]
fn nothing_is_required_for_a_first_try() {
    let config = ServerConfig::load(Inputs::default()).unwrap();
    assert_eq!(config.listen_address().to_string(), "127.0.0.1:8080");
    assert_eq!(config.database_url.expose(), "sqlite://data/tollgate.db");
    assert!(config.auto_migrate && !config.secure_cookies && !config.production);
    assert_eq!(config.lines.len(), keys::KEYS.len(), "every value is shown");
    assert!(config.lines.iter().all(|line| line.source == "default"));
}

#[test]
fn st_10_the_environment_wins_over_dotenv_over_toml_and_each_value_knows_its_source() {
    let config = ServerConfig::load(inputs(
        &[("PORT", "1001")],
        "PORT=1002\nHOST=127.0.0.2\n",
        "port = 1003\nhost = \"127.0.0.3\"\nLOG_LEVEL = \"debug\"\n",
    ))
    .unwrap();
    assert_eq!(line(&config, "PORT"), ("1001", "environment"));
    assert_eq!(line(&config, "HOST"), ("127.0.0.2", ".env"));
    assert_eq!(line(&config, "LOG_LEVEL"), ("debug", "tollgate.toml"));
    assert_eq!(line(&config, "LOG_FORMAT"), ("text", "default"));
}

#[test]
fn aliases_mean_the_same_value_and_may_not_disagree() {
    let config =
        ServerConfig::load(inputs(&[("DSN", "sqlite://x.db"), ("API_SECRET", STRONG)], "", "")).unwrap();
    assert_eq!(config.database_url.expose(), "sqlite://x.db");
    assert_eq!(config.admin_token.unwrap().expose(), STRONG);
    let text = problems(inputs(&[("DSN", "sqlite://x.db"), ("DATABASE_URL", "sqlite://y.db")], "", ""));
    assert!(text.contains("differs from it"), "{text}");
}

#[test]
fn the_database_lives_in_the_data_folder_unless_said_otherwise() {
    let config = ServerConfig::load(inputs(&[("DATA_DIR", "/srv/50%/tg")], "", "")).unwrap();
    assert_eq!(config.database_url.expose(), "sqlite:///srv/50%25/tg/tollgate.db");
}

#[test]
fn st_01_production_needs_both_secrets_and_lists_all_that_is_wrong() {
    let production = ("TOLLGATE_ENV", "production");
    let text = problems(inputs(&[production, ("UNSAFE_DISABLE_TLS_CHECK", "1"), ("PORT", "x")], "", ""));
    for part in [
        "API_SECRET is required",
        "ENCRYPTION_SECRET is required",
        "UNSAFE_DISABLE_TLS_CHECK",
        "PORT",
        "openssl rand",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    for bad in ["", "changeme", "your-secret-key-that-is-long-enough-to-pass", "tiny-9f8e", &"a".repeat(40)] {
        let given = inputs(&[production, ("ADMIN_TOKEN", bad), ("ENCRYPTION_SECRET", STRONG)], "", "");
        let text = problems(given);
        assert!(text.contains("API_SECRET is required"), "{bad}: {text}");
        assert!(bad.is_empty() || !text.contains(bad), "the secret is not repeated: {text}");
        let given = inputs(&[("ADMIN_TOKEN", bad)], "", "");
        let config = ServerConfig::load(given).unwrap();
        assert_eq!(config.warnings.is_empty(), bad.is_empty(), "{bad}");
    }
    let both = [production, ("ADMIN_TOKEN", STRONG), ("ENCRYPTION_SECRET", STRONG_TOO)];
    assert!(ServerConfig::load(inputs(&both, "", "")).unwrap().secure_cookies);
    let same = [production, ("ADMIN_TOKEN", STRONG), ("ENCRYPTION_SECRET", STRONG)];
    assert!(problems(inputs(&same, "", "")).contains("must differ"));
}

#[test]
fn st_09_broken_files_are_reported_whole_with_places() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "",
            "port = \"many\"\n",
            "port (tollgate.toml:1): expected a whole number from 0 to 65535, found \"many\"",
        ),
        (
            "",
            "\nport = 70000\n",
            "port (tollgate.toml:2): expected a whole number from 0 to 65535, found \"70000\"",
        ),
        ("", "colour = \"red\"\n", "colour (tollgate.toml:1): unknown key"),
        (
            "",
            "databse_url = \"sqlite://x\"\n",
            "databse_url (tollgate.toml:1): unknown key; did you mean DATABASE_URL?",
        ),
        (
            "",
            "[server]\nport = 1\n",
            "server (tollgate.toml:1): expected a text, a number, true or false, or a list of texts; there are no sections",
        ),
        (
            "",
            "log_format = \"xml\"\n",
            "log_format (tollgate.toml:1): expected one of text, json, found \"xml\"",
        ),
        (
            "",
            "auto_migrate = \"perhaps\"\n",
            "auto_migrate (tollgate.toml:1): expected true or false, found \"perhaps\"",
        ),
        (
            "",
            "trust_proxy = [\"10.0.0.0/8\", \"mars\"]\n",
            "trust_proxy (tollgate.toml:1): expected false, true, or networks such as 10.0.0.0/8,192.168.1.5; cannot read 'mars' (invalid IP address syntax)",
        ),
        (
            "API_TEST_TIMEOUT_MS=100\n",
            "",
            "API_TEST_TIMEOUT_MS (.env:1): expected a whole number from 5000 to 120000, found \"100\"",
        ),
        (
            "HOST=example.com\n",
            "",
            "HOST (.env:1): expected an IP address such as 127.0.0.1, 0.0.0.0 or ::, found \"example.com\"",
        ),
        (
            "REDIS_URL=http://u:secret@x\n",
            "",
            "REDIS_URL (.env:1): expected an address that begins with redis://, rediss://",
        ),
        (
            "DATABASE_URL=mysql://x\n",
            "",
            "DATABASE_URL (.env:1): expected sqlite://path/to/tollgate.db or postgres://user:password@host/database",
        ),
        (
            "LOG_LEVEL=loud\n",
            "",
            "LOG_LEVEL (.env:1): expected error, warn, info, debug or trace, or a list such as info,gateway=debug, found \"loud\"",
        ),
        (
            "BASE_URL=https://x.example/sub\n",
            "",
            "BASE_URL (.env:1): expected an address without a path: Tollgate is served at the root, found \"https://x.example/sub\"",
        ),
        (
            "HTTPS_PROXY=proxy:3128\n",
            "",
            "HTTPS_PROXY (.env:1): expected an address that begins with http://, https://, socks5://, socks5h://",
        ),
        ("what is this\n", "", "(.env:1): expected NAME=value"),
        ("LOGLEVEL=info\n", "", "LOGLEVEL (.env:1): unknown key; did you mean LOG_LEVEL?"),
    ];
    for (dotenv, toml, expected) in cases {
        assert_eq!(problems(inputs(&[], dotenv, toml)), *expected);
    }
    let all = problems(inputs(&[("PORT", "x")], "HOST=y\n", "log_format = \"z\"\n"));
    assert_eq!(all.lines().count(), 3, "{all}");
    assert!(problems(inputs(&[], "", "port = = 1\n")).starts_with("(tollgate.toml:1): no valid TOML"));
}

#[test]
fn dotenv_may_serve_other_programs_too() {
    let config = ServerConfig::load(inputs(&[], "POSTGRES_PASSWORD=x\n", "")).unwrap();
    assert!(config.warnings.iter().any(|text| text.contains("POSTGRES_PASSWORD")));
}

#[test]
fn values_that_this_version_cannot_honour_are_warned_about() {
    let given = [("REDIS_URL", "redis://localhost"), ("ENABLE_RATE_LIMIT", "false")];
    let config = ServerConfig::load(inputs(&given, "", "")).unwrap();
    for (name, _) in given {
        assert!(config.warnings.iter().any(|text| text.starts_with(name)), "{name}: {:?}", config.warnings);
    }
    assert!(ServerConfig::load(Inputs::default()).unwrap().warnings.is_empty());
}

#[test]
fn passwords_in_addresses_are_masked() {
    let given = [
        ("DATABASE_URL", "postgres://u:hunter2@db.example/tg"),
        ("REDIS_URL", "redis://:hunter2@r.example"),
        ("HTTPS_PROXY", "http://u:hunter2@p.example:3128"),
        ("ADMIN_TOKEN", "hunter2"),
        ("ENCRYPTION_SECRET_PREVIOUS", "hunter2,hunter2"),
    ];
    let config = ServerConfig::load(inputs(&given, "", "")).unwrap();
    let shown = format!("{:?} {config:?} {:?}", config.lines, config.warnings);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(line(&config, "DATABASE_URL").0, "postgres://u:***@db.example/tg");
}

#[test]
fn tp_11_variables_that_name_credentials_are_read_shown_by_count_and_judged() {
    let config = ServerConfig::load(inputs(
        &[("POOL_PERSONAL_KEYS_MAIN", "sk-CANARY1, sk-CANARY2,changeme"), ("POOL_KEY_OTHER", "")],
        "POOL_KEYS_MAIN=\"sk-CANARY3\"\nPOOL_PERSONAL_KEYS_MAIN=sk-CANARY4\n",
        "pool_fallback_keys_main = [\"sk-CANARY5\", \"sk-CANARY6\"]\n",
    ))
    .unwrap();
    let told: Vec<_> = config
        .pool_lists
        .iter()
        .map(|list| (list.variable.as_str(), list.provider.as_str(), list.tier.as_str(), list.entries.len()))
        .collect();
    assert_eq!(
        told,
        [
            ("POOL_FALLBACK_KEYS_MAIN", "MAIN", "fallback", 2),
            ("POOL_KEYS_MAIN", "MAIN", "shared", 1),
            ("POOL_PERSONAL_KEYS_MAIN", "MAIN", "personal", 2),
        ]
    );
    assert_eq!(line(&config, "POOL_PERSONAL_KEYS_MAIN"), ("(2 set, 1 left out)", "environment"));
    assert_eq!(line(&config, "POOL_KEYS_MAIN"), ("(1 set)", ".env"));
    assert_eq!(line(&config, "POOL_FALLBACK_KEYS_MAIN"), ("(2 set)", "tollgate.toml"));
    assert_eq!(config.lines.len(), keys::KEYS.len() + 3);
    let warnings = config.warnings.join("\n");
    assert!(
        warnings.contains("POOL_PERSONAL_KEYS_MAIN (environment): entry 3 is a placeholder"),
        "{warnings}"
    );
    assert!(!format!("{:?} {warnings}", config.lines).contains("CANARY"), "no value shows");
}
