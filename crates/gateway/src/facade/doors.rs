//! The doors: from what somebody presents to a proven principal, and from there to a handle.

use std::net::IpAddr;

use types::Problem;
use types::principal::{Principal, Viewer};

use super::Gateway;
use crate::admin::Admin;
use crate::identity::{Actor, SignIn};
use crate::member::Member;
use crate::sign_in;

impl Gateway {
    /// Proves who somebody is: by the admin token, a member's key, or a member's name and password.
    ///
    /// `trusted_device` says that this browser signed in before; its failures are counted apart.
    pub async fn sign_in(
        &self,
        presented: SignIn,
        client_ip: IpAddr,
        trusted_device: bool,
    ) -> Result<Principal, Problem> {
        sign_in::prove(&self.core, presented, client_ip, trusted_device).await
    }

    /// The administrator's handle for a signed-in principal.
    pub fn admin(&self, principal: &Principal, actor: Actor) -> Result<Admin, Problem> {
        Admin::of(&self.core, principal, actor)
    }

    /// The administrator's handle for an `Authorization` header (AU-01).
    pub async fn admin_by_bearer(&self, authorization: Option<&str>, actor: Actor) -> Result<Admin, Problem> {
        let principal = sign_in::prove_by_bearer(&self.core, authorization, actor.ip()).await?;
        Admin::of(&self.core, &principal, actor)
    }

    /// The handle for a signed-in member; refused once he is deleted, switched off or expired.
    pub fn member(&self, principal: &Principal, actor: Actor) -> Result<Member, Problem> {
        Member::of(&self.core, principal, actor)
    }

    /// What pages show of the person at the screen; `None` if the member is gone or switched off.
    pub fn viewer(&self, principal: &Principal) -> Option<Viewer> {
        match principal {
            Principal::Admin => Some(Viewer { is_admin: true, name: "admin".to_owned(), user_id: None }),
            Principal::Member { user_id } => {
                let snapshot = self.core.snapshot();
                let user =
                    snapshot.users.get(user_id).filter(|user| user.is_active(self.core.clock.now()))?;
                Some(Viewer { is_admin: false, name: user.spec.name.clone(), user_id: Some(*user_id) })
            }
        }
    }

    /// The first 8 hex characters of the configured admin token's SHA-256 (AU-02).
    pub fn fingerprint(&self) -> String {
        self.core.admin_token.fingerprint().to_owned()
    }
}
