//! The system page: what runs here, is it healthy, how is it configured.

use leptos::prelude::*;
use types::system::{ConfigLine, Health, SystemView, TaskView};

use super::system_ports::Ports;
use super::system_secrets::Secrets;
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::time::{Time, maybe};
use crate::components::{Refresh, badge, failure};
use crate::format;
use crate::text::sentence::sentence;
use crate::text::{Text, common as c, lang, system as s, translator};

/// The page.
#[component]
pub(crate) fn SystemPage() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let run = ServerAction::<api::system::Run>::new();
    let failed = failure(run);
    let system = Resource::new(move || refresh.0.get(), |_| api::system::view());
    view! {
        <Head title=t(s::SYSTEM)>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
        </Head>
        <div class="page">
            <Done/>
            <Failed error=failed/>
            {load(system, move |system| view! { <Body system run/> })}
        </div>
    }
}

#[component]
fn Body(system: SystemView, run: ServerAction<api::system::Run>) -> impl IntoView {
    let t = translator();
    let (mood, headline) = match system.health.status.as_str() {
        "healthy" => ("good", t(s::HEALTHY)),
        "degraded" => ("warn", t(s::DEGRADED)),
        _ => ("bad", t(s::UNHEALTHY)),
    };
    let uptime = u64::try_from(system.now.0 - system.started_at.0).unwrap_or_default();
    let running = format!("{} {} · {}", t(s::VERSION), system.version, format::duration(uptime));
    view! {
        <Answer mood text=headline>
            <span class="faint">{running}</span>
        </Answer>
        <div class="grid two">
            <Checks health=system.health.clone()/>
            <section class="panel pad">
                <h2>{t(s::THIS_PROCESS)}</h2>
                <dl class="facts stack">
                    <div><dt>{t(s::VERSION)}</dt><dd>{system.version.clone()} " " <code>{system.revision}</code></dd></div>
                    <div><dt>{t(s::PROFILE)}</dt><dd>{system.profile}</dd></div>
                    <div><dt>{t(s::RUNNING_SINCE)}</dt><dd><Time at=system.started_at/> " UTC"</dd></div>
                    <div><dt>{t(s::DATABASE)}</dt><dd>{system.database} " · " {t(s::MIGRATION)} " " {system.migration.to_string()}</dd></div>
                    <div><dt>{t(s::CONFIG_REVISION)}</dt><dd>{system.config_revision.to_string()}</dd></div>
                    <div><dt>{t(s::ENCRYPTION_KEY)}</dt><dd><code>{system.encryption_key_id}</code></dd></div>
                    <div><dt>{t(s::MEMORY)}</dt><dd>{system.memory_bytes.map_or_else(|| "–".to_owned(), format::bytes)}</dd></div>
                    <div><dt>{t(s::JOURNAL)}</dt><dd>{format::bytes(system.journal_bytes)} " · "
                        {format::count(system.journal_backlog)} " " {t(s::JOURNAL_BACKLOG)}</dd></div>
                </dl>
            </section>
        </div>
        <Tasks tasks=system.tasks run/>
        <Ports ports=system.ports/>
        <Secrets/>
        <Configuration lines=system.config/>
    }
}

#[component]
fn Checks(health: Health) -> impl IntoView {
    let t = translator();
    let rows = health
        .checks
        .into_iter()
        .map(|(name, check)| {
            let (mood, word) = match check.status.as_str() {
                "ok" => ("good", t(s::C_OK).to_owned()),
                "degraded" => ("warn", t(s::C_DEGRADED).to_owned()),
                "not_configured" => ("off", t(s::C_NOT_CONFIGURED).to_owned()),
                "failed" => ("bad", t(s::C_FAILED).to_owned()),
                other => ("bad", other.to_owned()),
            };
            let words = check_words(&name).map_or_else(|| name.clone(), |text| t(text).to_owned());
            view! {
                <tr>
                    <th scope="row" data-label=t(c::NAME)>{words}</th>
                    <td data-label=t(c::STATUS)><badge::State mood word/></td>
                    <td data-label=t(c::DETAILS)>{check.detail.map(|said| sentence(lang(), &said))}</td>
                    <td class="num" data-label=t(c::DURATION)>{check.latency_ms.map(format::duration)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="panel">
            <h2 class="panel-title">{t(s::HEALTH)}</h2>
            <div class="table-scroll">
                <table class="table">
                    <caption class="visually-hidden">{t(s::HEALTH)}</caption>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

fn check_words(name: &str) -> Option<Text> {
    Some(match name {
        "database" => s::CHECK_DATABASE,
        "redis" => s::CHECK_REDIS,
        "cache" => s::CHECK_CACHE,
        "ai_service" => s::CHECK_AI,
        "pool" => s::CHECK_POOL,
        _ => return None,
    })
}

#[component]
fn Tasks(tasks: Vec<TaskView>, run: ServerAction<api::system::Run>) -> impl IntoView {
    let t = translator();
    let rows = tasks
        .into_iter()
        .map(|task| {
            let (mood, word) = match (task.failed, task.last_run_at) {
                (true, _) => ("bad", s::TASK_FAILED),
                (false, Some(_)) => ("good", s::TASK_OK),
                (false, None) => ("off", s::NOT_YET),
            };
            view! {
                <tr>
                    <th scope="row" data-label=t(s::TASK)><code>{task.name.clone()}</code></th>
                    <td data-label=t(s::EVERY)>{task.period_s.map_or_else(|| t(s::ON_DEMAND).to_owned(), format::period)}</td>
                    <td data-label=t(s::LAST_RUN)>{maybe(task.last_run_at, t(s::NOT_YET))}</td>
                    <td data-label=t(c::DURATION) class="num">{task.last_duration_ms.map(format::duration)}</td>
                    <td data-label=t(s::RESULT)><badge::State mood word=t(word)/> " " <span class="faint">{task.last_result.map(|said| sentence(lang(), &said))}</span></td>
                    <td class="actions">
                        <ActionForm action=run>
                            <input type="hidden" name="name" value=task.name/>
                            <button class="button small quiet">{t(s::RUN_NOW)}</button>
                        </ActionForm>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="panel">
            <h2 class="panel-title">{t(s::TASKS)}</h2>
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(s::TASKS)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(s::TASK)}</th>
                            <th scope="col">{t(s::EVERY)}</th>
                            <th scope="col">{t(s::LAST_RUN)}</th>
                            <th scope="col" class="num">{t(c::DURATION)}</th>
                            <th scope="col">{t(s::RESULT)}</th>
                            <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

#[component]
fn Configuration(lines: Vec<ConfigLine>) -> impl IntoView {
    let t = translator();
    let rows = lines
        .into_iter()
        .map(|line| {
            let value = if line.value.is_empty() { t(s::EMPTY_VALUE).to_owned() } else { line.value };
            view! {
                <tr>
                    <th scope="row" data-label=t(c::NAME)><code>{line.name}</code></th>
                    <td data-label=t(s::VALUE)><code class="break">{value}</code></td>
                    <td data-label=t(s::SOURCE) class="faint">{line.source}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="panel">
            <h2 class="panel-title">{t(s::CONFIGURATION)}</h2>
            <p class="help pad-x">{t(s::CONFIG_TEXT)}</p>
            <div class="table-scroll">
                <table class="table">
                    <caption class="visually-hidden">{t(s::CONFIGURATION)}</caption>
                    <thead>
                        <tr><th scope="col">{t(c::NAME)}</th><th scope="col">{t(s::VALUE)}</th><th scope="col">{t(s::SOURCE)}</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
