//! Questions to the router, and its policy.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::simulation::{BacktestReport, Simulation};

use crate::error::AppError;

/// What a request would meet now.
#[server(input = Json)]
pub(crate) async fn simulate(ask: types::simulation::Simulate) -> Result<Simulation, AppError> {
    Ok(crate::host::admin().await?.routing_simulate(ask).await?)
}

/// What other values would have made of recorded requests.
#[server(input = Json)]
pub(crate) async fn backtest(ask: types::simulation::Backtest) -> Result<BacktestReport, AppError> {
    Ok(crate::host::admin().await?.routing_backtest(ask).await?)
}

/// Puts the values of a backtest into force.
#[server]
pub(crate) async fn apply(policy: String) -> Result<(), AppError> {
    crate::host::apply_policy(&crate::host::admin().await?, &policy).await?;
    crate::host::redirect("/routing?done=applied");
    Ok(())
}

/// Reads the configuration anew.
#[server]
pub(crate) async fn refresh() -> Result<(), AppError> {
    crate::host::admin().await?.scheduler_refresh().await?;
    crate::host::redirect("/routing?done=refreshed");
    Ok(())
}
