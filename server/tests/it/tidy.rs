//! The house rules that neither the compiler nor clippy can hold, read off the source files.
//!
//! Each rule names the files that break it. An exception stands in a list with its reason, and a listed
//! exception that is no longer needed breaks the rule too. Nothing here looks at behaviour.

mod floors;
mod sources;

use sources::{Source, all, code, lines_of, names_below};

/// Files over [`MOST_LINES`], with the reason why they are one thing.
const LONG_FILES: &[(&str, &str)] = &[];

const MOST_LINES: usize = 400;

/// Files outside `app/src/host*` that may ask for a feature, with the reason.
const FEATURE_FILES: &[(&str, &str)] = &[
    ("crates/types/src/", "`schema` adds a derive and is never on in the browser"),
    ("crates/ledger/src/lib.rs", "`testing` opens the disk that can be cut, for the tests of other crates"),
    ("crates/store/src/lib.rs", "`testing` opens the module of test databases"),
    ("crates/store/src/testing.rs", "`testing` itself"),
];

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}

fn rust() -> Vec<Source> {
    let files: Vec<Source> = all().into_iter().filter(|file| file.is("rs")).collect();
    assert!(files.len() > 50, "the sources were not found");
    files
}

#[test]
fn no_file_is_longer_than_four_hundred_lines_without_a_listed_reason() {
    let mut found: Vec<String> = all()
        .iter()
        .filter(|file| ["rs", "js", "css"].iter().any(|ext| file.is(ext)))
        .map(|file| (file, file.text.lines().count()))
        .filter(|(file, lines)| *lines > MOST_LINES && !LONG_FILES.iter().any(|(path, _)| *path == file.path))
        .map(|(file, lines)| format!("{} has {lines} lines", file.path))
        .collect();
    found.extend(
        LONG_FILES
            .iter()
            .filter(|(path, _)| !all().iter().any(|f| f.path == *path && f.text.lines().count() > MOST_LINES))
            .map(|(path, _)| format!("{path} is listed as long but is not")),
    );
    assert_none(&found, "a file is one idea: split it, or move its tests to `foo/tests.rs`");
}

#[test]
fn every_module_says_first_what_it_is_for() {
    let found: Vec<String> = rust()
        .iter()
        .filter(|file| !file.path.ends_with("/tests.rs"))
        .filter(|file| !file.text.lines().next().is_some_and(|line| line.starts_with("//! ")))
        .map(|file| file.path.clone())
        .collect();
    assert_none(&found, "a module opens with `//!` and a sentence on what it is for");
}

#[test]
fn features_are_asked_for_in_the_host_files_only() {
    let asks = concat!("feature", " =");
    let found: Vec<String> = rust()
        .iter()
        .filter(|file| !file.path.starts_with("app/src/host"))
        .filter(|file| !FEATURE_FILES.iter().any(|(start, _)| file.path.starts_with(start)))
        .flat_map(|file| lines_of(file, |line| line.contains("cfg") && line.contains(asks)))
        .collect();
    assert_none(&found, "`cfg(feature …)` belongs into app/src/host.rs");
    let in_types: Vec<String> = rust()
        .iter()
        .filter(|file| file.path.starts_with("crates/types/src/"))
        .flat_map(|file| lines_of(file, |line| line.contains(asks) && !line.contains("\"schema\"")))
        .collect();
    assert_none(&in_types, "types knows one feature, `schema`");
}

#[test]
fn modules_lie_beside_their_folder_and_are_named_for_what_they_hold() {
    let vague = [
        "mod.rs",
        "util.rs",
        "utils.rs",
        "helper.rs",
        "helpers.rs",
        "manager.rs",
        "misc.rs",
        "common_utils.rs",
    ];
    let found: Vec<String> = rust()
        .iter()
        .filter(|file| vague.iter().any(|name| file.path.ends_with(&format!("/{name}"))))
        .map(|file| file.path.clone())
        .collect();
    assert_none(&found, "no mod.rs, and no file named for nothing");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (sqlite, postgres) = (names_below("migrations/sqlite"), names_below("migrations/postgres"));
    assert!(!sqlite.is_empty(), "no migrations were found");
    assert_eq!(sqlite, postgres, "migration names differ between the two folders");
}

#[test]
fn no_test_is_switched_off() {
    let found: Vec<String> = all()
        .iter()
        .flat_map(|file| match () {
            () if file.is("rs") => {
                lines_of(file, |line| line.trim_start().starts_with(concat!("#[ig", "nore")))
            }
            () if file.is("js") => lines_of(file, |line| {
                [concat!(".sk", "ip("), concat!(".on", "ly("), concat!(".to", "do(")]
                    .iter()
                    .any(|off| line.contains(off))
            }),
            () => Vec::new(),
        })
        .collect();
    // Not tests, but programs that want a test's surroundings: one writes the price table, one prints figures.
    let programs = ["crates/gateway/src/price/table/write.rs", "crates/store/src/scale.rs"];
    let found: Vec<String> =
        found.into_iter().filter(|line| !programs.iter().any(|program| line.starts_with(program))).collect();
    assert_none(&found, "a test that does not run tells nothing");
}

