//! Who is signed in to the dashboard.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// A proven identity of the dashboard or of the admin REST API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case", deny_unknown_fields)]
pub enum Principal {
    /// Holder of the admin token.
    Admin,
    /// An ordinary user, who sees only what is his.
    Member {
        /// Which user.
        user_id: UserId,
    },
}

/// What pages need to know of the person at the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// Whether administration is open to him.
    pub is_admin: bool,
    /// `admin`, or the member's name.
    pub name: String,
    /// The member's identity.
    pub user_id: Option<UserId>,
}
