//! Vendors' descriptors that the operator changed or added. Presets are not stored.

use types::Timestamp;
use types::oauth::VendorSpec;

use crate::column::json;
use crate::error::BoxError;
use crate::pool::Txn;
use crate::revision::commit_change;
use crate::sql::{Row, args};
use crate::{Change, SealedSecret, Store, StoreError};

const ALL: &str = "SELECT * FROM oauth_vendors ORDER BY name";

/// A descriptor as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorRow {
    /// Identity; what its secret is sealed for.
    pub id: i64,
    /// Its name in addresses.
    pub name: String,
    /// The descriptor.
    pub spec: VendorSpec,
    /// The registered client's id.
    pub client_id: String,
    /// Its secret, sealed.
    pub client_secret: Option<Vec<u8>>,
    /// What views show of that.
    pub secret_hint: Option<String>,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change, from 1.
    pub version: i64,
}

impl Store {
    /// Every stored descriptor, by name.
    pub async fn oauth_vendor_list(&self) -> Result<Vec<VendorRow>, StoreError> {
        self.pool.rows(ALL, args![]).await?.iter().map(vendor_row).collect()
    }

    /// One of them, by name.
    pub async fn oauth_vendor_fetch(&self, name: &str) -> Result<Option<VendorRow>, StoreError> {
        let row = self.pool.row_opt("SELECT * FROM oauth_vendors WHERE name = $1", args![name]).await?;
        row.as_ref().map(vendor_row).transpose()
    }

    /// Stores a descriptor: a new one if `expected_version` is 0, else in place of the one of that version. `secret`
    /// seals the client's secret for the id of the row: `None` keeps what is there, `Some(None)` removes it.
    pub async fn oauth_vendor_put<F, E>(
        &self,
        name: &str,
        expected_version: i64,
        spec: &VendorSpec,
        client_id: &str,
        secret: F,
        change: Change,
    ) -> Result<VendorRow, StoreError>
    where
        F: FnOnce(i64) -> Result<Option<Option<SealedSecret>>, E> + Send,
        E: Into<BoxError>,
    {
        let mut txn = self.pool.begin_write().await?;
        let spec = json(spec)?;
        let row = if expected_version == 0 {
            let sql = "INSERT INTO oauth_vendors (name, spec, client_id, created_at, updated_at, version)
                 VALUES ($1, $2, $3, $4, $4, 1) RETURNING *";
            txn.row_opt(sql, args![name, spec, client_id, change.at]).await?
        } else {
            let sql =
                "UPDATE oauth_vendors SET spec = $3, client_id = $4, updated_at = $5, version = version + 1
                 WHERE name = $1 AND version = $2 RETURNING *";
            txn.row_opt(sql, args![name, expected_version, spec, client_id, change.at]).await?
        };
        let Some(row) = row else { return Err(StoreError::StaleVersion) };
        let id = row.int("id")?;
        if let Some(secret) = secret(id).map_err(|error| StoreError::Seal(error.into()))? {
            let (sealed, hint) = secret.map(|secret| (secret.sealed, secret.hint)).unzip();
            let sql = "UPDATE oauth_vendors SET client_secret = $2, secret_hint = $3 WHERE id = $1";
            txn.execute(sql, args![id, sealed, hint]).await?;
        }
        let row = vendor_row(&txn.row("SELECT * FROM oauth_vendors WHERE id = $1", args![id]).await?)?;
        commit_change(txn, change).await?;
        Ok(row)
    }

    /// Removes a stored descriptor; a preset of that name is as the program brings it again.
    pub async fn oauth_vendor_delete(&self, name: &str, change: Change) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        if txn.execute("DELETE FROM oauth_vendors WHERE name = $1", args![name]).await? == 0 {
            return Err(StoreError::NotFound);
        }
        commit_change(txn, change).await
    }
}

/// All stored descriptors.
pub(crate) async fn all_in_txn(txn: &mut Txn) -> Result<Vec<VendorRow>, StoreError> {
    txn.rows(ALL, args![]).await?.iter().map(vendor_row).collect()
}

fn vendor_row(row: &Row) -> Result<VendorRow, StoreError> {
    Ok(VendorRow {
        id: row.int("id")?,
        name: row.text("name")?,
        spec: row.json("spec")?,
        client_id: row.text("client_id")?,
        client_secret: row.bytes_opt("client_secret")?,
        secret_hint: row.text_opt("secret_hint")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

#[cfg(test)]
mod tests;
