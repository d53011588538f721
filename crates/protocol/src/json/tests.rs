//! The strict reader against `serde_json` and by hand.

use proptest::prelude::*;

use super::*;

fn check(text: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader::new(text);
    reader.skip()?;
    reader.finish()
}

#[test]
fn c11_numbers_and_surrogates_that_serde_refuses_pass() {
    for text in [r#"{"a":1e400}"#, r#""\ud83d""#, "[-0.0e-99999]", r#"{"a":1,"a":2}"#] {
        assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
    }
}

#[test]
fn c10_faults_carry_the_byte_offset() {
    for (text, offset) in [
        ("", 0),
        ("{", 1),
        ("[1,]", 3),
        ("{\"a\":1,}", 7),
        ("{\"a\" 1}", 5),
        ("[NaN]", 1),
        ("[01]", 2),
        ("[1.]", 3),
        ("[-]", 2),
        ("\"\\x\"", 1),
        ("\"\\u12g4\"", 1),
        ("\"a\nb\"", 2),
        ("\"abc", 4),
        ("true false", 5),
        ("tru", 0),
        ("{'a':1}", 1),
        ("[1}", 2),
        ("{\"a\":1]", 6),
    ] {
        let fault = check(text.as_bytes()).unwrap_err();
        assert_eq!(fault.offset, offset, "{text}: {fault:?}");
    }
}

#[test]
fn c11_depth_is_bounded_at_128() {
    let nest = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
    assert_eq!(check(&nest(128)), Ok(()));
    assert_eq!(check(&nest(129)).unwrap_err(), Fault { offset: 128, what: What::TooDeep });
    assert_eq!(check(&nest(100_000)).unwrap_err().what, What::TooDeep);
    let objects = "{\"a\":".repeat(100_000);
    assert_eq!(check(objects.as_bytes()).unwrap_err().what, What::TooDeep);
    // An empty container inside of 128 levels is one level too many as well.
    assert_eq!(
        check(&[vec![b'['; 128], b"{}".to_vec(), vec![b']'; 128]].concat()).unwrap_err().what,
        What::TooDeep
    );
}

#[test]
fn fields_are_found_by_name() {
    let text = br#" { "a" : {"b":[1,"}"]} , "c":"\"x" } "#;
    assert_eq!(field(text, "a"), Some(&br#"{"b":[1,"}"]}"#[..]));
    assert_eq!(field(text, "c"), Some(&br#""\"x""#[..]));
    assert_eq!(field(text, "b"), None);
    assert_eq!(first_element(b"[ {\"a\":1} , 2]"), Some(&b"{\"a\":1}"[..]));
    assert_eq!(first_element(b"[]"), None);
}

#[test]
fn strings_are_decoded() {
    assert_eq!(text::decode(br#""a\u00e9\ud83d\ude00\/\n""#).unwrap(), "aé😀/\n");
    assert_eq!(text::decode(br#""\ud83dx""#), None);
    assert_eq!(text::decode_lossy(br#""\ud83dx""#).unwrap(), "\u{fffd}x");
    assert_eq!(text::decode(b"12"), None);
}

proptest! {
    #[test]
    fn every_special_byte_is_found_at_every_place(prefix in 0usize..100, special in prop::sample::select(vec![0u8, 0x1f, b'"', b'\\']), tail in prop::collection::vec(any::<u8>(), 0..50)) {
        let filler: Vec<u8> = (0..prefix).map(|i| [b'a', 0x80, 0xff, 0x7f, b'!', b'#', b'[', b']', b' '][i % 9]).collect();
        let text = [filler, vec![special], tail].concat();
        prop_assert_eq!(plain_length(&text), prefix);
    }

    #[test]
    fn c11_reader_and_serde_agree_on_ascii_soup(text in r#"[\[\]{}:,"a0-9.eE+ntrufals\\-]{0,24}"#) {
        let ours = check(text.as_bytes()).is_ok();
        let serde = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        // Serde also refuses numbers out of range and lone surrogates.
        if serde { prop_assert!(ours, "{}", text); }
        if ours && !text.contains(['e', 'E', '\\']) { prop_assert!(serde, "{}", text); }
    }

    #[test]
    fn c11_reader_takes_whatever_serde_writes(text in "\\PC{0,40}", number in any::<f64>(), depth in 0usize..20) {
        let mut value = serde_json::json!({ text.clone(): [text, number, null, true] });
        for _ in 0..depth { value = serde_json::json!([value, {"k": 1}]); }
        prop_assert_eq!(check(value.to_string().as_bytes()), Ok(()));
        prop_assert_eq!(check(serde_json::to_string_pretty(&value).unwrap().as_bytes()), Ok(()));
    }
}

proptest! {
    #[test]
    fn one_walk_finds_what_a_walk_for_each_name_finds(
        members in proptest::collection::vec(("[abc]{1,2}", r#"(1|"x\\"y"|\{"a":2\}|\[\{"b":null\}\]| true )"#), 0..6),
        cut in 0_usize..80,
        behind in "( |,|x)?",
    ) {
        let inner: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\" :{value}")).collect();
        let mut text = format!("{{{}}}", inner.join(","));
        text.truncate(cut);
        text.push_str(&behind);
        let names = ["a", "bb", "c", ""];
        let (found, whole) = fields(text.as_bytes(), names);
        prop_assert_eq!(found, names.map(|name| field(text.as_bytes(), name)));
        prop_assert_eq!(whole.is_ok(), is_whole(text.as_bytes()) && text.starts_with('{'));
    }
}
