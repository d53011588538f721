//! Usage as a file for spreadsheets (CSV, RFC 4180) and programs (JSON).

use types::usage::{UsageBy, UsageFilter, UsageLine, UsageTotals};
use types::{Problem, Timestamp};

use super::Admin;

/// Lines of a file; the store gives no more.
const LINES: u32 = 10_000;

const COLUMNS: [&str; 14] = [
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
    "by",
];

impl Admin {
    /// The same sums as [`Self::usage`], all of them, as the text of a file.
    pub async fn usage_export(&self, filter: UsageFilter, csv: bool) -> Result<String, Problem> {
        let by = filter.by.unwrap_or(UsageBy::Day);
        let lines = self.usage_lines(UsageFilter { limit: Some(LINES), ..filter }).await?;
        if csv {
            return Ok(table(by, &lines));
        }
        serde_json::to_string_pretty(&lines)
            .map_err(|_| Problem::new("internal", "the usage could not be written"))
    }
}

fn table(by: UsageBy, lines: &[UsageLine]) -> String {
    let mut text = record(&COLUMNS.map(str::to_owned));
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
        text.push_str(&record(&[
            shown_key(by, key),
            label.clone().unwrap_or_default(),
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
            by.to_string(),
        ]));
    }
    text
}

/// Days without the time, which spreadsheets would show in a zone of their own.
fn shown_key(by: UsageBy, key: &str) -> String {
    let day = key.parse::<Timestamp>().ok().map(|at| at.display_utc());
    match by {
        UsageBy::Day => day.and_then(|text| text.split(' ').next().map(str::to_owned)),
        UsageBy::Hour => day,
        _ => None,
    }
    .unwrap_or_else(|| key.to_owned())
}

fn record<const N: usize>(fields: &[String; N]) -> String {
    let mut text = fields.iter().map(|field| cell(field)).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    text
}

/// A field, quoted where it must be. Names come from callers: what a spreadsheet would run as a formula is shown as
/// text instead (OWASP, CSV Injection).
fn cell(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if formula
        || field.contains([',', '"', '\n', '\r', ';', '\t'])
        || field.starts_with(' ')
        || field.ends_with(' ')
    {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_export_no_name_is_run_as_a_formula_and_none_breaks_a_line() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
        for evil in ["+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(cell(evil).starts_with("\"'"), "{evil:?}");
        }
        assert_eq!(cell("a,b\r\n\"c\""), "\"a,b\r\n\"\"c\"\"\"");
    }

    #[test]
    fn us_export_has_a_field_for_each_column() {
        let line = UsageLine { key: "gpt-4o".into(), label: None, totals: UsageTotals::default() };
        let text = table(UsageBy::Model, &[line]);
        let rows: Vec<_> = text.split_terminator("\r\n").collect();
        assert_eq!(rows, [COLUMNS.join(","), "gpt-4o,,0,0,0,0,0,0,0,0,0,0,0,model".to_owned()]);
        assert_eq!(shown_key(UsageBy::Day, "2026-11-21T00:00:00.000Z"), "2026-11-21");
        assert_eq!(shown_key(UsageBy::Hour, "2026-11-21T08:00:00.000Z"), "2026-11-21 08:00:00");
    }
}
