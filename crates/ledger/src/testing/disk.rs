//! Real files, of which it is known what a power cut would leave.
//!
//! Writes go to the files at once, as they go to the page cache; what was not synced since is remembered, and left
//! out of the [image](TestDisk::image) that a power cut leaves. So nothing has to be synced in earnest, which makes
//! thousands of runs quick.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Step, Verdict, World};
use crate::medium::{Disk, Medium, Storage};
use crate::{JournalError, Ledger, Options, Recovery};

const SECTOR: u64 = 512;

/// What a power cut does to what was not synced. Numbers choose where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it is lost: bytes, new files, and that files were removed.
    All,
    /// Each file keeps some whole sectors of it, or some bytes; each change of the directory is lost or not, each on
    /// its own, so that later ones may survive earlier ones.
    Sectors(u64),
    /// Like [`Sectors`](Self::Sectors), but files have their full length, with zeros where bytes were lost.
    Zeros(u64),
}

#[derive(Debug, Default)]
struct FileState {
    /// Bytes that a power cut leaves.
    synced: u64,
    /// Whether its name survives one.
    named: bool,
    /// A sync failed: what it should have written is gone from the cache as well.
    broken: bool,
}

#[derive(Debug, Default)]
struct Pending {
    files: BTreeMap<PathBuf, FileState>,
    /// Files whose removal was not synced, with what a power cut leaves of them.
    removed: BTreeMap<PathBuf, Vec<u8>>,
}

/// A disk in a [`World`]; cheap to clone, and all clones are the same.
#[derive(Clone, Debug)]
pub struct TestDisk {
    world: World,
    pending: Arc<Mutex<Pending>>,
    syncs: Syncs,
    /// Whether honest syncs reach the real disk too.
    real: bool,
}

/// What syncs and writes are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syncs {
    Honest,
    /// Syncs report success and do nothing.
    Ignored,
    /// Writes report success and stay in the process until the next sync.
    Buffered,
}

impl TestDisk {
    /// An honest disk.
    pub fn new(world: &World) -> Self {
        Self { world: world.clone(), pending: Arc::default(), syncs: Syncs::Honest, real: false }
    }

    /// One that syncs in earnest, for file systems that are really cut off.
    pub fn syncing(world: &World) -> Self {
        Self { real: true, ..Self::new(world) }
    }

    /// A disk whose syncs report success and do nothing: what the rig must find out.
    pub fn without_syncs(world: &World) -> Self {
        Self { syncs: Syncs::Ignored, ..Self::new(world) }
    }

    /// A journal that acknowledges what it has not written: what the rig must find out.
    pub fn acknowledging_early(world: &World) -> Self {
        Self { syncs: Syncs::Buffered, ..Self::new(world) }
    }

    /// Opens the books on it.
    pub fn open(&self, options: Options) -> Result<(Ledger, Recovery), JournalError> {
        Ledger::open_on(options, Arc::new(self.clone()))
    }

