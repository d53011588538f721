//! Malformed and hostile files: bounds, places of faults, archives, and that no value is ever repeated.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;

use types::import::together;

use super::{FIXTURES, told};
use crate::{Fault, read};

fn fault(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn what_is_malformed_is_named_by_place() {
    for (text, expected) in [
        ("  ", "the file is empty"),
        ("{\"a\": 1,\n  \"b\": }", "JSON that cannot be read, line 2, column 8"),
        ("model_list:\n  - a: [1\n", "YAML that cannot be read, line 3, column 1"),
        ("model_list:\n  - model_name: x", "model_list[0]: expected `litellm_params`"),
        ("model_list: 5", "model_list: expected a list"),
        (
            "model_list: [{litellm_params: {model: [1]}}]",
            "model_list[0].litellm_params.model: expected a text",
        ),
        (
            r#"{"data": {"claudeAccounts": [], "claudeConsoleAccounts": 3}}"#,
            "data.claudeConsoleAccounts: expected a list",
        ),
        (r#"[{"type": 1, "key": {"a": 1}, "models": ""}]"#, "[0].key: expected a text"),
        (
            r#"{"providers": [{"name": "x", "url": "y", "providerType": "claude"}, 3]}"#,
            "providers[1]: expected an object",
        ),
    ] {
        assert_eq!(fault(text), expected);
    }
    assert_eq!(read("hello: world").unwrap_err(), Fault::Unknown);
    assert_eq!(read("{}").unwrap_err(), Fault::Unknown);
}

#[test]
fn bounds_hold_for_size_nesting_aliases_and_entries() {
    assert_eq!(read(&"x".repeat(12 * 1024 * 1024)).unwrap_err(), Fault::TooLarge("at most 8 MiB"));
    let deep = format!("a: {}1{}", "[".repeat(100), "]".repeat(100));
    assert!(fault(&deep).contains("nested"), "{}", fault(&deep));
    assert!(fault(&"[".repeat(100_000)).contains("JSON"));
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        use std::fmt::Write;
        let one = format!("*a{}", n - 1);
        writeln!(laughs, "a{n}: &a{n} [{}]", vec![one; 9].join(", ")).unwrap();
    }
    assert_eq!(read(&laughs).unwrap_err(), Fault::TooLarge("at most 200,000 values"));
    let rows: Vec<_> = (0..2_600).map(|n| format!(r#"{{"type":1,"key":"k{n}","models":""}}"#)).collect();
    assert_eq!(read(&format!("[{}]", rows.join(","))).unwrap_err(), Fault::TooLarge("at most 5,000 entries"));
}

#[test]
fn a_config_of_very_many_deployments_is_refused_without_comparing_each_with_each() {
    let one = |n: usize| {
        format!(r#"{{"model_name":"m{n}","litellm_params":{{"model":"openai/m","api_key":"k{n}"}}}}"#)
    };
    let rows: Vec<_> = (0..80_000).map(one).collect();
    let config = format!(r#"{{"model_list":[{}]}}"#, rows.join(","));
    assert_eq!(read(&config).unwrap_err(), Fault::TooLarge("at most 5,000 entries"));
    // One key for all of them is one provider, however many models it has.
    let rows: Vec<_> = rows.iter().map(|row| row.replace(r#""k"#, r#""same","x":"k"#)).collect();
    let plan = read(&format!(r#"{{"model_list":[{}]}}"#, rows.join(","))).unwrap();
    assert_eq!((plan.providers.len(), plan.providers[0].input.models.len()), (1, 80_000));
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn files_are_read_in_the_encodings_that_windows_writes() {
    let config =
        "model_list:\n- model_name: größe\n  litellm_params: {model: openai/m, api_key: sk-utf-16}\n";
    let expected = told(&read(config).unwrap());
    for text in [
        STANDARD.encode(utf16(config, false)),
        STANDARD.encode(utf16(config, true)),
        format!("\u{feff}{config}"),
        format!("data:text/yaml;base64,{}", STANDARD.encode(format!("\u{feff}{config}"))),
    ] {
        assert_eq!(told(&read(&text).unwrap()), expected);
    }
    // Each file of a folder may have its own.
    let account = |name: &str| format!(r#"{{"type":"claude","access_token":"t-{name}","email":"{name}"}}"#);
    let marked = format!("\u{feff}{}", account("b"));
    let plan = read(&together([("a.json", account("a").as_str()), ("b.json", &marked)])).unwrap();
    let wide = String::from_utf8_lossy(&utf16(&account("c"), false)).into_owned();
    assert_eq!((plan.providers[0].credentials.len(), plan.notes.len()), (2, 0), "{plan:?}");
    assert!(read(&wide).is_err(), "what was mangled on the way is not guessed at");
    let cut = STANDARD.encode([0xff, 0xfe, 0x00, 0xd8]);
    assert!(read(&cut).is_err());
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, text) in files {
        let mut head = [0_u8; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
        head[156] = b'0';
        head[257..263].copy_from_slice(b"ustar\0");
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn zip(files: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let at = u32::try_from(bytes.len()).unwrap();
        let body = if deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        } else {
            text.clone()
        };
        let common = |out: &mut Vec<u8>| {
            out.extend_from_slice(&[20, 0, 0, 0, if deflate { 8 } else { 0 }, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
            out.extend_from_slice(&u32::try_from(text.len()).unwrap().to_le_bytes());
            out.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
            out.extend_from_slice(&[0, 0]);
        };
        bytes.extend_from_slice(b"PK\x03\x04");
        common(&mut bytes);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&body);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        common(&mut directory);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let at = u32::try_from(bytes.len()).unwrap();
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

fn lines() -> Vec<(&'static str, &'static str)> {
    let names = ["auths/claude-one.json", "auths/codex-two.json", "auths/gemini.json"];
    names.into_iter().zip(FIXTURES[6].1.lines()).collect()
}

#[test]
fn a_folder_comes_as_zip_tar_or_gzipped_tar() {
    let files = lines();
    let packed: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&tar(&files)).unwrap();
    for bytes in [tar(&files), gzip.finish().unwrap(), zip(&packed, true), zip(&packed, false)] {
        let coded = STANDARD.encode(&bytes);
        for text in [coded.clone(), format!("data:application/zip;base64,{coded}")] {
            let plan = read(&text).unwrap();
            assert_eq!(plan.providers.len(), 1);
            assert_eq!(plan.providers[0].credentials[0].place, "auths/claude-one.json");
            assert_eq!(plan.notes[0].place, "auths/codex-two.json");
        }
        for cut in [bytes.len() / 2, bytes.len() - 30, 300] {
            // Damage is an error or a smaller plan, never a panic.
            let _ = read(&STANDARD.encode(&bytes[..cut]));
        }
    }
}

#[test]
fn an_archive_cannot_unpack_to_more_than_the_bound() {
    let bomb = zip(&[("a.json", vec![b' '; 9 * 1024 * 1024])], true);
    assert!(bomb.len() < 100_000);
    assert_eq!(fault(&STANDARD.encode(&bomb)), "the file is too large: unpacked, at most 8 MiB");
    let half = vec![b' '; 5 * 1024 * 1024];
    let two = zip(&[("a.json", half.clone()), ("b.json", half)], true);
    assert_eq!(fault(&STANDARD.encode(&two)), "the file is too large: unpacked, at most 8 MiB");
}

#[test]
fn a_broken_file_of_a_folder_is_left_out_with_its_place_and_the_others_come() {
    let good = FIXTURES[6].1.lines().next().unwrap();
    let broken = "{\"canary-secret\":";
    let files = [("a.json", good), ("b.json", broken), ("README.md", "How to sign in: run it.\n")];
    for text in [STANDARD.encode(tar(&files)), together(files)] {
        let plan = read(&text).unwrap();
        let [provider] = &plan.providers[..] else { panic!("one provider") };
        assert_eq!((provider.place.as_str(), provider.credentials.len()), ("a.json", 1));
        let notes: Vec<_> = plan.notes.iter().map(|note| format!("{}: {}", note.place, note.what)).collect();
        assert!(
            notes.contains(&"b.json: JSON that cannot be read, line 1, column 17".to_owned()),
            "{notes:?}"
        );
        assert!(notes.contains(&"README.md: is no account file".to_owned()), "{notes:?}");
    }
    let told = fault(&STANDARD.encode(tar(&[("b.json", broken), ("c.json", "[")])));
    assert_eq!(told, "b.json: JSON that cannot be read, line 1, column 17", "where nothing can be read");
    assert_eq!(fault(&together([("b.json", broken)])), told);
}

#[test]
fn a_file_of_another_format_is_found_among_what_lies_beside_it() {
    let files = [("compose.yaml", "services: {}\n"), ("config.yaml", FIXTURES[0].1), ("notes.txt", "hello")];
    let plan = read(&together(files)).unwrap();
    assert_eq!((plan.format.as_str(), plan.providers.len()), ("litellm", 5));
    let beside =
        plan.notes.iter().filter(|note| note.what == "is not taken over" && !note.place.contains('['));
    let beside: Vec<_> = beside.map(|note| note.place.as_str()).collect();
    assert!(beside.contains(&"compose.yaml") && beside.contains(&"notes.txt"), "{beside:?}");
}

#[test]
fn no_note_fault_or_debug_repeats_a_secret() {
    for (name, text) in FIXTURES {
        let plan = read(text).unwrap();
        let notes: String = told(&plan).into_iter().filter(|line| line.starts_with('!')).collect();
        for shown in [format!("{plan:?}"), notes] {
            assert!(!shown.contains("canary"), "{name}: {shown}");
        }
        // Cut anywhere, the file is a fault or a plan; neither tells a value.
        for cut in (0..text.len()).step_by(7).filter(|cut| text.is_char_boundary(*cut)) {
            let shown = format!("{:?}", read(&text[..cut]));
            assert!(!shown.contains("canary"), "{name} cut at {cut}: {shown}");
        }
    }
    let odd = r#"[{"type": 1, "key": ["sk-canary"], "models": "", "status": "sk-canary", "name": 5}]"#;
    assert!(!format!("{:?}", read(odd)).contains("canary"));
    let variable = "model_list: [{litellm_params: {model: openai/x, api_key: os.environ/sk-canary}}]";
    assert!(!format!("{:?}", read(variable)).contains("canary"));
}

/// Values as a hostile file may hold them, with the names that the parsers look for.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let name = prop::sample::select(vec![
        "model_list",
        "litellm_params",
        "model",
        "api_key",
        "type",
        "key",
        "models",
        "data",
        "items",
        "providers",
        "name",
        "url",
        "providerType",
        "claudeAccounts",
        "credentials",
        "access_token",
        "proxy",
        "token",
        "expired",
        "model_mapping",
        "setting",
        "tollgate_export",
        "provider",
        "secret",
        "auth",
        "channel_info",
        "other",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        prop::sample::select(vec![
            "openai/gpt",
            "a|b|c",
            "{\"default\":1}",
            "[{}]",
            "1",
            "claude",
            "api_key",
            "\u{1F600}"
        ])
        .prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::vec((name.clone(), inner), 0..7).prop_map(|fields| {
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn no_tree_panics(value in values()) {
        let _ = read(&value.to_string());
    }

    #[test]
    fn no_bytes_in_base64_panic(start in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        let magic: &[u8] = [b"PK\x03\x04".as_slice(), b"PK\x05\x06", &[0x1f, 0x8b, 8], b""][start];
        let _ = read(&STANDARD.encode([magic, &bytes].concat()));
    }

    #[test]
    fn no_yaml_panics(lines in prop::collection::vec("[a-z&*:<\\[\\]{}'\"|> -]{0,30}", 0..12)) {
        let _ = read(&format!("model_list:\n{}", lines.join("\n")));
    }
}
