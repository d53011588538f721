//! `/api/admin/checks` and the checks of credentials.

use http::Method;
use types::{CredentialId, Page};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{NoBody, NoQuery};

type ById = Call<CredentialId, NoQuery, NoBody>;
type Plain = Call<(), NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/checks",
            "Show how the checker of credentials does",
            |admin, _: Plain| async move { admin.checker().await },
        ),
        endpoint(
            Method::POST,
            "/credentials/check",
            "Check every credential now",
            |admin, _: Plain| async move { admin.credential_check_all().await },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/check",
            "Ask the upstream whether it takes this credential",
            |admin, call: ById| async move { admin.credential_check(call.path).await },
        ),
        endpoint(
            Method::GET,
            "/credentials/{id}/checks",
            "List the last fifty checks of a credential, the latest first",
            |admin, call: ById| async move { admin.credential_checks(call.path).await.map(Page::whole) },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/enable",
            "Switch a credential on and let its errors begin anew",
            |admin, call: ById| async move { admin.credential_enable(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/errors/reset",
            "Let a credential's errors in a row begin anew",
            |admin, call: ById| async move { admin.credential_errors_reset(Some(call.path)).await },
        ),
        endpoint(
            Method::POST,
            "/credentials/errors/reset",
            "Let every credential's errors in a row begin anew",
            |admin, _: Plain| async move { admin.credential_errors_reset(None).await },
        ),
    ]
}
