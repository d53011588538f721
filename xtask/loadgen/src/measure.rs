//! The order of measurements: rounds over all targets, then the ones that a round would disturb.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::process::Process;
use crate::request::{BURST, FIRST, OPEN, PACED, PLAIN, chat};
use crate::stats::median;
use crate::target::{self, Target};
use crate::{Effort, Result, books, checks, load, stream};

/// Every value of every figure, by figure and target. Medians are taken when they are shown.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    values: BTreeMap<(&'static str, &'static str), Vec<f64>>,
    pub(crate) rounds: usize,
}

impl Figures {
    fn add(&mut self, figure: &'static str, target: &'static str, value: f64) {
        self.values.entry((figure, target)).or_default().push(value);
    }

    pub(crate) fn get(&self, figure: &'static str, target: &'static str) -> Option<f64> {
        median(self.values.get(&(figure, target))?)
    }

    /// Median of the differences within each round: what drifts between rounds cancels out.
    pub(crate) fn added(&self, figure: &'static str, target: &'static str) -> Option<f64> {
        let (own, direct) = (self.values.get(&(figure, target))?, self.values.get(&(figure, "direct"))?);
        median(&own.iter().zip(direct).map(|(own, direct)| own - direct).collect::<Vec<_>>())
    }

    /// Median of the share of requests per second that prices and limits cost, in per cent.
    pub(crate) fn accounting_costs(&self) -> Option<f64> {
        let (with, without) =
            (self.values.get(&("limited_rps", "tollgate"))?, self.values.get(&("plain_rps", "tollgate"))?);
        median(
            &with
                .iter()
                .zip(without)
                .map(|(with, without)| (1.0 - with / without) * 100.0)
                .collect::<Vec<_>>(),
        )
    }

    /// The largest value of a figure.
    pub(crate) fn worst(&self, figure: &'static str, target: &'static str) -> Option<f64> {
        self.values.get(&(figure, target))?.iter().copied().reduce(f64::max)
    }

    /// Median of the ratios to nginx within each round.
    pub(crate) fn ratio(&self, figure: &'static str) -> Option<f64> {
        let (own, nginx) = (self.values.get(&(figure, "tollgate"))?, self.values.get(&(figure, "nginx"))?);
        median(&own.iter().zip(nginx).map(|(own, nginx)| own / nginx).collect::<Vec<_>>())
    }
}

const KB: usize = 1024;

/// Measures everything. `TOLLGATE_BIN` names the binary; without it only direct and nginx are measured.
pub(crate) async fn all(effort: Effort) -> Result<Figures> {
    let (_vendor, upstream) = target::upstream()?;
    let mut targets = vec![target::direct(upstream)];
    match target::nginx(upstream).await? {
        Some(nginx) => targets.push(nginx),
        None => println!("(nginx is not installed: no ratios. Debian: nginx-light)"),
    }
    let binary = std::env::var_os("TOLLGATE_BIN").map(PathBuf::from);
    let mut figures = Figures { rounds: effort.rounds, ..Figures::default() };
    if let Some(binary) = &binary {
        for _ in 0..3 {
            figures.add("cold_start_ms", "tollgate", target::cold_start(binary).await?.as_secs_f64() * 1e3);
        }
        targets.push(target::tollgate(binary, upstream, false).await?);
    }
    let limited = match &binary {
        Some(binary) => Some(target::tollgate(binary, upstream, true).await?),
        None => None,
    };
    for target in &targets {
        if let Some(process) = &target.process {
            figures.add("rss_idle_mb", target.name, process.rss_mb());
        }
    }
    for round in 1..=effort.rounds {
        println!("round {round} of {}", effort.rounds);
        throughput(&mut figures, &targets, effort).await?;
        if let Some(limited) = &limited {
            accounting(&mut figures, limited, effort).await?;
        }
        latency(&mut figures, &targets, effort).await?;
        streams(&mut figures, &targets, effort).await?;
    }
    for target in &targets {
        if let Some(process) = &target.process {
            let request = chat(&target.key, OPEN, 2 * KB);
            let rss = stream::rss_with_open(target.address, &request, effort.open_streams, process).await;
            figures.add("rss_open_mb", target.name, named(target, "open streams", rss)?);
        }
    }
    if let (Some(binary), Some(limited)) = (&binary, limited) {
        for ms in named(&limited, "usage", books::visible(&limited).await)? {
            figures.add("visible_ms", "tollgate", ms);
        }
        let (ms, rows) = books::restart(binary, limited, effort).await?;
        figures.add("restart_ms", "tollgate", ms);
        figures.add("restart_rows", "tollgate", books::rows(rows));
        println!("ready again after {ms:.0} ms with {rows} requests in the log");
    }
    if let Some(binary) = &binary {
        let found = checks::shares(binary, upstream, effort).await?;
        figures.add("checks_off_share", "tollgate", found.off);
        figures.add("checks_on_share", "tollgate", found.on);
        figures.add("checks_share", "tollgate", (found.on - found.off).max(0.0));
        println!(
            "500 credentials: {:.2} % of a processor, {:.2} % with {} checks",
            found.off, found.on, found.checks
        );
    }
    Ok(figures)
}

