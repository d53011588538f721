//! Every column that holds something sealed, so that all of it can be sealed anew (CR-04). It opens nothing.
//!
//! A test walks the schema of both databases: a column of bytes that is neither here nor known to be no secret is a
//! fault. Sealed texts of the installation itself are in [`SEALED_META`].

use crate::sql::{Sql, args};
use crate::{Store, StoreError};

/// Values of the installation itself that are sealed, in hexadecimal.
pub const SEALED_META: [&str; 2] = ["key_pepper", "vault_canary"];

/// A column that holds sealed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedPlace {
    /// Secrets of credentials.
    CredentialSecret,
    /// Addresses of credentials' own outbound proxies.
    CredentialProxy,
    /// Addresses of providers' outbound proxies.
    ProviderProxy,
    /// Secrets of the clients that are registered with vendors.
    VendorSecret,
    /// Verifiers and device codes of sign-ins under way.
    FlowSecret,
}

impl SealedPlace {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::CredentialSecret,
        Self::CredentialProxy,
        Self::ProviderProxy,
        Self::VendorSecret,
        Self::FlowSecret,
    ];

    /// Where it is in the database.
    pub fn table_and_column(self) -> (&'static str, &'static str) {
        match self {
            Self::CredentialSecret => ("credentials", "sealed"),
            Self::CredentialProxy => ("credentials", "proxy_sealed"),
            Self::ProviderProxy => ("providers", "proxy_sealed"),
            Self::VendorSecret => ("oauth_vendors", "client_secret"),
            Self::FlowSecret => ("oauth_flows", "sealed"),
        }
    }
}

/// One sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    /// The row that it was sealed for.
    pub row: i64,
    /// The envelope.
    pub sealed: Vec<u8>,
}

/// A sealed value and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// The row.
    pub row: i64,
    /// The envelope that was read.
    pub old: Vec<u8>,
    /// The same secret sealed anew.
    pub new: Vec<u8>,
}

/// How many values of a column begin with the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCount {
    /// The first bytes.
    pub head: Vec<u8>,
    /// How many begin so.
    pub values: u64,
}

impl Store {
    /// The values of a column with ids above `after`, in the order of their ids. Deleted rows too: they can be restored.
    /// What was emptied is no value: a sign-in that has ended holds nothing any more.
    pub async fn sealed_batch(
        &self,
        place: SealedPlace,
        after: i64,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let (table, column) = place.table_and_column();
        let sql = Sql::built(format!(
            "SELECT id, {column} AS sealed FROM {table} WHERE id > $1 AND length({column}) > 0 ORDER BY id LIMIT $2"
        ));
        let rows = self.pool.rows(sql, args![after, limit]).await?;
        rows.iter().map(|row| Ok(SealedValue { row: row.int("id")?, sealed: row.bytes("sealed")? })).collect()
    }

    /// Replaces values by the same ones sealed anew, in one transaction; one that changed meanwhile stays as it is.
    /// Answers how many were replaced.
    ///
    /// Versions and the revision stay: what requests use is the same.
    pub async fn sealed_replace(&self, place: SealedPlace, values: &[Resealed]) -> Result<u64, StoreError> {
        let (table, column) = place.table_and_column();
        let mut txn = self.pool.begin_write().await?;
        let mut replaced = 0;
        for Resealed { row, old, new } in values {
            let sql = Sql::built(format!("UPDATE {table} SET {column} = $3 WHERE id = $1 AND {column} = $2"));
            replaced += txn.execute(sql, args![*row, old.clone(), new.clone()]).await?;
        }
        txn.commit().await?;
        Ok(replaced)
    }

    /// How many values there are, by their first `length` bytes, which name the key.
    pub async fn sealed_counts(
        &self,
        place: SealedPlace,
        length: u32,
    ) -> Result<Vec<SealedCount>, StoreError> {
        let (table, column) = place.table_and_column();
        let sql = Sql::built(format!(
            "SELECT substr({column}, 1, {length}) AS head, COUNT(*) AS n FROM {table} WHERE length({column}) > 0
             GROUP BY 1 ORDER BY 1"
        ));
        let rows = self.pool.rows(sql, args![]).await?;
        let count = |row: &crate::sql::Row| {
            let values = u64::try_from(row.int("n")?).unwrap_or(0);
            Ok(SealedCount { head: row.bytes("head")?, values })
        };
        rows.iter().map(count).collect()
    }
}

#[cfg(test)]
mod tests;
