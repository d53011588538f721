//! Which route was probably meant (UI-02).
//!
//! It compares texts only; it never dispatches.

use http::Method;

/// Farther than this many edits apart, a suggestion would only confuse.
const FARTHEST: usize = 12;

/// `GET /api/admin/providers/{id}`, or nothing if no route resembles the path.
pub(super) fn nearest(method: &Method, path: &str, routes: &[(Method, String)]) -> Option<String> {
    // A caller chooses the length of a path; the work grows with it.
    let asked: Vec<&str> = path.get(..path.len().min(200))?.trim_end_matches('/').split('/').collect();
    routes
        .iter()
        .map(|(known, route)| {
            let strange_method = usize::from(known != method);
            (distance(&asked, &route.split('/').collect::<Vec<_>>()) * 2 + strange_method, known, route)
        })
        .min_by_key(|(distance, _, _)| *distance)
        .filter(|(distance, _, _)| *distance <= FARTHEST)
        .map(|(_, method, route)| format!("{method} {route}"))
}

fn distance(asked: &[&str], route: &[&str]) -> usize {
    let segments = asked.len().max(route.len());
    (0..segments)
        .map(|at| match (asked.get(at), route.get(at)) {
            (Some(_), Some(known)) if known.starts_with('{') => 0,
            (Some(asked), Some(known)) => edits(asked, known),
            // A missing segment may be typed in; a foreign one must go.
            (None, Some(_)) => 2,
            (Some(_), None) => 3,
            (None, None) => 0,
        })
        .sum()
}

/// Levenshtein distance in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_02_typing_slips_find_their_route() {
        let routes = [
            (Method::GET, "/api/admin/providers".to_owned()),
            (Method::GET, "/api/admin/providers/{id}".to_owned()),
            (Method::POST, "/api/admin/providers/{id}/test".to_owned()),
            (Method::GET, "/api/admin/users".to_owned()),
        ];
        for (method, path, expected) in [
            (Method::GET, "/api/admin/provider", Some("GET /api/admin/providers")),
            (Method::GET, "/api/admin/providers/", Some("GET /api/admin/providers")),
            (Method::POST, "/api/admin/providers/7/tset", Some("POST /api/admin/providers/{id}/test")),
            (Method::GET, "/api/admin/usres", Some("GET /api/admin/users")),
            (Method::GET, "/api/something/quite/different/and/long", None),
        ] {
            assert_eq!(nearest(&method, path, &routes).as_deref(), expected, "{path}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