async fn throughput(figures: &mut Figures, targets: &[Target], effort: Effort) -> Result {
    for target in targets {
        let proxy = target.process.as_ref();
        let small = chat(&target.key, PLAIN, 2 * KB);
        let found = named(target, "2 KB", load::closed(target.address, &small, 64, effort, proxy).await)?;
        figures.add("plain_rps", target.name, found.per_second);
        figures.add("plain_p50_us", target.name, found.p50_us);
        figures.add("plain_p99_us", target.name, found.p99_us);
        found.cpu_us.into_iter().for_each(|cpu| figures.add("plain_cpu_us", target.name, cpu));
        let large = chat(&target.key, PLAIN, 200 * KB);
        let found = named(target, "200 KB", load::closed(target.address, &large, 16, effort, proxy).await)?;
        figures.add("large_rps", target.name, found.per_second);
        found.cpu_us.into_iter().for_each(|cpu| figures.add("large_cpu_us", target.name, cpu));
        show(
            target,
            &format!(
                "{:.0} requests/s of 2 KB, {:.0} of 200 KB",
                figures.last("plain_rps", target),
                found.per_second
            ),
        );
    }
    Ok(())
}

/// Requests per second with prices and limits of every kind, next to those without in the same round.
async fn accounting(figures: &mut Figures, limited: &Target, effort: Effort) -> Result {
    let small = chat(&limited.key, PLAIN, 2 * KB);
    let proxy = limited.process.as_ref();
    let found = named(limited, "2 KB", load::closed(limited.address, &small, 64, effort, proxy).await)?;
    figures.add("limited_rps", "tollgate", found.per_second);
    found.cpu_us.into_iter().for_each(|cpu| figures.add("limited_cpu_us", "tollgate", cpu));
    show(limited, &format!("{:.0} requests/s of 2 KB", found.per_second));
    Ok(())
}

/// All targets at the same rate, a tenth of what the slowest proxy can do, so that differences are the proxy's.
async fn latency(figures: &mut Figures, targets: &[Target], effort: Effort) -> Result {
    let slowest =
        targets.iter().map(|target| figures.last("plain_rps", target)).fold(f64::INFINITY, f64::min);
    for target in targets {
        let request = chat(&target.key, PLAIN, 2 * KB);
        let found = load::paced(target.address, &request, 16, (slowest / 10.0).max(50.0), effort).await;
        let found = named(target, "a tenth of saturation", found)?;
        figures.add("calm_p50_us", target.name, found.p50_us);
        figures.add("calm_p99_us", target.name, found.p99_us);
        show(target, &format!("{:.0} µs median, {:.0} µs p99 at a tenth", found.p50_us, found.p99_us));
    }
    Ok(())
}

async fn streams(figures: &mut Figures, targets: &[Target], effort: Effort) -> Result {
    for target in targets {
        let request = chat(&target.key, FIRST, 2 * KB);
        let (p50, p99) =
            named(target, "first byte", stream::first_byte(target.address, &request, effort).await)?;
        figures.add("first_p50_us", target.name, p50);
        figures.add("first_p99_us", target.name, p99);
        if let Some(process) = &target.process {
            chunks(figures, target, process, effort).await?;
        }
        show(target, &format!("first byte after {p50:.0} µs"));
    }
    Ok(())
}

async fn chunks(figures: &mut Figures, target: &Target, process: &Process, effort: Effort) -> Result {
    let paced = chat(&target.key, PACED, 2 * KB);
    let cost = stream::cpu_per_chunk(target.address, &paced, effort.paced_streams, effort, process).await;
    figures.add("paced_cpu_us", target.name, named(target, "paced streams", cost)?);
    let burst = chat(&target.key, BURST, 2 * KB);
    let cost = stream::cpu_per_chunk(target.address, &burst, 16, effort, process).await;
    figures.add("burst_cpu_us", target.name, named(target, "burst streams", cost)?);
    Ok(())
}

impl Figures {
    fn last(&self, figure: &'static str, target: &Target) -> f64 {
        self.values
            .get(&(figure, target.name))
            .and_then(|values| values.last())
            .copied()
            .unwrap_or(f64::INFINITY)
    }
}

fn named<T>(target: &Target, what: &str, outcome: Result<T>) -> Result<T> {
    outcome.map_err(|error| format!("{}, {what}: {error}", target.name).into())
}

fn show(target: &Target, line: &str) {
    println!("  {:<9} {line}", target.name);
}
