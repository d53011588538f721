//! Usage summed by something.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::usage::{UsageFilter, UsageLine};

use crate::error::AppError;

/// Lines by what the filter says, and the filter as it was understood: without a beginning it begins so many days
/// before now, at the full hour.
#[server(input = Json)]
pub(crate) async fn by(filter: UsageFilter, days: i64) -> Result<(UsageFilter, Vec<UsageLine>), AppError> {
    let admin = crate::host::admin().await?;
    let begin = crate::host::now()?.plus_ms(-days.clamp(1, 3_650) * types::Timestamp::DAY_MS).hour_start();
    let filter = UsageFilter { since: filter.since.or(Some(begin)), ..filter };
    Ok((filter.clone(), admin.usage(filter).await?))
}
