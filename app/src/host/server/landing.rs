//! Where a plain form post lands that has a result to show.

use leptos_router::location::Url;
use types::ProviderId;
use types::provider::ProviderTest;

use super::redirect;

/// A path with query parameters; empty values are left out.
fn address(path: &str, query: &[(&str, &str)]) -> String {
    let query: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", Url::escape(value)))
        .collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// Sends the person to a page with query parameters.
pub(crate) fn redirect_to(path: &str, query: &[(&str, &str)]) {
    redirect(&address(path, query));
}

/// Sends the person back to the page of this dashboard that he came from, and says there what was done.
pub(crate) fn go_back(back: &str, done: &str) {
    redirect(&back_address(back, done));
}

// What a form says is where to go within this dashboard, and nowhere else.
fn back_address(back: &str, done: &str) -> String {
    let local = back.starts_with('/')
        && !back.starts_with("//")
        && !back.contains(|c: char| c == '\\' || c.is_control() || c == '#');
    let back = if local { back } else { "/" };
    format!("{back}{}done={done}", if back.contains('?') { '&' } else { '?' })
}

/// The address that shows a result after a plain form post. An upstream's sentence is cut at 300 characters.
pub(crate) fn test_landing(id: ProviderId, test: &ProviderTest) -> String {
    let ProviderTest { ok, status, latency_ms, model, error } = test;
    address(
        &format!("/providers/{id}"),
        &[
            ("tested", &ok.to_string()),
            ("latency", &latency_ms.to_string()),
            ("status", &status.map(|s| s.to_string()).unwrap_or_default()),
            ("model", model.as_deref().unwrap_or_default()),
            ("error", &error.as_deref().unwrap_or_default().chars().take(300).collect::<String>()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_into_this_dashboard_only() {
        assert_eq!(back_address("/users/3", "saved"), "/users/3?done=saved");
        assert_eq!(back_address("/quotas?key_id=1", "saved"), "/quotas?key_id=1&done=saved");
        for foreign in ["https://example.com", "//example.com", "/\\example.com", "", "javascript:x"] {
            assert_eq!(back_address(foreign, "saved"), "/?done=saved", "{foreign}");
        }
    }

    #[test]
    fn empty_parameters_are_left_out_and_the_rest_is_escaped() {
        assert_eq!(address("/p", &[("a", ""), ("b", "x y&z")]), "/p?b=x%20y%26z");
        assert_eq!(address("/p", &[("a", "")]), "/p");
    }
}
