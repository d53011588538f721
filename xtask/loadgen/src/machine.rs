//! What the figures were measured on: a figure without its machine says nothing.

use std::process::Command;

/// Lines for the head of the report.
pub(crate) fn lines() -> Vec<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, start: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(start))
            .map(|rest| rest.trim_matches([':', ' ', '\t']).to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cpu = after(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| String::from("unknown CPU"));
    let memory = after(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let memory_gb = memory.split(' ').next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024 / 1024;
    vec![
        format!("{cores} cores, {cpu}, {memory_gb} GiB"),
        format!("Linux {}", said("uname", &["-r"])),
        said("nginx", &["-v"]),
        said("rustc", &["--version"]),
        format!("commit {}", said("git", &["rev-parse", "--short", "HEAD"])),
    ]
}

/// The first line a program says, on either output.
fn said(program: &str, args: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(args).output() else {
        return format!("{program} is not installed");
    };
    let all = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&all).lines().next().unwrap_or_default().trim().to_owned()
}
