//! Templates of packages. What was granted from one stands on its own: neither a change nor a deletion reaches it.

use std::collections::HashMap;

use store::PackageRow;
use types::package::{PackageInput, PackageView};
use types::{PackageId, Problem};

use super::{Admin, Subject, trail};
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "package";

impl Admin {
    /// All templates by id.
    pub async fn package_list(&self, include_deleted: bool) -> Result<Vec<PackageView>, Problem> {
        let rows = self.core.store.package_list(include_deleted).await;
        let rows = rows.map_err(|e| store_problem(e, OBJECT))?;
        let grants = self.package_grants().await?;
        Ok(rows.into_iter().map(|row| view(row, &grants)).collect())
    }

    /// One template, deleted ones too.
    pub async fn package_fetch(&self, id: PackageId) -> Result<PackageView, Problem> {
        let row = self.core.store.package_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        self.package_view(row).await
    }

    /// Adds a template.
    pub async fn package_create(&self, input: PackageInput) -> Result<PackageView, Problem> {
        let spec = input.apply(None)?;
        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let change = self.change("create", &subject, None, Some(trail::package(&spec)));
        let row = self.core.store.package_insert(&spec, change).await;
        self.package_view(row.map_err(|e| store_problem(e, OBJECT))?).await
    }

    /// Changes a template, for what is granted from it from now on.
    pub async fn package_update(&self, id: PackageId, input: PackageInput) -> Result<PackageView, Problem> {
        let row = self.package_live(id).await?;
        self.expect_version(OBJECT, id, input.version, row.version).await?;
        let spec = input.apply(Some(row.spec.clone()))?;
        let Some((before, after)) = trail::changed(&trail::package(&row.spec), &trail::package(&spec)) else {
            return self.package_view(row).await;
        };
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &spec.name };
        let change = self.change("update", &subject, Some(before), Some(after));
        match self.core.store.package_update(id, row.version, &spec, change).await {
            Ok(row) => self.package_view(row).await,
            Err(error) => Err(self.change_problem(error, OBJECT, id).await),
        }
    }

    /// Deletes a template; it can be restored, and what was granted from it goes on.
    pub async fn package_delete(&self, id: PackageId) -> Result<(), Problem> {
        let row = self.package_live(id).await?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("delete", &subject, Some(trail::package(&row.spec)), None);
        let deleted = self.core.store.package_delete(id, change).await;
        deleted.map(|_| ()).map_err(|e| store_problem(e, OBJECT))
    }

    /// Brings a deleted template back.
    pub async fn package_restore(&self, id: PackageId) -> Result<PackageView, Problem> {
        let row = self.core.store.package_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("restore", &subject, None, Some(trail::package(&row.spec)));
        let row = self.core.store.package_restore(id, change).await;
        self.package_view(row.map_err(|e| store_problem(e, OBJECT))?).await
    }

    pub(super) async fn package_live(&self, id: PackageId) -> Result<PackageRow, Problem> {
        let row = self.core.store.package_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.deleted_at.is_some() { Err(not_found(OBJECT)) } else { Ok(row) }
    }

    async fn package_grants(&self) -> Result<HashMap<PackageId, u64>, Problem> {
        self.core.store.package_grants().await.map_err(|e| store_problem(e, OBJECT))
    }

    async fn package_view(&self, row: PackageRow) -> Result<PackageView, Problem> {
        Ok(view(row, &self.package_grants().await?))
    }
}

fn view(row: PackageRow, grants: &HashMap<PackageId, u64>) -> PackageView {
    let PackageRow { id, spec, created_at, updated_at, deleted_at, version } = row;
    let grants = grants.get(&id).copied().unwrap_or(0);
    PackageView { id, spec, grants, created_at, updated_at, deleted_at, version }
}
