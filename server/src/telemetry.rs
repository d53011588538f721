//! Log lines: to standard output, as text or JSON, through a bounded buffer that drops and counts rather than
//! waits (S34: a reader that stopped reading must not stop traffic). The level can change while it runs.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, reload};

use crate::config::{LevelHandle, LogFormat};

/// Lines that may wait for a slow reader.
const BUFFERED_LINES: usize = 16_384;

/// Crates that say too much for an operator; a list in `LOG_LEVEL` can still ask for them by name.
const NOISY: &[&str] =
    &["h2", "hyper", "hyper_util", "reqwest", "rustls", "sqlx", "tower", "leptos", "server_fn"];

/// The running log. Dropping it writes out what is buffered.
#[derive(Debug)]
pub struct Telemetry {
    _writer: WorkerGuard,
    dropped: ErrorCounter,
    handle: Handle,
    start_level: Arc<Mutex<String>>,
}

type Handle = reload::Handle<Targets, tracing_subscriber::Registry>;

/// Installs the log of this process; once.
pub fn install(level: &str, format: LogFormat) -> Result<Telemetry, TryInitError> {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(BUFFERED_LINES)
        .thread_name("log")
        .finish(std::io::stdout());
    let dropped = writer.error_counter();
    let (filter, handle) = reload::Layer::new(targets(level));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.event_format(Text).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
    };
    tracing_subscriber::registry().with(filter).with(lines).try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // The payload may quote a request; it is escaped by the formatter and capped here.
        let payload = panic.payload_as_str().unwrap_or("no message");
        let message: String = payload.chars().take(300).collect();
        tracing::error!(place, message, "panicked");
    }));
    Ok(Telemetry { _writer: guard, dropped, handle, start_level: Arc::new(Mutex::new(level.to_owned())) })
}

impl Telemetry {
    /// Changes the level; the empty text means the one it started with. Texts that are no level change nothing.
    pub fn level_handle(&self) -> LevelHandle {
        let handle = self.handle.clone();
        let start = Arc::clone(&self.start_level);
        Arc::new(move |level: &str| {
            let start = start.lock().unwrap_or_else(PoisonError::into_inner);
            let level = if level.is_empty() { start.as_str() } else { level };
            if let Err(error) = handle.reload(targets(level)) {
                tracing::warn!(%error, "the log level could not be changed");
            }
        })
    }

    /// Changes what "as configured at start" means, after the configuration was read again.
    pub fn set_start_level(&self, level: &str) {
        level.clone_into(&mut self.start_level.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Tells, from anywhere, how many lines were dropped so far because nobody read them in time.
    pub fn dropped_counter(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let dropped = self.dropped.clone();
        move || dropped.dropped_lines()
    }
}

fn targets(level: &str) -> Targets {
    if level.contains('=') || level.contains(',') {
        return level.parse().unwrap_or_default();
    }
    let level = level.parse().unwrap_or(tracing::level_filters::LevelFilter::INFO);
    let quiet = level.min(tracing::level_filters::LevelFilter::WARN);
    Targets::new().with_default(level).with_targets(NOISY.iter().map(|name| (*name, quiet)))
}

/// `2026-11-21T08:30:00.123456Z [INFO] server::boot: listening address=127.0.0.1:8080 request{id=…}`
struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let metadata = event.metadata();
        SystemTime.format_time(&mut out)?;
        write!(out, " [{}] {}: ", metadata.level(), metadata.target())?;
        let mut line = String::with_capacity(160);
        DefaultFields::new().format_fields(Writer::new(&mut line), event)?;
        for span in ctx.event_scope().into_iter().flatten() {
            write!(line, " {}", span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                write!(line, "{{{fields}}}")?;
            }
        }
        escape(&line, &mut out)?;
        out.write_char('\n')
    }
}

/// A log line is one line: nobody can write a second one, or move the cursor of a terminal, by what he sends.
fn escape(text: &str, out: &mut impl std::fmt::Write) -> std::fmt::Result {
    if !text.contains(needs_escape) {
        return out.write_str(text);
    }
    for c in text.chars() {
        if needs_escape(c) { write!(out, "{}", c.escape_unicode())? } else { out.write_char(c)? }
    }
    Ok(())
}

/// Controls, line and paragraph separators, and the marks that turn the direction of text around.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_log_line_cannot_be_broken_by_what_is_in_it() {
        let mut out = String::new();
        escape("a\nb\r\u{1b}[31mc\u{2028}d\u{202e}e", &mut out).unwrap();
        assert_eq!(out, r"a\u{a}b\u{d}\u{1b}[31mc\u{2028}d\u{202e}e");
    }

    #[test]
    fn lg_09_levels_and_lists_are_understood() {
        let plain = targets("debug");
        assert!(plain.would_enable("gateway::serve", &Level::DEBUG));
        assert!(!plain.would_enable("hyper::proto", &Level::INFO));
        let list = targets("warn,gateway=trace");
        assert!(list.would_enable("gateway::serve", &Level::TRACE));
        assert!(!list.would_enable("server::boot", &Level::INFO));
    }
}
