//! Reads a vendor's CSV file: finds its columns, and takes amounts as they are written, never through floating point.
//!
//! A line that makes no sense is told by its number and left out; a file without the columns is refused.

use std::str::FromStr;

use csv::StringRecord;
use rust_decimal::Decimal;
use types::{Problem, Timestamp};

/// Largest file, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Unread lines that are told.
const TOLD: usize = 100;

/// Names of the columns, in lower case, best first: our own, then those of OpenAI's, Anthropic's, Google's and Azure's
/// exports.
const DATE: &[&str] = &[
    "date",
    "day",
    "usage_date_utc",
    "usage_date",
    "usage start date",
    "start_time_iso",
    "start_time",
    "timestamp",
    "usagedate",
];
const MODEL: &[&str] = &[
    "model",
    "model_version",
    "model_name",
    "line_item",
    "snapshot_id",
    "sku description",
    "metername",
    "meter",
];
const COST: &[&str] = &[
    "cost",
    "cost_usd",
    "amount_value",
    "amount_usd",
    "amount",
    "cost ($)",
    "subtotal ($)",
    "costusd",
    "costinusd",
    "costinbillingcurrency",
    "total_cost",
    "list_amount",
];
const CURRENCY: &[&str] = &["currency", "amount_currency", "billingcurrency"];

/// One line that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Charged {
    /// Start of the UTC day.
    pub(super) day: Timestamp,
    pub(super) model: String,
    /// USD, exactly as written; never negative.
    pub(super) cost: Decimal,
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Invoice {
    pub(super) charged: Vec<Charged>,
    /// Lines that were left out, with the reason.
    pub(super) unread: Vec<String>,
}

struct Columns {
    date: usize,
    model: usize,
    cost: usize,
    currency: Option<usize>,
}

pub(super) fn read(text: &str) -> Result<Invoice, Problem> {
    if text.len() > MAX_BYTES {
        return Err(Problem::field("csv", "the file is larger than 16 MiB"));
    }
    // The reader counts a line that ends in CR LF, as browsers and spreadsheets write them, one too few.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| Problem::field("csv", "the file has no header line"))?;
    let columns = columns(header)?;
    let mut invoice = Invoice::default();
    let mut left_out = 0_usize;
    for (record, count) in reader.records().zip(2_u64..) {
        let line = match &record {
            Ok(record) => record.position().map_or(count, csv::Position::line),
            Err(_) => count,
        };
        match record.map_err(|error| error.to_string()).and_then(|record| charged(&columns, &record)) {
            Ok(Some(charged)) => invoice.charged.push(charged),
            Ok(None) => {}
            Err(why) if invoice.unread.len() < TOLD => invoice.unread.push(format!("line {line}: {why}")),
            Err(_) => left_out += 1,
        }
    }
    if left_out > 0 {
        invoice.unread.push(format!("and {left_out} more"));
    }
    Ok(invoice)
}

/// Spreadsheets of some countries write semicolons.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter| header.bytes().filter(|byte| *byte == delimiter).count();
    [b';', b'\t'].into_iter().find(|other| count(*other) > count(b',')).unwrap_or(b',')
}

fn columns(header: &StringRecord) -> Result<Columns, Problem> {
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
    };
    let need = |what: &str, names: &[&str]| {
        let known = names.join(", ");
        let why = || {
            Problem::field("csv", format!("the header line has no column for the {what}; known are {known}"))
        };
        find(names).ok_or_else(why)
    };
    Ok(Columns {
        date: need("date", DATE)?,
        model: need("model", MODEL)?,
        cost: need("cost", COST)?,
        currency: find(CURRENCY),
    })
}

/// `None` for an empty line.
fn charged(columns: &Columns, record: &StringRecord) -> Result<Option<Charged>, String> {
    if record.iter().all(str::is_empty) {
        return Ok(None);
    }
    let text = |at: usize| record.get(at).unwrap_or_default();
    let currency = columns.currency.map(text).filter(|currency| !currency.is_empty());
    if let Some(other) = currency.filter(|currency| !currency.eq_ignore_ascii_case("usd")) {
        return Err(format!("the amount is in {}, not in USD", shown(other)));
    }
    // OpenAI's line items: `gpt-4o-2024-08-06, input`.
    let model = text(columns.model).split(", ").next().unwrap_or_default();
    if model.is_empty() {
        return Err("no model".to_owned());
    }
    let day = day(text(columns.date)).ok_or_else(|| format!("'{}' is no date", shown(text(columns.date))))?;
    let cost =
        amount(text(columns.cost)).ok_or_else(|| format!("'{}' is no amount", shown(text(columns.cost))))?;
    if cost.is_sign_negative() && !cost.is_zero() {
        return Err(format!("{cost} USD is a credit, not a charge"));
    }
    Ok(Some(Charged { day, model: model.chars().take(200).collect(), cost }))
}

/// Dates, times with or without a zone (UTC then), and Unix seconds; nothing whose day and month could be mixed up.
fn day(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        // Seconds until the year 2100, or milliseconds.
        let ms = if number < 4_102_444_800 { number.checked_mul(1_000)? } else { number };
        return (number >= 86_400 * 365).then_some(Timestamp(ms).day_start());
    }
    let text = text.trim_end_matches(" UTC").replace('/', "-").replacen(' ', "T", 1);
    text.parse::<Timestamp>().ok().map(Timestamp::day_start)
}

/// `1234.5`, `$1,234.50`, `1.2e-7`.
fn amount(text: &str) -> Option<Decimal> {
    let text = text.trim_start_matches("USD").trim_end_matches("USD").trim();
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let text = text.trim_start_matches('$').trim();
    let whole = text.split('.').next().unwrap_or_default();
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    if text.is_empty() || text.len() > 40 || (whole.contains(',') && !grouped) {
        return None;
    }
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'e' | b'E' | b'-' | b'+'));
    if !digits || text.starts_with(['+', '-']) {
        return None;
    }
    let plain = format!("{sign}{}", text.replace(',', ""));
    if plain.contains(['e', 'E']) {
        Decimal::from_scientific(&plain).ok()
    } else {
        Decimal::from_str(&plain).ok()
    }
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
