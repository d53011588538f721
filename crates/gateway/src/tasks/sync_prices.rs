//! Fetches the price list as often as the setting says.

use store::Change;
use types::Timestamp;

use crate::core::Core;
use crate::pricelist::{self, OBJECT, TakeOver};

/// Where `meta` keeps when the list was fetched last, in milliseconds.
const META: &str = "prices_synced_at";

const NEVER: &str = "0";

pub(super) async fn run(core: &Core) -> Result<String, String> {
    let settings = core.snapshot().settings.clone();
    let hours = i64::from(settings.prices_sync_hours);
    if hours == 0 || settings.prices_sync_url.is_empty() {
        return Ok("switched off".to_owned());
    }
    let (now, wrong) = (core.clock.now(), |error: store::StoreError| error.to_string());
    let last = core.store.meta_get(META).await.map_err(wrong)?;
    let due = last
        .as_deref()
        .and_then(|text| text.parse().ok())
        // A clock that was ahead must not put the next fetch off for ever.
        .is_none_or(|at: i64| at > now.0 || now.0 - at >= hours * Timestamp::HOUR_MS);
    if !due {
        return Ok("not due yet".to_owned());
    }
    // Whoever of several instances notes the time fetches.
    let note = now.0.to_string();
    let mine = match &last {
        Some(last) => core.store.meta_replace(META, last, &note).await.map_err(wrong)?,
        None => core.store.meta_put_if_absent(META, &note).await.map_err(wrong)? == note,
    };
    if !mine {
        return Ok("another instance fetches it".to_owned());
    }
    let import = match pricelist::sync(core, |done| change(now, done)).await {
        Ok(import) => import,
        Err(problem) => {
            // The next look tries again.
            core.store.meta_replace(META, &note, NEVER).await.map_err(wrong)?;
            return Err(problem.to_string());
        }
    };
    Ok(format!("{} new, {} changed, {} invalid", import.new, import.changed, import.invalid))
}

/// What the audit log says of it.
fn change(at: Timestamp, TakeOver { verb, origin, counts }: TakeOver) -> Change {
    Change {
        at,
        actor: "schedule".to_owned(),
        client_ip: None,
        action: format!("{OBJECT}.{verb}"),
        object: OBJECT.to_owned(),
        object_id: verb.to_owned(),
        object_name: origin,
        before: None,
        after: Some(counts),
    }
}
