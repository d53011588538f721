//! `tollgate import` and `tollgate export`, the programs, against a gateway that runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fakeup::Fakeup;
use rustix::process::Signal;

use super::{STRONG, STRONG_TOO, outcome, signal, started, text, tollgate};

const ENV: [(&str, &str); 2] = [("ADMIN_TOKEN", STRONG), ("ENCRYPTION_SECRET", STRONG_TOO)];

/// The program's exit code and everything that it said.
async fn said(dir: &Path, port: &str, args: &[&str]) -> (i32, String) {
    let mut env = ENV.to_vec();
    env.push(("PORT", port));
    let (code, output) = outcome(tollgate(dir, args, &env)).await;
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!all.contains("CANARY"), "no secret is printed: {all}");
    (code, all)
}

fn channels(upstream: &Fakeup) -> String {
    serde_json::json!([
        {"id": 1, "type": 8, "name": "main", "base_url": upstream.base_url(), "key": "sk-CANARY-000001", "models": "m-1"},
        {"id": 2, "type": 2, "name": "pictures", "key": "k", "models": "mj"},
    ])
    .to_string()
}

#[tokio::test]
async fn the_plan_is_printed_then_done_and_the_exit_code_says_which() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let port = address.rsplit(':').next().unwrap();
    std::fs::write(dir.path().join("channels.json"), channels(&upstream)).unwrap();

    let (code, plan) =
        said(dir.path(), port, &["import", "channels.json", "--dry-run", "--from", "new-api"]).await;
    assert_eq!(code, 0, "{plan}");
    assert!(plan.starts_with("format     new-api\nadd        main (openai-compatible, http://"), "{plan}");
    assert!(plan.contains("\n  add        key 1 (api_key, "), "{plan}");
    assert!(plan.contains("note       [1]: channel type 2 speaks a protocol"), "{plan}");
    let counts = "1 providers and 1 credentials to add, 0 here already, 0 left out";
    assert!(plan.contains(&format!("{counts}; nothing was changed")), "{plan}");

    let (code, done) = said(dir.path(), port, &["import", "channels.json", "--from", "new-api"]).await;
    assert_eq!((code, done.contains(&format!("{counts}; done"))), (0, true), "{done}");
    assert_eq!(done.lines().next(), plan.lines().next(), "the same plan");
    let (code, again) = said(dir.path(), port, &["import", "channels.json", "--from", "new-api"]).await;
    assert_eq!(code, 0, "{again}");
    assert!(
        again.contains("here       main") && again.contains("0 credentials to add, 1 here already"),
        "{again}"
    );

    std::fs::write(dir.path().join("broken.yaml"), "model_list:\n  - [CANARY").unwrap();
    for (args, part) in [
        (["import", "broken.yaml"].as_slice(), "YAML that cannot be read, line"),
        (&["import", "absent.yaml"], "absent.yaml: "),
        (&["import", "channels.json", "--from", "litellm"], "not of litellm"),
        (&["import", "channels.json", "--from", "whatever"], "expected one of litellm, one-api"),
    ] {
        let (code, why) = said(dir.path(), port, args).await;
        assert_eq!(code, 1, "{args:?}: {why}");
        assert!(why.contains(part), "{args:?}: {why}");
    }
    assert_eq!(said(dir.path(), port, &["import"]).await.0, 2, "wrong arguments");

    std::fs::write(dir.path().join("phrase"), "correct horse battery\n").unwrap();
    std::fs::write(dir.path().join("wrong"), "correct horse batterz\n").unwrap();
    let export = ["export", "sealed.txt", "--passphrase-file", "phrase"];
    let (code, sealed) = said(dir.path(), port, &export).await;
    assert_eq!((code, sealed.trim()), (0, "1 providers and 1 credentials sealed"));
    let file = dir.path().join("sealed.txt");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let content = std::fs::read_to_string(&file).unwrap();
    assert!(content.starts_with("tollgate-export v") && !content.contains("CANARY"), "{content}");
    let (code, twice) = said(dir.path(), port, &export).await;
    assert!(code == 1 && twice.contains("is there already"), "{twice}");
    for (phrase, code, part) in [
        (None, 1, "give the passphrase"),
        (Some("wrong"), 1, "the passphrase is wrong"),
        (Some("phrase"), 0, "1 here already"),
    ] {
        let mut args = vec!["import", "sealed.txt"];
        args.extend(phrase.map(|name| ["--passphrase-file", name]).into_iter().flatten());
        let (found, why) = said(dir.path(), port, &args).await;
        assert_eq!(found, code, "{why}");
        assert!(why.contains(part), "{why}");
    }
    signal(&child, Signal::TERM);
    assert!(child.wait_with_output().await.unwrap().status.success());
    let (code, gone) = said(dir.path(), port, &["import", "channels.json"]).await;
    assert!(code == 1 && gone.contains("no gateway runs at 127.0.0.1:"), "{gone}");
    assert!(gone.contains("tollgate serve") && gone.contains("HOST and PORT"), "the way out: {gone}");
}

#[tokio::test]
async fn a_folder_of_account_files_is_read_and_a_first_starts_own_token_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (child, _, address) = started(tollgate(dir.path(), &[], &[])).await;
    let port = address.rsplit(':').next().unwrap();
    let accounts = dir.path().join("accounts");
    std::fs::create_dir(&accounts).unwrap();
    for name in ["one", "two"] {
        let file = serde_json::json!({
            "type": "claude", "access_token": format!("sk-ant-oat-CANARY-{name}"), "refresh_token": format!("r-{name}"), "email": format!("{name}@example.com"),
        });
        std::fs::write(accounts.join(format!("claude-{name}.json")), file.to_string()).unwrap();
    }
    let (code, output) = outcome(tollgate(dir.path(), &["import", "accounts"], &[("PORT", port)])).await;
    let said = text(&output.stdout);
    assert_eq!(code, 0, "{said} {}", text(&output.stderr));
    assert!(said.starts_with("format     cliproxyapi") && said.contains("2 credentials to add"), "{said}");
    assert!(!said.contains("CANARY"));

    std::fs::write(accounts.join("claude-three.json"), r#"{"type": "claude", "access_token": "CANARY"#)
        .unwrap();
    let (code, output) = outcome(tollgate(dir.path(), &["import", "accounts"], &[("PORT", port)])).await;
    let said = text(&output.stdout);
    assert_eq!(code, 0, "{said} {}", text(&output.stderr));
    assert!(
        said.contains("2 here already") && !said.contains("CANARY"),
        "a broken file spoils no other: {said}"
    );
    assert!(said.contains("note       claude-three.json: JSON that cannot be read, line 1"), "{said}");
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let (code, output) = outcome(tollgate(dir.path(), &["import", "empty"], &[("PORT", port)])).await;
    assert_eq!(code, 1);
    assert!(text(&output.stderr).contains("empty: holds no .json file"), "{}", text(&output.stderr));
    signal(&child, Signal::TERM);
    assert!(child.wait_with_output().await.unwrap().status.success());
}
