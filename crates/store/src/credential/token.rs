//! The tokens of accounts: stored as a whole and only over the one that the refresh started from (RF-06), with a
//! lease, so that two instances never spend one refresh token twice (U31).

use types::credential::CredentialAuth;
use types::oauth::{CredentialToken, TokenFault};
use types::{CredentialId, Timestamp};

use super::{CredentialRow, SealedSecret, credential_row, mark};
use crate::pool::Txn;
use crate::revision::{bump_in_txn, commit_change, missing_or_stale};
use crate::sql::{Row, Sql, args};
use crate::{Change, Store, StoreError, dialect};

/// What an account is, beside its sealed tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What the secret is.
    pub auth: CredentialAuth,
    /// Name of the vendor's descriptor.
    pub vendor: Option<String>,
    /// E-mail or name.
    pub account: Option<String>,
    /// Granted scopes.
    pub scopes: Option<String>,
    /// End of the access token.
    pub expires_at: Option<Timestamp>,
    /// When it was obtained; null for what is no token.
    pub refreshed_at: Option<Timestamp>,
}

impl Account {
    /// Not an account but a secret of this kind.
    pub fn of(auth: CredentialAuth) -> Self {
        Self { auth, vendor: None, account: None, scopes: None, expires_at: None, refreshed_at: None }
    }
}

/// A refresh that brought no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedRefresh<'a> {
    /// When.
    pub at: Timestamp,
    /// What it means.
    pub fault: TokenFault,
    /// Why.
    pub error: &'a str,
    /// The end of a lease that was left over. It stays on record until there is another token.
    pub cut_off: Option<Timestamp>,
}

/// A refresh that nobody ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// Whose token.
    pub id: CredentialId,
    /// The stored token that it began with.
    pub version: i64,
}

/// A token that was just obtained, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshToken {
    /// The token set, sealed.
    pub sealed: Vec<u8>,
    /// End of the access token.
    pub expires_at: Option<Timestamp>,
    /// When it was obtained.
    pub refreshed_at: Timestamp,
    /// Granted scopes, if the vendor repeated them.
    pub scopes: Option<String>,
    /// The account, if the vendor repeated it.
    pub account: Option<String>,
}

