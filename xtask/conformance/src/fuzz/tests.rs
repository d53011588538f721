//! The rig itself: that it reaches the readers, repeats itself, and can find something.

use super::*;

fn decoders() -> Vec<Decoder> {
    let recorded = Recorded::vendored().unwrap();
    What::all().zip(0..).map(|(what, number)| Decoder::of(&recorded, what, number)).collect()
}

#[test]
fn no_decoder_breaks_on_a_short_run_and_each_understands_a_part_of_it() {
    for mut decoder in decoders() {
        assert!(!decoder.seeds.is_empty(), "{} has nothing to begin with", decoder.name());
        decoder.turn(0..300).unwrap_or_else(|error| panic!("{error}"));
        assert!(decoder.understood > 15, "{}: {} of {}", decoder.name(), decoder.understood, decoder.runs);
        assert!(decoder.understood < decoder.runs, "{}: nothing was broken", decoder.name());
    }
}

#[test]
fn the_same_number_gives_the_same_bytes_and_another_number_others() {
    let decoders = decoders();
    let seeds = &decoders[0].seeds;
    let bytes = |decoder, round| {
        let mut out = Vec::new();
        mutate::mutated(seeds, &mut Random::of(decoder, round), &mut out);
        out
    };
    let all: std::collections::BTreeSet<Vec<u8>> = (0..500).map(|round| bytes(0, round)).collect();
    assert!(all.len() > 450, "{} different bodies of 500", all.len());
    assert_eq!(bytes(3, 77), bytes(3, 77));
    assert_ne!(bytes(3, 77), bytes(4, 77));
}

#[test]
fn a_panic_and_a_broken_promise_are_told_with_the_bytes_that_did_it() {
    let decoder = &decoders()[0];
    let told = decoder.broken(5, "panics", b"{\"a\":1}").to_string();
    assert_eq!(told, "requests of Anthropic, round 5: panics\n{\"a\":1}");
}

#[test]
fn seeds_know_where_their_values_are() {
    let seed = Seed::of_body(r#"{"a":[1,{"b":"x,\"y"}],"c":null}"#).unwrap();
    let piece = &seed.0[0];
    let texts = |of: &[std::ops::Range<usize>]| -> Vec<String> {
        of.iter().map(|at| String::from_utf8_lossy(&piece.json[at.clone()]).into_owned()).collect()
    };
    assert_eq!(texts(&piece.keys), [r#""a""#, r#""b""#, r#""c""#]);
    assert!(texts(&piece.values).contains(&r#""x,\"y""#.to_owned()));
    assert!(texts(&piece.elements).contains(&r#""a":[1,{"b":"x,\"y"}]"#.to_owned()));
}
