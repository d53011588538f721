//! Usage as a file for spreadsheets (CSV, RFC 4180) and programs (JSON).

use types::usage::{UsageBy, UsageFilter, UsageLine, UsageTotals};
use types::{Problem, Timestamp};

use super::Admin;

/// Lines of a file; the store gives no more.
const LINES: u32 = 10_000;

const COLUMNS: [&str; 14] = [
    "by",
    "key",
    "label",
    "requests",
    "errors",
    "refused",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "unpriced",
    "cost_usd",
    "base_cost_usd",
    "provider_cost_usd",
];

impl Admin {
    /// The same sums as [`Self::usage`], all of them, as the text of a file.
    pub async fn usage_export(&self, filter: UsageFilter, csv: bool) -> Result<String, Problem> {
        let by = filter.by.unwrap_or(UsageBy::Day);
        let lines = self.usage_lines(UsageFilter { limit: Some(LINES), ..filter }).await?;
        let failed = || Problem::new("internal", "the usage could not be written");
        if csv {
            return table(by, &lines).map_err(|_| failed());
        }
        serde_json::to_string_pretty(&lines).map_err(|_| failed())
    }
}

fn table(by: UsageBy, lines: &[UsageLine]) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for UsageLine { key, label, totals } in lines {
        let UsageTotals {
            requests,
            errors,
            refused,
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            unpriced,
            cost_usd,
            base_cost_usd,
            provider_cost_usd,
        } = totals;
        writer.write_record([
            by.to_string(),
            cell(&shown_key(by, key)),
            cell(label.as_deref().unwrap_or_default()),
            requests.to_string(),
            errors.to_string(),
            refused.to_string(),
            input_tokens.to_string(),
            output_tokens.to_string(),
            cache_read_tokens.to_string(),
            cache_write_tokens.to_string(),
            unpriced.to_string(),
            cost_usd.to_string(),
            base_cost_usd.to_string(),
            provider_cost_usd.to_string(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    // Only texts were written.
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// Days without the time, which spreadsheets would show in a zone of their own.
fn shown_key(by: UsageBy, key: &str) -> String {
    let day = key.parse::<Timestamp>().ok().map(Timestamp::display_utc);
    match by {
        UsageBy::Day => day.and_then(|text| text.split(' ').next().map(str::to_owned)),
        UsageBy::Hour => day,
        _ => None,
    }
    .unwrap_or_else(|| key.to_owned())
}

/// Names come from callers: what a spreadsheet would run as a formula is shown as text instead (OWASP, CSV Injection).
fn cell(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{field}") } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, label: Option<&str>) -> UsageLine {
        UsageLine { key: key.to_owned(), label: label.map(str::to_owned), totals: UsageTotals::default() }
    }

    #[test]
    fn us_export_no_name_is_run_as_a_formula_and_none_breaks_a_line() {
        let evil = "=HYPERLINK(\"http://x\"),\r\n+1";
        let text = table(UsageBy::Model, &[line(evil, Some("-2+3"))]).unwrap();
        assert!(text.contains("model,\"'=HYPERLINK(\"\"http://x\"\"),\r\n+1\",'-2+3,0"), "{text}");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!((rows.len(), &rows[0][1]), (1, format!("'{evil}").as_str()));
        for evil in ["@SUM(A1)", "\t=1", "\r=1", "+1"] {
            assert!(cell(evil).starts_with('\''), "{evil:?}");
        }
    }

    #[test]
    fn us_export_has_a_field_for_each_column() {
        let text = table(UsageBy::Model, &[line("gpt-4o", None)]).unwrap();
        let rows: Vec<_> = text.split_terminator("\r\n").collect();
        assert_eq!(rows, [COLUMNS.join(","), "model,gpt-4o,,0,0,0,0,0,0,0,0,0,0,0".to_owned()]);
        assert_eq!(shown_key(UsageBy::Day, "2026-11-21T00:00:00.000Z"), "2026-11-21");
        assert_eq!(shown_key(UsageBy::Hour, "2026-11-21T08:00:00.000Z"), "2026-11-21 08:00:00");
    }
}
