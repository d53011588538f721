//! A real file system loses its power: an ext4 in a file, shut down without its log being written, with journal and
//! database on it. It needs the rights to mount; where they are missing it prints SKIP.

use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::testing::{Fault, TestDisk, World};

use super::rig::{Rig, Trust};
use super::*;
use crate::ConnectOptions;

/// A mounted file system of its own.
struct Volume {
    home: tempfile::TempDir,
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let done = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&done.stderr);
    if done.status.success() { Ok(()) } else { Err(format!("{program}: {}", text.trim())) }
}

impl Volume {
    fn make() -> Result<Self, String> {
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let volume = Self { home };
        std::fs::create_dir(volume.path()).map_err(|error| error.to_string())?;
        run("truncate", &["-s", "96M", &volume.image()])?;
        run("mkfs.ext4", &["-q", "-F", &volume.image()])?;
        volume.mount()?;
        Ok(volume)
    }

    fn image(&self) -> String {
        self.home.path().join("image").display().to_string()
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("mnt")
    }

    fn mount(&self) -> Result<(), String> {
        run(
            "mount",
            &["-t", "ext4", "-o", "loop,data=ordered", &self.image(), &self.path().display().to_string()],
        )
    }

    /// `EXT4_IOC_SHUTDOWN` without a flush of the log: from here on nothing reaches the disk.
    fn cut(&self) -> Result<(), String> {
        let script = "open(my $dir, '<', $ARGV[0]) or die $!; my $flag = pack('I', 2);
            ioctl($dir, 0x8004587d, $flag) or die $!;";
        run("perl", &["-e", script, &self.path().display().to_string()])
    }

    async fn restore(&self) {
        // Threads of the database may hold files for a moment.
        for _ in 0..200 {
            if run("umount", &[&self.path().display().to_string()]).is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.mount().unwrap();
    }

    async fn store(&self) -> Store {
        let url = format!("sqlite://{}", self.path().join("books.db").display());
        let store = Store::connect(&url, ConnectOptions { max_connections: 2 }).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        drop(run("umount", &["-l", &self.path().display().to_string()]));
    }
}

fn volume() -> Option<Volume> {
    // Probed as a whole: a machine may let mount and not shut down.
    let made = Volume::make().and_then(|volume| {
        volume.cut()?;
        run("umount", &[&volume.path().display().to_string()])?;
        volume.mount().map(|()| volume)
    });
    made.map_err(|why| println!("SKIP power cut: {why}")).ok()
}

/// One life, cut at a step; answers what does not hold and what is lost besides.
async fn cycle(volume: &Volume, run: u64, at: u64, make: impl Fn(&mut Rig)) -> (Vec<String>, usize) {
    let journal = volume.path().join(format!("journal-{run}"));
    let store = volume.store().await;
    let mut rig = Rig::new(&store, &World::with_fault(at, Fault::Before), run);
    rig.trust = Trust::Machine;
    make(&mut rig);
    rig.live(&journal).await;
    volume.cut().unwrap();
    store.close().await;
    drop(store);
    volume.restore().await;
    rig.store = volume.store().await;
    let journal: &Path = &journal;
    if !journal.exists() {
        // The directory itself was never synced; then nothing may have been promised.
        std::fs::create_dir(journal).unwrap();
    }
    let found = rig.check(journal).await;
    rig.store.close().await;
    found
}

#[tokio::test]
async fn fault_s11_a_real_power_cut_loses_nothing_that_was_on_the_disk() {
    let Some(volume) = volume() else { return };
    let (mut cuts, mut unkept) = (0, 0);
    for strict in [true, false] {
        for at in [3, 9, 17, 31, 44, 58, 77, 96, 123, 151, 190, 240] {
            cuts += 1;
            let make = |rig: &mut Rig| {
                rig.strict = strict;
                rig.disk = TestDisk::syncing(&rig.world);
            };
            let (wrong, more) = cycle(&volume, cuts, at, make).await;
            assert_eq!(wrong, Vec::<String>::new(), "strict={strict}, cut {at}");
            unkept += more;
        }
    }
    println!(
        "{cuts} real power cuts, {unkept} acknowledged records lost within the window of the group sync"
    );
}

// Without this the test above proves nothing: the same journal, whose syncs do nothing.
#[tokio::test]
async fn the_real_power_cut_finds_syncs_that_do_nothing() {
    let Some(volume) = volume() else { return };
    let mut lost = 0;
    for (run, at) in (1..).zip([40, 80, 120, 160]) {
        let make = |rig: &mut Rig| {
            rig.strict = true;
            rig.disk = TestDisk::without_syncs(&rig.world);
        };
        let (wrong, _) = cycle(&volume, run, at, make).await;
        lost += wrong.iter().filter(|why| why.contains("it is lost")).count();
    }
    println!("4 real power cuts without syncs: {lost} acknowledged records found to be lost");
    assert!(lost > 0);
}
