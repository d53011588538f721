//! `cargo xtask test`: the steps that CI runs, cheap ones first, each of them runnable alone.
//!
//! A step that this machine cannot run is a SKIP with its reason on a desk, and a failure in CI.

use std::time::{Duration, Instant};

use crate::bundle::{self, Bundle, Profile};
use crate::postgres::Postgres;
use crate::report::{Ended, Line, table};
use crate::shell::{Cmd, During, Failure, Outcome, find, in_ci};
use crate::{edges, end2end, toolchain};

/// What a step answers when it did not fail.
pub(crate) enum Done {
    Passed,
    Skipped(String),
}

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Outcome<Done>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", about: "formatting", run: fmt },
    Step { name: "edges", about: "which crate may reach which", run: check_edges },
    Step { name: "clippy", about: "lints of everything the server is made of", run: clippy },
    Step { name: "clippy-web", about: "lints of the browser half, and of the build tools", run: clippy_web },
    Step { name: "unit", about: "unit and integration tests on SQLite", run: unit },
    Step { name: "postgres", about: "every test that touches a database, on PostgreSQL", run: postgres },
    Step { name: "doc", about: "documentation builds without warnings, its examples run", run: doc },
    Step { name: "bundle", about: "the browser half builds", run: build_bundle },
    Step { name: "e2e", about: "Chromium and the official SDKs against the real binary", run: end2end::test },
];

/// `cargo xtask test [step…]`
pub(crate) fn test(args: &[String]) -> Outcome {
    if args.iter().any(|arg| arg == "--list") {
        for Step { name, about, .. } in STEPS {
            println!("{name:<12} {about}");
        }
        return Ok(());
    }
    if let Some(unknown) = args.iter().find(|arg| !STEPS.iter().any(|step| step.name == **arg)) {
        return Err(Failure::new(format!(
            "test: there is no step '{unknown}'; `cargo xtask test --list` names them"
        )));
    }
    let chosen = STEPS.iter().filter(|step| args.is_empty() || args.iter().any(|arg| arg == step.name));
    let mut lines: Vec<Line> = Vec::new();
    let mut failed = None;
    for step in chosen {
        if failed.is_some() {
            lines.push(Line { step: step.name, ended: Ended::NotReached, took: Duration::ZERO });
            continue;
        }
        println!("\n== {}: {}", step.name, step.about);
        let started = Instant::now();
        let ended = match (step.run)() {
            Ok(Done::Passed) => Ended::Passed,
            Ok(Done::Skipped(why)) if !in_ci() => Ended::Skipped(why),
            Ok(Done::Skipped(why)) | Err(Failure(why)) => {
                failed = Some(format!("{}: {why}", step.name));
                Ended::Failed
            }
        };
        lines.push(Line { step: step.name, ended, took: started.elapsed() });
    }
    println!("{}", table(&lines));
    failed.map_or(Ok(()), |why| Err(Failure::new(why)))
}

/// Cargo, for CI without the bookkeeping of incremental builds that nobody will reuse.
fn cargo(args: &[&str]) -> Cmd {
    let cmd = Cmd::cargo().args(args);
    if in_ci() { cmd.env("CARGO_INCREMENTAL", "0") } else { cmd }
}

fn fmt() -> Outcome<Done> {
    toolchain::need("fmt", "rustfmt")?;
    cargo(&["fmt", "--all", "--check"]).run().map(|()| Done::Passed)
}

fn check_edges() -> Outcome<Done> {
    edges::check().map(|()| Done::Passed)
}

fn clippy() -> Outcome<Done> {
    toolchain::need("clippy", "clippy")?;
    cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]).run().map(|()| Done::Passed)
}

fn clippy_web() -> Outcome<Done> {
    toolchain::need("clippy", "clippy")?;
    // On the host: this type-checks the `hydrate` half without needing the wasm target.
    cargo(&["clippy", "--package", "frontend", "--all-targets", "--", "-D", "warnings"]).run()?;
    cargo(&[
        "clippy",
        "--package",
        "bundler",
        "--package",
        "loadgen",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
    .run()
    .map(|()| Done::Passed)
}

/// nextest where it is installed, else cargo's own runner on these packages; the profiles stand in
/// `.config/nextest.toml`.
fn run_tests(profile: &str, packages: &[&str], url: Option<&str>) -> Outcome {
    let cmd = if find("cargo-nextest").is_some() {
        cargo(&["nextest", "run", "--profile", profile])
    } else {
        println!("(cargo-nextest is not installed: cargo's own test runner does it, a little slower)");
        packages
            .iter()
            .fold(cargo(&["test", "--lib", "--bins", "--tests"]), |cmd, name| cmd.args(["--package", name]))
    };
    match url {
        // The bound is for cargo's own runner, as the profile's is for nextest: a server opens up to ten connections.
        Some(url) => cmd.env("TOLLGATE_TEST_POSTGRES", url).env("RUST_TEST_THREADS", "4").run(),
        None => cmd.env_remove("TOLLGATE_TEST_POSTGRES").run(),
    }
}

fn unit() -> Outcome<Done> {
    run_tests("default", &[], None).map(|()| Done::Passed)
}

fn postgres() -> Outcome<Done> {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return Ok(Done::Skipped(why.to_string())),
    };
    // nextest builds the same packages as in the step before, so that nothing is compiled again.
    run_tests("postgres", &["store", "gateway", "server"], Some(&server.url())).map(|()| Done::Passed)
}

/// `cargo xtask postgres`: the same server, for as long as somebody needs it.
pub(crate) fn postgres_until_enter() -> Outcome {
    let server = Postgres::start()?;
    println!("export TOLLGATE_TEST_POSTGRES={}", server.url());
    println!("(Enter ends it and removes its files)");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map(drop).during("waiting for Enter")
}

fn doc() -> Outcome<Done> {
    cargo(&["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").run()?;
    cargo(&["test", "--doc"]).run().map(|()| Done::Passed)
}

fn build_bundle() -> Outcome<Done> {
    Ok(match bundle::build(Profile::Quick)? {
        Bundle::Ready => Done::Passed,
        Bundle::Unavailable(why) => Done::Skipped(why),
    })
}