#[test]
fn nothing_is_left_for_later_in_a_comment() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK:")];
    let found: Vec<String> = all()
        .iter()
        .flat_map(|file| lines_of(file, |line| words.iter().any(|word| line.contains(word))))
        .collect();
    assert_none(&found, "open work belongs into an issue");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let found: Vec<String> = all()
        .iter()
        .flat_map(|file| lines_of(file, |line| places.iter().any(|place| line.contains(place))))
        .collect();
    assert_none(&found, "a path of one machine");
}

#[test]
fn both_halves_of_the_dashboard_are_compiled_with_the_same_cfg() {
    let flag = concat!("erase_", "components");
    let found: Vec<String> = all()
        .iter()
        .filter(|file| file.path != ".cargo/config.toml")
        .filter(|file| ["rs", "toml", "sh", "yml", "Dockerfile", "run"].iter().any(|ext| file.is(ext)))
        .flat_map(|file| lines_of(file, |line| line.contains(flag)))
        .collect();
    assert_none(
        &found,
        "this cfg on one side only makes hydration panic; it is set for both at once, in .cargo/config.toml",
    );
}

#[test]
fn the_bundler_and_the_lock_file_agree_on_wasm_bindgen() {
    let files = all();
    let text = |path: &str| {
        files.iter().find(|file| file.path == path).map(|file| file.text.clone()).unwrap_or_default()
    };
    let lock = text("Cargo.lock");
    let locked = lock
        .split("[[package]]")
        .find(|package| package.contains("\nname = \"wasm-bindgen\"\n"))
        .and_then(|package| package.lines().find_map(|line| line.strip_prefix("version = ")))
        .map(|version| version.trim_matches('"').to_owned());
    assert!(locked.is_some(), "wasm-bindgen is not in Cargo.lock");
    let wanted = format!("wasm-bindgen-cli-support = \"={}\"", locked.unwrap_or_default());
    assert!(
        text("xtask/bundler/Cargo.toml").contains(&wanted),
        "xtask/bundler/Cargo.toml should say {wanted}"
    );
}

#[test]
fn every_setting_changes_something_outside_its_own_administration() {
    let files = rust();
    let settings = files.iter().find(|file| file.path == "crates/types/src/setting.rs");
    let text = settings.map(|file| file.text.as_str()).unwrap_or_default();
    let body = text
        .split_once("pub struct Settings {")
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .map(|(body, _)| body);
    let fields: Vec<&str> = body
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':').map(|(name, _)| name))
        .collect();
    assert!(fields.len() > 3, "the fields of Settings were not found");
    let elsewhere: Vec<String> = files
        .iter()
        .filter(|file| {
            !file.path.starts_with("crates/types/") && !file.path.starts_with("crates/gateway/src/admin")
        })
        .filter(|file| !file.path.contains("/tests"))
        .map(code)
        .collect();
    let found: Vec<String> = fields
        .iter()
        .filter(|field| !elsewhere.iter().any(|text| text.contains(&format!(".{field}"))))
        .map(|field| format!("Settings::{field} is read nowhere"))
        .collect();
    assert_none(&found, "a setting that nothing reads is a promise that nobody keeps");
}

#[test]
fn sql_is_written_in_the_store_only() {
    let starts = [
        concat!("\"SELECT", " "),
        concat!("\"INSERT", " INTO"),
        concat!("\"UPDATE", " "),
        concat!("\"DELETE", " FROM"),
    ];
    let found: Vec<String> = rust()
        .iter()
        .filter(|file| !file.path.starts_with("crates/store/") && !file.path.contains("/tests/"))
        .flat_map(|file| lines_of(file, |line| starts.iter().any(|start| line.contains(start))))
        .collect();
    assert_none(&found, "SQL outside crates/store");
}

#[test]
fn the_readme_explains_every_name_that_is_read() {
    let files = all();
    let text = |path: &str| {
        files.iter().find(|file| file.path == path).map(|file| file.text.clone()).unwrap_or_default()
    };
    let keys =
        files.iter().find(|file| file.path == "server/src/config/keys.rs").map(code).unwrap_or_default();
    let names: Vec<&str> = keys
        .split('"')
        .filter(|word| {
            word.len() > 3 && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
        })
        .collect();
    assert!(names.len() > 10, "the names were not found");
    let readme = text("README.md");
    let found: Vec<String> = names
        .iter()
        .filter(|name| !readme.contains(&format!("`{name}`")))
        .map(|name| (*name).to_owned())
        .collect();
    assert_none(&found, "missing in README.md's configuration table");
}
