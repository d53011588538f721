//! `/api/admin/models`: which models can be asked for.

use http::Method;
use types::catalogue::CatalogueFilter;

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::NoBody;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![endpoint(
        Method::GET,
        "/models",
        "List the models that keys can reach: by whom, in which dialects, at which price",
        |admin, call: Call<(), CatalogueFilter, NoBody>| async move { admin.model_list(call.query).await },
    )]
}
