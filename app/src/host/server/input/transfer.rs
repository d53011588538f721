//! Files of other gateways, and exports.

use types::import::{ExportCredentials, ImportCredentials};
use types::problem::FieldErrors;
use types::{Problem, ProviderId};

use super::list;
use crate::form::checked;
use crate::form::transfer::{ExportForm, TransferForm};

impl TransferForm {
    /// As the input of a dry run.
    pub(crate) fn read(&self) -> Result<ImportCredentials, Problem> {
        let mut errors = FieldErrors::default();
        let content = self.content.take();
        if content.is_none() {
            errors.add("content", "must not be empty");
        }
        let on_conflict = match self.on_conflict.trim() {
            "" => None,
            text => {
                text.parse().map_err(|_unknown| errors.add("on_conflict", "expected rename or skip")).ok()
            }
        };
        let content = errors.finish(content)?;
        Ok(ImportCredentials {
            content: content.unwrap_or_else(|| types::Secret::new(String::new())),
            passphrase: self.passphrase.take(),
            from: Some(self.from.trim().to_owned()).filter(|kind| !kind.is_empty()),
            origin: Some(self.origin.trim().to_owned()).filter(|name| !name.is_empty()),
            on_conflict,
            dry_run: true,
            probe: checked(&self.probe),
            leave_out: Vec::new(),
            preview: None,
        })
    }
}

impl ExportForm {
    /// As the input of an export.
    pub(crate) fn read(&self) -> Result<ExportCredentials, Problem> {
        let passphrase = self.passphrase.take();
        let id = |text: &String| {
            text.parse().map(ProviderId).map_err(|_| Problem::field("provider_ids", "expected numbers"))
        };
        Ok(ExportCredentials {
            passphrase: passphrase.ok_or_else(|| Problem::field("passphrase", "must not be empty"))?,
            provider_ids: list(&self.provider_ids).iter().map(id).collect::<Result<_, _>>()?,
            credential_ids: Vec::new(),
        })
    }
}
