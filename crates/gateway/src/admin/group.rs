//! Groups: every tag that a provider, a user or a key names, with the rates and limits that were set for some.

use std::collections::BTreeMap;

use store::GroupRow;
use types::group::{GroupSpec, GroupView, UpdateGroup};
use types::{GroupId, Problem};

use super::{Admin, Subject, trail};
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "group";

/// How often a group is named.
#[derive(Clone, Copy, Default)]
struct Named {
    providers: u32,
    users: u32,
    keys: u32,
}

impl Admin {
    /// Every group by name.
    pub async fn group_list(&self) -> Result<Vec<GroupView>, Problem> {
        let rows = self.core.store.group_list().await.map_err(|e| store_problem(e, OBJECT))?;
        let mut named = self.groups_named().await?;
        let mut views: Vec<GroupView> = rows
            .into_iter()
            .map(|row| {
                let counts = named.remove(&row.name).unwrap_or_default();
                view(row, counts)
            })
            .collect();
        views.extend(named.into_iter().map(|(name, counts)| tag(name, counts)));
        views.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(views)
    }

    /// Sets rate and limits of a group; nothing else makes or needs one.
    pub async fn group_put(&self, name: String, input: UpdateGroup) -> Result<GroupView, Problem> {
        let name = clean(&name)?;
        let row = self.group_stored(&name).await?;
        let stored = row.as_ref().map_or(0, |row| row.version);
        // Its rows in the audit log carry the identity of its row, which a group without one does not have.
        let id = row.as_ref().map_or(0, |row| row.id.0);
        self.expect_version(OBJECT, id, input.version, stored).await?;
        let current = row.as_ref().map_or_else(GroupSpec::default, |row| row.spec.clone());
        let spec = input.apply(current.clone())?;
        let changed = trail::changed(&trail::group(&current), &trail::group(&spec));
        let (row, fresh) = match (row, changed) {
            (Some(row), None) => (row, false),
            (None, None) => {
                let counts = self.groups_named().await?.remove(&name).unwrap_or_default();
                return Ok(tag(name, counts));
            }
            (row, Some((before, after))) => {
                let fresh = row.is_none();
                let own_id = row.map_or_else(String::new, |row| row.id.to_string());
                let subject = Subject { object: OBJECT, id: own_id, name: &name };
                let change = self.change("update", &subject, Some(before), Some(after));
                match self.core.store.group_put(&name, &spec, Some(stored), change).await {
                    Ok(row) => (row, fresh),
                    Err(error) => return Err(self.change_problem(error, OBJECT, id).await),
                }
            }
        };
        self.take_effect().await?;
        if fresh {
            // What went through the tag so far was not counted by group.
            self.spend_anew().await?;
        }
        let counts = self.groups_named().await?.remove(&name).unwrap_or_default();
        Ok(view(row, counts))
    }

    /// The identity of a group's row; one is made if it has none, because usage is reset on rows.
    pub(super) async fn group_id(&self, name: &str) -> Result<GroupId, Problem> {
        let name = clean(name)?;
        if let Some(row) = self.group_stored(&name).await? {
            return Ok(row.id);
        }
        if !self.groups_named().await?.contains_key(&name) {
            return Err(not_found(OBJECT));
        }
        let spec = GroupSpec::default();
        let subject = Subject { object: OBJECT, id: String::new(), name: &name };
        let change = self.change("update", &subject, None, Some(trail::group(&spec)));
        let row = self.core.store.group_put(&name, &spec, None, change).await;
        row.map(|row| row.id).map_err(|e| store_problem(e, OBJECT))
    }

    async fn group_stored(&self, name: &str) -> Result<Option<GroupRow>, Problem> {
        self.core.store.group_fetch(name).await.map_err(|e| store_problem(e, OBJECT))
    }

    async fn groups_named(&self) -> Result<BTreeMap<String, Named>, Problem> {
        let store = &self.core.store;
        let mut named: BTreeMap<String, Named> = BTreeMap::new();
        for row in store.provider_list(false).await.map_err(|e| store_problem(e, "provider"))? {
            for name in row.spec.groups {
                named.entry(name).or_default().providers += 1;
            }
        }
        for row in store.user_list(false).await.map_err(|e| store_problem(e, "user"))? {
            for name in row.spec.groups {
                named.entry(name).or_default().users += 1;
            }
        }
        for row in store.key_list(false).await.map_err(|e| store_problem(e, "key"))? {
            for name in row.spec.groups {
                named.entry(name).or_default().keys += 1;
            }
        }
        Ok(named)
    }
}

/// A tag as providers, users and keys may carry it.
fn clean(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let letters = name.chars().count();
    let odd = name.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',');
    if odd || !(1..=40).contains(&letters) {
        return Err(Problem::field("name", "expected 1 to 40 characters without blanks and commas"));
    }
    Ok(name.to_owned())
}

fn tag(name: String, counts: Named) -> GroupView {
    let GroupSpec { price_rate, limits, strategy } = GroupSpec::default();
    let Named { providers, users, keys } = counts;
    GroupView {
        id: None,
        name,
        price_rate,
        limits,
        strategy,
        providers,
        users,
        keys,
        usage_reset_at: None,
        updated_at: None,
        version: 0,
    }
}

fn view(row: GroupRow, counts: Named) -> GroupView {
    let GroupRow {
        id,
        name,
        spec: GroupSpec { price_rate, limits, strategy },
        usage_reset_at,
        updated_at,
        version,
    } = row;
    let Named { providers, users, keys } = counts;
    GroupView {
        id: Some(id),
        name,
        price_rate,
        limits,
        strategy,
        providers,
        users,
        keys,
        usage_reset_at,
        updated_at: Some(updated_at),
        version,
    }
}
