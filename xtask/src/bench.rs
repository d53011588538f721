//! `cargo xtask bench`: one run that measures direct, nginx and Tollgate side by side.

use crate::shell::{Cmd, Outcome};

/// `cargo xtask bench [--write] [--quick]`
pub(crate) fn bench(args: &[String]) -> Outcome {
    Cmd::cargo().args(["run", "--release", "--quiet", "--package", "loadgen", "--"]).args(args).run()
}