impl Store {
    /// Stores a fresh token, unless another was stored since `seen_version`: then nothing changes and the answer is
    /// false. Ends the lease, forgets the last failure, and raises the revision so that other instances notice.
    pub async fn credential_token_store(
        &self,
        id: CredentialId,
        seen_version: i64,
        fresh: &FreshToken,
    ) -> Result<bool, StoreError> {
        let FreshToken { sealed, expires_at, refreshed_at, scopes, account } = fresh;
        let mut txn = self.pool.begin_write().await?;
        let touched = txn
            .execute(
                "UPDATE credentials SET sealed = $3, token_expires_at = $4, token_refreshed_at = $5,
                    scopes = COALESCE($6, scopes), account = COALESCE($7, account), token_error = NULL,
                    token_error_at = NULL, token_fault = NULL, token_failures = 0,
                    token_version = token_version + 1, refresh_by = NULL, refresh_until = NULL
                 WHERE id = $1 AND token_version = $2 AND deleted_at IS NULL",
                args![
                    id,
                    seen_version,
                    sealed.clone(),
                    *expires_at,
                    *refreshed_at,
                    scopes.clone(),
                    account.clone()
                ],
            )
            .await?;
        if touched == 0 {
            return Ok(false);
        }
        bump_in_txn(&mut txn).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Notes that a refresh failed, and ends its lease. False if a token was stored since `seen_version`: then nothing
    /// changes.
    pub async fn credential_token_fail(
        &self,
        id: CredentialId,
        seen_version: i64,
        failed: FailedRefresh<'_>,
    ) -> Result<bool, StoreError> {
        let FailedRefresh { at, fault, error, cut_off } = failed;
        let mut txn = self.pool.begin_write().await?;
        let touched = txn
            .execute(
                "UPDATE credentials SET token_error = $3, token_error_at = $4, token_fault = $5,
                    token_failures = token_failures + 1, refresh_until = $6,
                    refresh_by = CASE WHEN $6 IS NULL THEN NULL ELSE refresh_by END
                 WHERE id = $1 AND token_version = $2 AND deleted_at IS NULL",
                args![id, seen_version, error, at, fault.as_str(), cut_off],
            )
            .await?;
        if touched == 0 {
            return Ok(false);
        }
        bump_in_txn(&mut txn).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Takes or prolongs the right to refresh one credential's token for so long; false while another instance has it,
    /// or if a token was stored since `seen_version`. Time is the database's: instances' clocks may differ.
    pub async fn credential_token_lease(
        &self,
        id: CredentialId,
        seen_version: i64,
        holder: &str,
        lasts_ms: i64,
    ) -> Result<bool, StoreError> {
        let now = dialect::clock_ms(self);
        let sql = Sql::built(format!(
            "UPDATE credentials SET refresh_by = $3, refresh_until = {now} + $4
             WHERE id = $1 AND token_version = $2 AND deleted_at IS NULL
                AND (refresh_by IS NULL OR refresh_by = $3 OR refresh_until <= {now})"
        ));
        let touched = self.pool.execute(sql, args![id, seen_version, holder, lasts_ms]).await?;
        Ok(touched == 1)
    }

    /// Leases that are this holder's, or over, of tokens that nobody knows to be lost: those that end a refresh take its
    /// lease away.
    pub async fn credential_token_leases_left(&self, holder: &str) -> Result<Vec<LeftOver>, StoreError> {
        let sql = Sql::built(format!(
            "SELECT id, token_version FROM credentials
             WHERE deleted_at IS NULL AND (refresh_by = $1 OR refresh_until <= {})
                AND (token_fault IS NULL OR token_fault = $2)
             ORDER BY id",
            dialect::clock_ms(self)
        ));
        let rows = self.pool.rows(sql, args![holder, TokenFault::Transient.as_str()]).await?;
        let left =
            |row: &Row| Ok(LeftOver { id: CredentialId(row.int("id")?), version: row.int("token_version")? });
        rows.iter().map(left).collect()
    }

    /// Gives a credential the tokens of a new sign-in; what the old ones had to bear is forgotten, the rest stays
    /// (OA-06).
    pub async fn credential_sign_in(
        &self,
        id: CredentialId,
        secret: SealedSecret,
        account: &Account,
        change: Change,
    ) -> Result<CredentialRow, StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let SealedSecret { sealed, hint } = secret;
        let touched = txn
            .execute(
                "UPDATE credentials SET sealed = $2, hint = $3, updated_at = $4, version = version + 1
                 WHERE id = $1 AND deleted_at IS NULL",
                args![id, sealed, hint, change.at],
            )
            .await?;
        if touched == 0 {
            let versions = "SELECT version FROM credentials WHERE id = $1 AND deleted_at IS NULL";
            return Err(missing_or_stale(&mut txn, versions, id.0).await);
        }
        account_in_txn(&mut txn, id, account).await?;
        let was = txn.row("SELECT state FROM credentials WHERE id = $1", args![id]).await?.named("state")?;
        mark::forget_in_txn(&mut txn, id, change.at, was).await?;
        let row = txn.row("SELECT * FROM credentials WHERE id = $1", args![id]).await?;
        commit_change(txn, change).await?;
        credential_row(&row)
    }

    /// Live credentials of each vendor's descriptor.
    pub async fn credential_count_by_vendor(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "SELECT oauth_vendor, COUNT(*) AS n FROM credentials
             WHERE oauth_vendor IS NOT NULL AND deleted_at IS NULL GROUP BY oauth_vendor ORDER BY oauth_vendor";
        let rows = self.pool.rows(sql, args![]).await?;
        rows.iter().map(|row| Ok((row.text("oauth_vendor")?, row.int("n")?))).collect()
    }
}

/// Writes what an account is. Whatever token was there is another one from now on.
pub(super) async fn account_in_txn(
    txn: &mut Txn,
    id: CredentialId,
    account: &Account,
) -> Result<(), StoreError> {
    let Account { auth, vendor, account, scopes, expires_at, refreshed_at } = account;
    txn.execute(
        "UPDATE credentials SET auth = $2, oauth_vendor = $3, account = $4, scopes = $5, token_expires_at = $6,
            token_refreshed_at = $7, token_error = NULL, token_error_at = NULL, token_fault = NULL,
            token_failures = 0, token_version = token_version + 1, refresh_by = NULL, refresh_until = NULL
         WHERE id = $1",
        args![
            id,
            auth.as_str(),
            vendor.clone(),
            account.clone(),
            scopes.clone(),
            *expires_at,
            *refreshed_at,
        ],
    )
    .await?;
    Ok(())
}

/// Reads the columns of the token.
pub(super) fn token(row: &Row) -> Result<CredentialToken, StoreError> {
    Ok(CredentialToken {
        vendor: row.text_opt("oauth_vendor")?,
        account: row.text_opt("account")?,
        scopes: row.text_opt("scopes")?,
        expires_at: row.time_opt("token_expires_at")?,
        refreshed_at: row.time_opt("token_refreshed_at")?,
        error: row.text_opt("token_error")?,
        error_at: row.time_opt("token_error_at")?,
        fault: row.named_opt("token_fault")?,
        failures: row.number("token_failures")?,
        version: row.int("token_version")?,
        leased_until: row.time_opt("refresh_until")?,
    })
}

#[cfg(test)]
mod tests;