    fn pending<T>(&self, run: impl FnOnce(&mut Pending) -> T) -> T {
        run(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    // Lets a step happen as far as the world allows.
    fn step(&self, step: Step, run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.world.hit(step) {
            Verdict::Done => run(),
            Verdict::Unheard => run().and_then(|()| Err(stopped())),
            Verdict::Half | Verdict::Failed => Err(stopped()),
        }
    }

    /// Writes what a power cut would leave of `dir` now to `into`.
    pub fn image(&self, dir: &Path, into: &Path, loss: Loss) -> io::Result<()> {
        let mut dice = Dice(match loss {
            Loss::All => 0,
            Loss::Sectors(seed) | Loss::Zeros(seed) => seed,
        });
        let all = loss == Loss::All;
        fs::create_dir_all(into)?;
        self.pending(|pending| {
            for entry in fs::read_dir(dir)? {
                let entry = entry?;
                let (path, name) = (entry.path(), entry.file_name());
                let Some(state) = pending.files.get(&path) else {
                    // Not touched since the start, so it is what was there before.
                    fs::copy(&path, into.join(name))?;
                    continue;
                };
                if !state.named && (all || dice.coin()) {
                    continue;
                }
                let mut bytes = fs::read(&path)?;
                let whole = bytes.len();
                let kept = if all { state.synced } else { dice.sectors(state.synced, whole) };
                bytes.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
                if matches!(loss, Loss::Zeros(_)) {
                    bytes.resize(whole, 0);
                }
                fs::write(into.join(name), bytes)?;
            }
            for (path, bytes) in &pending.removed {
                if let (true, Some(name)) = (all || dice.coin(), path.file_name()) {
                    fs::write(into.join(name), bytes)?;
                }
            }
            Ok(())
        })
    }
}

impl Storage for TestDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Medium>> {
        let existed = path.exists();
        self.step(Step::Open, || {
            let len = Disk.open(path).and_then(|_| fs::metadata(path))?.len();
            self.pending(|pending| {
                let fresh = || FileState { synced: len, named: existed, broken: false };
                pending.files.entry(path.to_owned()).or_insert_with(fresh);
            });
            Ok(())
        })?;
        let file = TestFile {
            disk: self.clone(),
            path: path.to_owned(),
            real: Disk.open(path)?,
            held: Mutex::default(),
        };
        Ok(Arc::new(file))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(Step::SyncDir, || {
            if self.real {
                Disk.sync_dir(dir)?;
            }
            if self.syncs != Syncs::Ignored {
                self.pending(|pending| {
                    pending.removed.clear();
                    pending.files.values_mut().for_each(|file| file.named = true);
                });
            }
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Remove, || {
            let mut left = fs::read(path)?;
            Disk.remove(path)?;
            self.pending(|pending| {
                let state = pending.files.remove(path);
                if state.as_ref().is_none_or(|state| state.named) {
                    let synced = state.map_or(u64::MAX, |state| state.synced);
                    left.truncate(usize::try_from(synced).unwrap_or(usize::MAX));
                    pending.removed.insert(path.to_owned(), left);
                }
            });
            Ok(())
        })
    }
}

#[derive(Debug)]
struct TestFile {
    disk: TestDisk,
    path: PathBuf,
    real: Arc<dyn Medium>,
    /// What a journal that acknowledges early has not written yet.
    held: Mutex<Vec<u8>>,
}

impl TestFile {
    fn state(&self, run: impl FnOnce(&mut FileState)) {
        self.disk.pending(|pending| run(pending.files.entry(self.path.clone()).or_default()));
    }

    fn let_go(&self) -> io::Result<()> {
        let held = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        if held.is_empty() { Ok(()) } else { self.real.append(&held) }
    }
}

impl Medium for TestFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        match self.disk.world.hit(Step::Append) {
            Verdict::Done if self.disk.syncs == Syncs::Buffered => {
                self.held.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
                Ok(())
            }
            Verdict::Done => self.real.append(bytes),
            Verdict::Unheard => self.real.append(bytes).and_then(|()| Err(stopped())),
            Verdict::Half => {
                let (first, _) = bytes.split_at_checked(bytes.len().div_ceil(2)).unwrap_or_default();
                self.real.append(first).and_then(|()| Err(stopped()))
            }
            Verdict::Failed => Err(stopped()),
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.step(Step::Truncate, || {
            self.real.truncate(len)?;
            self.state(|state| state.synced = state.synced.min(len));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let done = self.disk.step(Step::Sync, || {
            self.let_go()?;
            if self.disk.real {
                self.real.sync()?;
            }
            let len = fs::metadata(&self.path)?.len();
            self.state(|state| {
                if !state.broken && self.disk.syncs != Syncs::Ignored {
                    state.synced = len;
                }
            });
            Ok(())
        });
        if done.is_err() {
            self.state(|state| state.broken = true);
        }
        done
    }
}

fn stopped() -> io::Error {
    io::Error::other("the world has stopped")
}

/// A small generator, so that a failure can be repeated by its number.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn coin(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    // A length between what was synced and the whole: mostly the end of a sector.
    fn sectors(&mut self, synced: u64, whole: usize) -> u64 {
        let whole = u64::try_from(whole).unwrap_or(u64::MAX);
        let span = whole.saturating_sub(synced).saturating_add(1);
        let at = synced.saturating_add(self.next() % span);
        if self.next().is_multiple_of(4) { at } else { (at - at % SECTOR).max(synced) }
    }
}
