//! Model aliases, error rules, and questions to the router.

use http::Method;
use types::alias::PutAlias;
use types::error_rule::{PutErrorRule, TryErrorRules};
use types::simulation::{Backtest, Simulate};
use types::{ErrorRuleId, Page};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};

type Plain = Call<(), NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    aliases().into_iter().chain(error_rules()).chain(questions()).collect()
}

fn aliases() -> Vec<Endpoint> {
    vec![
        endpoint(Method::GET, "/aliases", "List model aliases", |admin, _: Plain| async move {
            admin.alias_list().await.map(Page::whole)
        }),
        endpoint(
            Method::PUT,
            "/aliases/{name}",
            "Make or change a model alias; slashes in its name as %2F",
            |admin, call: Call<String, NoQuery, Json<PutAlias>>| async move {
                admin.alias_put(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/aliases/{name}",
            "Forget a model alias",
            |admin, call: Call<String, NoQuery, NoBody>| async move { admin.alias_delete(call.path).await },
        ),
    ]
}

fn error_rules() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/error-rules",
            "List error rules in the order in which they are looked at, the built-in ones last",
            |admin, _: Plain| async move { admin.error_rule_list().await.map(Page::whole) },
        ),
        endpoint(
            Method::POST,
            "/error-rules",
            "Add an error rule",
            |admin, call: Call<(), NoQuery, Json<PutErrorRule>>| async move {
                admin.error_rule_create(call.body.0).await
            },
        )
        .creates(),
        endpoint(
            Method::PATCH,
            "/error-rules/{id}",
            "Change an error rule; absent fields stay",
            |admin, call: Call<ErrorRuleId, NoQuery, Json<PutErrorRule>>| async move {
                admin.error_rule_update(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/error-rules/{id}",
            "Delete an error rule",
            |admin, call: Call<ErrorRuleId, NoQuery, NoBody>| async move {
                admin.error_rule_delete(call.path).await
            },
        ),
        endpoint(
            Method::POST,
            "/error-rules/test",
            "Say which rule an upstream's error meets",
            |admin, call: Call<(), NoQuery, Json<TryErrorRules>>| async move {
                admin.error_rule_try(call.body.0).await
            },
        ),
    ]
}

fn questions() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::POST,
            "/routing/simulate",
            "Say where a request would go now; nothing is sent",
            |admin, call: Call<(), NoQuery, Json<Simulate>>| async move {
                admin.routing_simulate(call.body.0).await
            },
        ),
        endpoint(
            Method::POST,
            "/routing/backtest",
            "Say what another policy would have made of recorded requests",
            |admin, call: Call<(), NoQuery, Json<Backtest>>| async move {
                admin.routing_backtest(call.body.0).await
            },
        ),
    ]
}
