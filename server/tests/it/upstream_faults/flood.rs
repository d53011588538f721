//! A million tiny events as fast as sockets carry them (U21): they are held back by whoever reads them, nobody else
//! waits for them, and none is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fakeup::{Behaviour, Blob, End, answer_body};

use crate::rig::client::Open;
use crate::rig::faces::{CHAT, FACES};
use crate::rig::{Rig, SOON};

const EVENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const EVENTS_IN_BLOCK: usize = 1_000;
const BLOCKS: u64 = 1_000;
const END: &str = concat!(
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":25,\"completion_tokens\":1000000}}\n\n",
    "data: [DONE]\n\n",
);

/// What the flood has to be, byte for byte.
struct Flood {
    block: Vec<u8>,
    read: u64,
}

impl Flood {
    fn new() -> Self {
        Self { block: EVENT.repeat(EVENTS_IN_BLOCK).into_bytes(), read: 0 }
    }

    fn behaviour(&self) -> Behaviour {
        Behaviour {
            repeat: BLOCKS - 1,
            afterwards: Some(Blob::from(END)),
            ..Behaviour::body("text/event-stream", self.block.clone())
        }
    }

    fn events(&self) -> u64 {
        len(&self.block) * BLOCKS
    }

    fn total(&self) -> u64 {
        self.events() + len(END.as_bytes())
    }

    /// Holds a piece against what is due.
    fn take(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let due = if self.read < self.events() {
                &self.block[usize::try_from(self.read % len(&self.block)).unwrap()..]
            } else {
                &END.as_bytes()[usize::try_from(self.read - self.events()).unwrap()..]
            };
            let (both, rest) = piece.split_at(due.len().min(piece.len()));
            assert!(due.starts_with(both), "other bytes at {}: {}", self.read, String::from_utf8_lossy(both));
            self.read += len(both);
            piece = rest;
        }
    }

    /// Reads so many bytes, or to the end.
    async fn read_to(&mut self, open: &mut Open, at: u64) {
        while self.read < at {
            let piece = open.piece().await.unwrap_or_else(|| panic!("it ended at {}", self.read));
            self.take(&piece.unwrap());
        }
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}

/// A stream in each dialect, one after another, each whole.
async fn others(rig: &Rig) {
    for face in FACES {
        let got = rig.ask(rig.keyed(face.ask("m-1", true))).await;
        assert_eq!((got.status, got.whole), (200, true), "{face:?}: {}", got.text());
        let entries = rig.upstream.invoice();
        let served = entries.iter().rev().find(|entry| entry.request.model() == Some("m-1")).unwrap();
        assert_eq!(got.body, answer_body(&served.request, &Behaviour::default()), "{face:?}");
    }
}

/// What the vendor could hand over of the flood, once it can hand over no more.
async fn at_rest(rig: &Rig) -> fakeup::Entry {
    let look = || rig.upstream.invoice().into_iter().find(|entry| entry.request.model() == Some("m-flood"));
    let (until, mut last) = (tokio::time::Instant::now() + SOON, None);
    loop {
        let entry = look().unwrap();
        if last == Some(entry.bytes_sent) {
            return entry;
        }
        last = Some(entry.bytes_sent);
        assert!(tokio::time::Instant::now() < until, "it never comes to rest: {entry:?}");
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_u21_a_million_tiny_events_are_held_back_by_their_reader_and_by_nothing_else() {
    let rig = Rig::start().await;
    let mut flood = Flood::new();
    rig.on_model("m-flood", flood.behaviour());
    let before = super::streams::resident();
    let ask = CHAT.ask("m-flood", true);
    let id = ask.id.clone();
    let mut open = rig.open(rig.keyed(ask)).await;
    assert_eq!(open.status, 200);

    // Nobody reads it: it stands still, in the sockets and nowhere else, and others do not.
    let held = at_rest(&rig).await;
    assert_eq!(held.end, End::Running, "{held:?}");
    assert!(
        held.bytes_sent < flood.total() / 2,
        "{} of {} bytes were taken in",
        held.bytes_sent,
        flood.total()
    );
    others(&rig).await;
    let grown = super::streams::resident().saturating_sub(before);
    assert!(grown < 24 << 20, "grew by {grown} bytes");

    // It is read as fast as it comes, and others go on beside it until all but its last tenth is through.
    let (most, through) = (flood.total() / 10 * 9, AtomicBool::new(false));
    let reading = async {
        flood.read_to(&mut open, most).await;
        through.store(true, Ordering::Release);
    };
    let beside = async {
        let mut rounds = 0;
        while rounds < 2 || !through.load(Ordering::Acquire) {
            others(&rig).await;
            rounds += 1;
        }
    };
    tokio::join!(reading, beside);
    let total = flood.total();
    flood.read_to(&mut open, total).await;
    assert!(open.piece().await.is_none(), "nothing follows");
    let row = rig.row(&id).await;
    assert_eq!((&row["outcome"], &row["output_tokens"]), (&"ok".into(), &1_000_000.into()), "{row}");
    let grown = super::streams::resident().saturating_sub(before);
    assert!(grown < 24 << 20, "grew by {grown} bytes");
}
