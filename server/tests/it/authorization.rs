//! Who may call what: every route, every server function and every page, against `authz.csv`.
//!
//! A route without a row fails, and so does a row without a route.

use std::collections::BTreeMap;

use http::{Method, StatusCode};

use crate::auth::console::{Answer, Console};

const TABLE: &str = include_str!("authz.csv");

/// Routes that no table of the server lists.
const FIXED: &[(Method, &str)] = &[
    (Method::GET, "/health"),
    (Method::GET, "/health/database"),
    (Method::GET, "/health/redis"),
    (Method::GET, "/health/cache"),
    (Method::GET, "/livez"),
    (Method::GET, "/readyz"),
    (Method::GET, "/metrics"),
    (Method::GET, "/live/requests"),
    (Method::GET, "/usage/export"),
    (Method::POST, "/auth/login"),
    (Method::GET, "/auth/arrived"),
    (Method::GET, "/auth/enrol/callback"),
    (Method::POST, "/auth/logout"),
    (Method::POST, "/preferences"),
    (Method::GET, "/pkg/tollgate.css"),
    (Method::POST, "/rpc/no/such/function"),
    (Method::GET, "/no/such/page"),
];

/// Who asks, in the order of the table's columns.
const ROLES: [&str; 5] = ["anonymous", "member session", "admin session", "member key", "wrong bearer"];

/// One word for an answer: `401` (or slowed down), `403`, `login` and `me` for redirects there, else `served`.
fn verdict(answer: &Answer) -> &'static str {
    match answer.status {
        // Guesses in a row are slowed down before they are judged.
        StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => "401",
        StatusCode::FORBIDDEN => "403",
        StatusCode::SEE_OTHER | StatusCode::FOUND if answer.header("location").starts_with("/login") => {
            "login"
        }
        StatusCode::SEE_OTHER if answer.header("location") == "/me" => "me",
        _ => "served",
    }
}

#[tokio::test]
async fn every_page_of_the_application_is_mounted_and_rendered_whole() {
    let console = Console::start().await;
    let [mounted, named] = server::dashboard::pages(&console.state);
    assert!(named.len() > 30, "{named:?}");
    assert_eq!(mounted, named);
}

#[tokio::test]
async fn fault_x11_the_authorisation_matrix_holds() {
    let console = Console::start().await;
    let (_, key) = console.member("ann").await;
    let member = console.sign_in(&key).await;
    let admin = console.admin_session().await;
    let member_key = format!("Bearer {key}");
    let mut routes = server::rest::routes();
    routes.extend(server::dashboard::routes(&console.state));
    routes.extend(FIXED.iter().map(|(method, path)| (method.clone(), (*path).to_owned())));

    let mut found = BTreeMap::new();
    for (method, route) in routes {
        let mut cells = Vec::new();
        for role in ROLES {
            let mut headers = vec![("sec-fetch-site", "same-origin")];
            match role {
                // A member's sign-out would end the very session that the other rows need.
                "member session" if route != "/auth/logout" => headers.push(("cookie", &member)),
                "admin session" if route != "/auth/logout" => headers.push(("cookie", &admin)),
                "member key" => headers.push(("authorization", &member_key)),
                "wrong bearer" => headers.push(("authorization", "Bearer not-the-admin-token")),
                _ => {}
            }
            cells.push(ask(&console, &method, &route, &headers).await);
        }
        found.insert(format!("{method} {route}"), cells.join(","));
    }

    let expected: BTreeMap<String, String> = TABLE
        .lines()
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_once(',').unwrap())
        .map(|(route, cells)| (route.to_owned(), cells.to_owned()))
        .collect();
    let differences: Vec<String> = found
        .iter()
        .filter(|(route, cells)| expected.get(*route) != Some(*cells))
        .map(|(route, cells)| format!("{route},{cells}"))
        .collect();
    assert!(differences.is_empty(), "not as in authz.csv:\n{}", differences.join("\n"));
    let stale: Vec<_> = expected.keys().filter(|route| !found.contains_key(*route)).collect();
    assert!(stale.is_empty(), "rows without a route: {stale:?}");
}

