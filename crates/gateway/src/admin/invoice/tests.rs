//! What vendors' files say, to the last digit.

use super::*;

fn read(csv: &str) -> Invoice {
    file::read(csv).unwrap()
}

fn sum(csv: &str) -> Vec<(String, String)> {
    let Invoice { charged, unread } = read(csv);
    assert_eq!(unread, Vec::<String>::new());
    let compared = compare(invoiced(charged), Vec::new()).unwrap();
    compared
        .lines
        .into_iter()
        .map(|line| (format!("{} {}", line.day, line.model), line.invoiced_usd.to_string()))
        .collect()
}

fn pairs(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[test]
fn us_invoice_amounts_are_summed_exactly_and_rounded_once() {
    let csv =
        "date,model,cost\n2026-11-20,gpt-4o,0.1\n2026-11-20,GPT-4o,0.2\n2026-11-20,gpt-4o,0.0000000001\n";
    assert_eq!(sum(csv), pairs(&[("2026-11-20 gpt-4o", "0.300000001")]));
}

#[test]
fn us_invoice_the_vendors_own_columns_are_known() {
    let anthropic =
        "usage_date_utc,model,workspace,cost_usd\n2026-11-20,Claude Sonnet 4.5,Default,\"1,234.50\"\n";
    assert_eq!(sum(anthropic), pairs(&[("2026-11-20 Claude Sonnet 4.5", "1234.5")]));
    let openai = "start_time,start_time_iso,amount_value,amount_currency,line_item\n\
        1795132800,2026-11-20T00:00:00+00:00,2.5e-7,usd,\"gpt-4o-2024-08-06, input\"\n";
    assert_eq!(sum(openai), pairs(&[("2026-11-20 gpt-4o-2024-08-06", "0.00000025")]));
    let semicolons = "\u{feff}Day;Model;Cost\r\n2026/11/20;gpt-4o;$3\r\n\r\n";
    assert_eq!(sum(semicolons), pairs(&[("2026-11-20 gpt-4o", "3")]));
}

#[test]
fn us_invoice_a_line_that_makes_no_sense_is_told_by_its_number() {
    let csv = "date,model,cost,currency\n\
        11/12/2026,gpt-4o,1,USD\n2026-11-20,gpt-4o,NaN,USD\n2026-11-20,gpt-4o,-5,USD\n\
        2026-11-20,gpt-4o,1,EUR\n2026-11-20,,1,USD\n2026-11-20,gpt-4o,\"1,5\",USD\n2026-11-20,gpt-4o,1,USD\n";
    let invoice = read(csv);
    assert_eq!(invoice.charged.len(), 1);
    let lines: Vec<_> = invoice.unread.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["line 2", "line 3", "line 4", "line 5", "line 6", "line 7"]);
    assert!(invoice.unread[2].contains("credit") && invoice.unread[3].contains("EUR"));
}

#[test]
fn us_invoice_a_file_without_the_columns_is_refused_with_their_names() {
    let problem = file::read("when,what,much\n1,2,3\n").unwrap_err();
    assert!(problem.fields["csv"].contains("usage_date_utc"), "{problem}");
    assert!(file::read("").is_err());
}

#[test]
fn one_model_has_one_name_however_it_is_written() {
    for (one, other) in [
        ("Claude Sonnet 4.5", "claude-sonnet-4-5-20250929"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
    ] {
        assert_eq!(same_name(one), same_name(other), "{one}");
    }
    assert_ne!(same_name("gpt-4o"), same_name("gpt-4o-mini"));
    assert_ne!(same_name("gpt-4-0613"), same_name("gpt-4"));
}
