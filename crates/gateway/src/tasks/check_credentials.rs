//! Checks the credentials that are due.

use std::sync::Arc;

use crate::checks;
use crate::core::Core;

pub(super) async fn run(core: &Arc<Core>) -> Result<String, String> {
    Box::pin(checks::tick(core)).await
}
