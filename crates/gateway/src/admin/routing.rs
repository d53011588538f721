//! Questions to the router: what it would do now, what it would have done, and what would have changed its mind.

use types::Problem;
use types::simulation::{Backtest, BacktestReport, Counterfactual, Simulate, Simulation};

use super::Admin;

impl Admin {
    /// The decision that a request like that would meet now. Nothing is sent and nothing is held.
    pub async fn routing_simulate(&self, input: Simulate) -> Result<Simulation, Problem> {
        let _ = input;
        Err(Problem::new("internal", "not built yet"))
    }

    /// What another policy would have made of recorded requests.
    pub async fn routing_backtest(&self, input: Backtest) -> Result<BacktestReport, Problem> {
        let _ = input;
        Ok(BacktestReport::default())
    }

    /// The smallest changes that would have put another candidate first in a recorded request.
    pub async fn request_changes(&self, id: String) -> Result<Vec<Counterfactual>, Problem> {
        self.request_fetch(id).await?;
        Ok(Vec::new())
    }
}
