//! Events under every line end and any cut.

use proptest::prelude::*;

use super::*;

type Event = Result<(String, String), TooBig>;

fn decode(pieces: &[&[u8]]) -> Vec<Event> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.feed(piece, |event| {
            let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            events.push(event.map(|(name, data)| (text(name), text(data))));
        });
    }
    events
}

fn events(list: &[(&str, &str)]) -> Vec<Event> {
    list.iter().map(|(name, data)| Ok(((*name).to_owned(), (*data).to_owned()))).collect()
}

const SAMPLE: &str = ": comment\n\nevent: a\ndata: one\nid: 7\ndata:two\n\nretry: 3\ndata\n\nevent: lost\n\ndata:  模 \n\ndatabase: x\ndata: last\nevent: late\n\n";

fn expected() -> Vec<Event> {
    events(&[("a", "one\ntwo"), ("", ""), ("", " 模 "), ("late", "last")])
}

#[test]
fn u51_line_ends_and_marks_do_not_matter() {
    for end in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{}", SAMPLE.replace('\n', end));
            assert_eq!(decode(&[text.as_bytes()]), expected(), "{end:?}");
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(decode(&bytes), expected(), "{end:?} bytewise");
        }
    }
}

#[test]
fn half_a_mark_at_the_start_is_text() {
    assert_eq!(decode(&[b"\xEF", b"\xBBdata: x\n\ndata: y\n\n"]), events(&[("", "y")]));
}

#[test]
fn an_unfinished_event_is_not_handed_over() {
    assert!(decode(&[b"data: x\n"]).is_empty());
    let mut decoder = Decoder::new();
    decoder.feed(b"data: x\n\n", |_| ());
    assert!(!decoder.mid_event());
    decoder.feed(b"event: y", |_| ());
    assert!(decoder.mid_event());
    decoder.feed(b"\n", |_| ());
    assert!(decoder.mid_event());
    decoder.feed(b"\n", |_| ());
    assert!(!decoder.mid_event());
}

#[test]
fn u20_a_giant_event_is_left_out_and_reading_goes_on() {
    let block = vec![b'x'; 1 << 20];
    for end in [&b"\n"[..], b"\ndata: "] {
        let mut decoder = Decoder::new();
        let mut events = Vec::new();
        decoder.feed(b"data: ", |_| ());
        for _ in 0..64 {
            decoder.feed(&block, |_| events.push(false));
            assert!(decoder.line.capacity() + decoder.data.capacity() <= 3 * MAX_EVENT);
            if end.len() > 1 {
                decoder.feed(end, |_| events.push(false));
            }
        }
        decoder.feed(b"\n\ndata: ok\n\n", |event| events.push(event.is_ok()));
        assert_eq!(events, [false, true]);
        assert!(decoder.line.capacity() + decoder.data.capacity() <= 128 * 1024);
    }
    let whole = [b"data: ".to_vec(), vec![b'x'; MAX_EVENT + 1], b"\n\ndata: ok\n\n".to_vec()].concat();
    assert_eq!(decode(&[&whole]), [vec![Err(TooBig)], events(&[("", "ok")])].concat());
}

proptest! {
    #[test]
    fn u51_any_cut_gives_the_same_events(text in "(event|data|:|id| |:|\r|\n|\r\n|x|模){0,40}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let bytes = text.as_bytes();
        let mut points: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
        points.extend([0, bytes.len()]);
        points.sort_unstable();
        let pieces: Vec<&[u8]> = points.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        prop_assert_eq!(decode(&pieces), decode(&[bytes]));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(decode(&single), decode(&[bytes]));
    }
}
