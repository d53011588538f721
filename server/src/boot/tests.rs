use std::error::Error;
use std::fmt;

use super::error::chain;
use super::*;
use crate::config::{ConfigProblem, ConfigProblems};

#[test]
fn every_exit_has_its_number() {
    let numbers = [
        Exit::Config,
        Exit::Port,
        Exit::DataDir,
        Exit::Database,
        Exit::Migration,
        Exit::Encryption,
        Exit::Other,
    ]
    .map(Exit::code);
    assert_eq!(numbers, [10, 11, 12, 13, 14, 15, 1]);
}

#[test]
fn the_last_line_says_what_to_do() {
    let error = BootError::new(Exit::Port, "first\nsecond", "Set PORT.");
    assert_eq!(error.to_string().lines().last(), Some("Set PORT."));
}

#[test]
fn st_10_several_faults_are_listed_and_named_in_the_last_line() {
    let problem =
        |key: &str| ConfigProblem { place: String::new(), key: key.into(), message: "wrong".into() };
    let error = BootError::from(ConfigProblems(vec![problem("PORT"), problem("HOST")]));
    assert_eq!(error.exit, Exit::Config);
    let text = error.to_string();
    assert!(text.starts_with("PORT: wrong\nHOST: wrong\n"), "{text}");
    assert!(text.lines().last().unwrap().contains("PORT, HOST"), "{text}");
}

#[derive(Debug)]
struct Layer(&'static str, Option<Box<Layer>>);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Layer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|layer| -> &(dyn Error + 'static) { layer })
    }
}

#[test]
fn causes_are_joined_without_repeating_themselves() {
    let error = Layer(
        "cannot open: refused",
        Some(Box::new(Layer("refused", Some(Box::new(Layer("os error 111", None)))))),
    );
    assert_eq!(chain(&error), "cannot open: refused: os error 111");
}

#[test]
fn st_03_a_missing_folder_is_made_with_mode_0700() {
    use std::os::unix::fs::MetadataExt as _;
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    data_dir::prepare(&dir).unwrap();
    assert_eq!(std::fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "the probe is removed");
}

#[test]
fn st_03_a_parent_that_is_no_folder_is_named() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = data_dir::prepare(&file.join("data")).unwrap_err();
    assert_eq!(error.exit, Exit::DataDir);
    assert!(error.what.contains("ENOTDIR") && error.what.contains("uid"), "{error}");
}

#[test]
fn secrets_are_made_once_with_mode_0600_and_found_again() {
    use std::os::unix::fs::MetadataExt as _;
    let root = tempfile::tempdir().unwrap();
    let mut config = ServerConfig::for_tests(root.path());
    (config.admin_token, config.encryption_secret) = (None, None);
    let mut second = config.clone();
    let (first, new) = generated::complete(&mut config).unwrap();
    assert!(new.is_some());
    let path = root.path().join("secrets/admin_token");
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let (again, new) = generated::complete(&mut second).unwrap();
    assert!(new.is_none(), "it is shown once only");
    assert_eq!(first.admin_token.expose(), again.admin_token.expose());
    assert_ne!(first.admin_token.expose(), first.encryption_secret.expose());
    assert_eq!(first.node, again.node);
}

#[tokio::test]
async fn st_04_a_taken_port_names_its_holder() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = port::take(address).unwrap_err();
    assert_eq!(error.exit, Exit::Port);
    assert!(error.what.contains(&format!("port {} is already in use", address.port())), "{error}");
    assert!(error.what.contains(&format!("process {}", std::process::id())), "{error}");
}