/// Bodies of which at least one fits each server function. Arguments are decoded before a function's body runs, so
/// only a call that fits proves that its body refuses.
const BODIES: [(&str, &str); 6] = [
    (
        "application/x-www-form-urlencoded",
        "id=999999&provider_id=999999&name=none&value=1&enabled=true&deleted=false&model=m&form[name]=&form[enabled]=true\
         &user_id=999999&csv=x&scope=user&back=%2F&disabled=true&kept=none&preview=none&view=none&policy=none&vendor=none&way=&pasted=x&client_id=&client_secret=&spec=&version=0&confirm=none&at=2026-01-01T00:00:00Z",
    ),
    (
        "application/json",
        r#"{"id":999999,"provider_id":999999,"user_id":null,"filter":{},"deleted":false,"span":"24h","name":"none","days":1,"model":"m","kept":"none","form":{}}"#,
    ),
    ("application/json", r#"{"id":"none","filter":{}}"#),
    ("application/json", r#"{"ask":{"model":"m"}}"#),
    ("application/json", r#"{"ask":{}}"#),
    ("application/json", r#"{"ask":{"status":500,"body":""}}"#),
];

// An open stream has no end to wait for; its head says enough.
async fn ask(console: &Console, method: &Method, route: &str, headers: &[(&str, &str)]) -> String {
    let path = route.replace("{id}", "999999").replace("{request_id}", "none");
    let mut path = path.replace("{name}", "none").replace("{model}", "none");
    if route == "/auth/enrol/callback" {
        // The first look brings no cookie from the vendor's page and is asked again by a page of ours; this is that.
        path.push_str("?state=none&code=none&again=1");
    }
    if route.ends_with("/live") || route == "/live/requests" {
        let limit = std::time::Duration::from_millis(500);
        let call = console.call(method.clone(), &path, headers, "");
        return tokio::time::timeout(limit, call)
            .await
            .map_or("served", |answer| verdict(&answer))
            .to_owned();
    }
    if !route.starts_with("/rpc/") {
        let form = [headers, &[("content-type", "application/x-www-form-urlencoded")]].concat();
        return verdict(&console.call(method.clone(), &path, &form, "").await).to_owned();
    }
    let mut last = "served";
    for (kind, body) in BODIES {
        let sent = [headers, &[("content-type", kind)]].concat();
        last = verdict(&console.call(method.clone(), &path, &sent, body).await);
        if last != "served" {
            break;
        }
    }
    last.to_owned()
}

#[test]
fn strangers_are_served_nothing_but_the_doors() {
    for line in TABLE.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut cells = line.split(',');
        let (route, anonymous) = (cells.next().unwrap(), cells.next().unwrap());
        let open = ["/health", "/livez", "/readyz", "/preferences", "/pkg/", "/login", "/no/such/page"];
        let is_open = open.iter().any(|path| route.split(' ').nth(1).unwrap().starts_with(path));
        assert_eq!(anonymous == "served", is_open, "{line}");
    }
}

#[test]
fn members_reach_no_server_function_but_their_own() {
    for line in TABLE.lines().skip(1).filter(|line| line.contains(" /rpc/app/")) {
        let own = line.starts_with("POST /rpc/app/api/me/");
        // Whoever is signed in may try a key that he has, and see what translation keeps.
        let shared = ["playground", "conformance"]
            .iter()
            .any(|area| line.starts_with(&format!("POST /rpc/app/api/{area}/")));
        let expected = match (own, shared) {
            (true, _) => ",401,served,403,401,401",
            (_, true) => ",401,served,served,401,401",
            _ => ",401,403,served,401,401",
        };
        assert!(line.ends_with(expected), "{line}");
    }
}

#[test]
fn members_and_their_keys_reach_no_administration() {
    for line in TABLE.lines().skip(1).filter(|line| line.contains(" /api/admin/")) {
        // The page that shows the document reads it with the administrator's session.
        let document = line.starts_with("GET /api/admin/openapi.json,");
        let expected = if document { ",401,401,served,401,401" } else { ",401,401,401,401,401" };
        assert!(line.ends_with(expected), "{line}");
    }
}
