//! Inputs of users.

use types::problem::FieldErrors;
use types::user::{CreateUser, UpdateUser};
use types::{Patch, Problem};

use super::{instant, list, number, parsed};
use crate::form::checked;
use crate::form::user::UserForm;

impl UserForm {
    /// As the input of a new user.
    pub(crate) fn create(&self) -> Result<CreateUser, Problem> {
        let mut errors = FieldErrors::default();
        let input = CreateUser {
            name: self.name.clone(),
            groups: list(&self.groups),
            enabled: Some(checked(&self.enabled)),
            expires_at: instant(&self.expires_at, "expires_at", &mut errors),
            password: self.password.take_verbatim(),
            limits: self.limits.read(&mut errors),
            price_rate: parsed(&self.price_rate, "price_rate", &mut errors),
        };
        errors.finish(input)
    }

    /// As the change of a known user.
    pub(crate) fn update(&self) -> Result<UpdateUser, Problem> {
        let mut errors = FieldErrors::default();
        let password = match self.password.take_verbatim() {
            Some(password) => Patch::Set(password),
            None if checked(&self.password_clear) => Patch::Clear,
            None => Patch::Keep,
        };
        let input = UpdateUser {
            name: Some(self.name.clone()),
            groups: Some(list(&self.groups)),
            enabled: Some(checked(&self.enabled)),
            expires_at: Patch::from_option(instant(&self.expires_at, "expires_at", &mut errors)),
            password,
            version: number(&self.version, "version", &mut errors),
            limits: self.limits.read(&mut errors),
            price_rate: Some(parsed(&self.price_rate, "price_rate", &mut errors).unwrap_or_default()),
        };
        errors.finish(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_its_blanks() {
        let form =
            UserForm { password: crate::form::SecretText(" twelve chars ".into()), ..UserForm::default() };
        assert_eq!(form.create().unwrap().password.unwrap().expose(), " twelve chars ");
    }
}
