//! The program as a process: exit codes, the last line on standard error, signals (`ST`).

mod pool;
mod reset;
mod secrets;
mod transfer;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const STRONG: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const STRONG_TOO: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

/// The program, in `dir`, with nothing in its environment but what is given.
fn tollgate(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Command {
    wrapped(&[], dir, args, env)
}

/// The same, started by another program.
fn wrapped(by: &[&str], dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Command {
    let binary = env!("CARGO_BIN_EXE_tollgate");
    let mut words = by.iter().copied().chain([binary]).chain(args.iter().copied());
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir(dir).env_clear().env("PORT", "0").envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn outcome(mut command: Command) -> (i32, Output) {
    let output = tokio::time::timeout(Duration::from_secs(30), command.output()).await;
    let output = output.expect("the program did not end").unwrap();
    (output.status.code().unwrap_or(-1), output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A started program, its first lines on standard error, and its address.
async fn started(mut command: Command) -> (Child, String, String) {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    let ready = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            seen.extend([line.as_str(), "\n"]);
            if let Some((_, address)) = line.split_once("is ready: http://") {
                return address.to_owned();
            }
        }
        panic!("it ended: {seen}");
    };
    let address = tokio::time::timeout(Duration::from_secs(30), ready).await.expect("it never became ready");
    // A little more may follow: the token of a first start.
    while let Ok(Ok(Some(line))) = tokio::time::timeout(Duration::from_millis(50), lines.next_line()).await {
        seen.extend([line.as_str(), "\n"]);
    }
    (child, seen, address)
}

/// A call of the admin API with the token [`STRONG`]: status and body.
async fn admin(address: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    call(address, method, &format!("/api/admin{path}"), ("Authorization", &format!("Bearer {STRONG}")), body)
        .await
}

async fn call(address: &str, method: &str, path: &str, auth: (&str, &str), body: &Value) -> (u16, Value) {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{}: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        auth.0,
        auth.1,
        text.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{text}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
}

/// Ends it as a service manager does.
async fn stop(child: Child) -> String {
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    text(&output.stdout)
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id().unwrap()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap();
}

#[tokio::test]
async fn st_01_production_refuses_missing_and_weak_secrets_within_two_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let mut took = Vec::new();
    for token in
        [None, Some(""), Some("changeme"), Some("your-secret-key-that-is-long-enough-to-pass"), Some("short")]
    {
        let mut env = vec![("TOLLGATE_ENV", "production"), ("ENCRYPTION_SECRET", STRONG)];
        env.extend(token.map(|token| ("API_SECRET", token)));
        let began = Instant::now();
        let (code, output) = outcome(tollgate(dir.path(), &["serve"], &env)).await;
        let stderr = text(&output.stderr);
        assert_eq!(code, 10, "{token:?}: {stderr}");
        took.push(began.elapsed());
        assert!(stderr.contains("API_SECRET is required") && stderr.contains("openssl rand"), "{stderr}");
        assert!(!dir.path().join("data").exists(), "nothing was touched");
    }
    // The first one reads the program from the disk, and any of them may meet a busy machine.
    took.sort_unstable();
    assert!(took[took.len() / 2] < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn st_01_development_makes_its_secrets_and_shows_the_token_once() {
    let dir = tempfile::tempdir().unwrap();
    let (child, first, _) = started(tollgate(dir.path(), &[], &[])).await;
    let token = std::fs::read_to_string(dir.path().join("data/secrets/admin_token")).unwrap();
    assert!(token.len() >= 32 && first.contains(&token), "{first}");
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!text(&output.stdout).contains(&token), "never in the log");

    let (child, second, _) = started(tollgate(dir.path(), &[], &[])).await;
    assert!(!second.contains(&token), "{second}");
    signal(&child, Signal::INT);
    assert_eq!(child.wait_with_output().await.unwrap().status.code(), Some(0));
}

#[tokio::test]
async fn st_02_a_folder_that_cannot_be_written_is_explained() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(dir.path(), 0o755);
    mode(&data, 0o555);
    // Root may write anywhere, so as root the program is started as somebody else.
    let by: &[&str] = if geteuid().is_root() {
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    } else {
        &[]
    };
    if !by.is_empty() && !Path::new("/usr/bin/setpriv").exists() {
        println!("SKIP st_02: running as root and there is no setpriv");
        return;
    }
    let path = [("PATH", "/usr/bin:/bin")];
    let (code, output) = outcome(wrapped(by, dir.path(), &["serve"], &path)).await;
    let stderr = text(&output.stderr);
    if code == 126 || code == 127 {
        println!("SKIP st_02: another user may not execute the program here");
        return;
    }
    assert_eq!(code, 12, "{stderr}");
    for part in ["EACCES: permission denied", "data", "0555", "uid"] {
        assert!(stderr.contains(part), "{part} is missing in: {stderr}");
    }
    assert!(stderr.lines().last().unwrap().contains("chown"), "{stderr}");
    mode(&data, 0o755);
}

#[tokio::test]
async fn st_03_a_folder_that_cannot_be_made_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let (code, output) = outcome(tollgate(dir.path(), &[], &[("DATA_DIR", "/proc/nowhere/data")])).await;
    assert_eq!(code, 12);
    assert!(text(&output.stderr).contains("ENOENT: no such file"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn st_04_a_taken_port_leaves_nothing_half_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let (code, output) = outcome(tollgate(dir.path(), &[], &[("PORT", &port.to_string())])).await;
    let stderr = text(&output.stderr);
    assert_eq!(code, 11, "{stderr}");
    assert!(stderr.contains(&format!("port {port} is already in use")), "{stderr}");
    assert!(stderr.contains(&format!("process {}", std::process::id())), "{stderr}");
    assert!(stderr.lines().last().unwrap().contains("PORT"), "{stderr}");
    let left: Vec<_> =
        std::fs::read_dir(dir.path().join("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.is_empty(), "no database, no journal, no secrets: {left:?}");
}

#[tokio::test]
async fn st_08_hang_up_reloads_and_never_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, _, address) = started(tollgate(dir.path(), &[], &[])).await;
    signal(&child, Signal::HUP);
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let reloaded = async {
        while let Some(line) = stdout.next_line().await.unwrap() {
            if line.contains("SIGHUP") {
                return;
            }
        }
        panic!("the log ended without a word about the hang-up");
    };
    tokio::time::timeout(Duration::from_secs(30), reloaded).await.unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it is still there");
    let port = address.rsplit_once(':').unwrap().1.to_owned();
    let (code, _) = outcome(tollgate(dir.path(), &["healthcheck"], &[("PORT", &port)])).await;
    assert_eq!(code, 0, "ST-18");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    let (code, output) = outcome(tollgate(dir.path(), &["healthcheck"], &[("PORT", &port)])).await;
    assert_eq!(code, 1, "{}", text(&output.stderr));
}

#[tokio::test]
async fn st_14_the_banner_says_what_runs_and_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let env = [
        ("TOLLGATE_ENV", "production"),
        ("ADMIN_TOKEN", STRONG),
        ("ENCRYPTION_SECRET", STRONG_TOO),
        ("LOG_FORMAT", "json"),
    ];
    let (mut child, stderr, _) = started(tollgate(dir.path(), &[], &env)).await;
    // The second signal shortens the linger of production.
    signal(&child, Signal::TERM);
    signal(&child, Signal::INT);
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    let banner = stdout.lines().find(|line| line.contains("Tollgate is ready")).unwrap();
    let banner: Value = serde_json::from_str(banner).unwrap();
    assert_eq!(banner["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(banner["profile"], "production");
    assert!(banner["database"].as_str().unwrap().starts_with("sqlite 3."), "{banner}");
    for name in
        ["revision", "address", "migration", "encryption.key_id", "trust_proxy", "tls_check", "providers"]
    {
        assert!(!banner[name].is_null(), "{name} is missing in {banner}");
    }
    for secret in [STRONG, STRONG_TOO] {
        assert!(!stdout.contains(secret) && !stderr.contains(secret));
    }
}

#[tokio::test]
async fn st_09_validate_and_show_judge_without_starting() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tollgate.toml"), "port = \"x\"\nhost = 7\ncolour = 1\n").unwrap();
    let (code, output) = outcome({
        let mut command = tollgate(dir.path(), &["config", "validate"], &[]);
        command.env_remove("PORT");
        command
    })
    .await;
    let stderr = text(&output.stderr);
    assert_eq!(code, 10, "{stderr}");
    for part in ["port (tollgate.toml:1)", "host (tollgate.toml:2)", "colour (tollgate.toml:3): unknown key"]
    {
        assert!(stderr.contains(part), "{part} is missing in: {stderr}");
    }
    std::fs::write(dir.path().join("tollgate.toml"), "log_level = \"warn\"\n").unwrap();
    let env = [("ADMIN_TOKEN", STRONG), ("DSN", "postgres://u:hunter2hunter2@h/d")];
    let (code, output) = outcome(tollgate(dir.path(), &["config", "show", "--redacted"], &env)).await;
    let stdout = text(&output.stdout);
    assert_eq!(code, 0, "{}", text(&output.stderr));
    assert!(
        stdout.lines().any(|line| line.starts_with("LOG_LEVEL") && line.ends_with("tollgate.toml")),
        "{stdout}"
    );
    assert!(!stdout.contains(STRONG) && !stdout.contains("hunter2"), "{stdout}");
    assert!(!dir.path().join("data").exists(), "looking writes nothing");
}

#[tokio::test]
async fn other_commands_work_in_an_empty_folder() {
    let dir = tempfile::tempdir().unwrap();
    for (args, code, part) in [
        (&["--version"][..], 0, env!("CARGO_PKG_VERSION")),
        (&["service", "print-unit"], 0, "ExecReload=/bin/kill -HUP $MAINPID"),
        (&["doctor"], 0, "first start"),
        (&["db", "check"], 14, "tollgate db migrate"),
        (&["db", "migrate"], 0, "schema"),
        (&["db", "check"], 0, "schema"),
        (&["doctor", "all"], 0, "no provider is set up yet"),
    ] {
        let (found, output) = outcome(tollgate(dir.path(), args, &[])).await;
        let all = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(found, code, "{args:?}: {all}");
        assert!(all.contains(part), "{args:?}: {all}");
    }
}
