//! Notices configuration changed by another instance or by hand in the database.

use crate::core::Core;

pub(super) async fn run(core: &Core) -> Result<String, String> {
    let stored = core.store.config_revision().await.map_err(|error| error.to_string())?;
    let loaded = core.snapshot().revision;
    if stored == loaded {
        return Ok(format!("unchanged at revision {loaded}"));
    }
    core.reload().await.map_err(|error| error.to_string())?;
    // It may have been a reset of usage, another time zone, or a group that counts from now on.
    core.reload_spend().await.map_err(|error| error.to_string())?;
    Ok(format!("loaded revision {stored}"))
}
