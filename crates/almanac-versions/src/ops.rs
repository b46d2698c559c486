//! The verbs, one file each.

pub(crate) mod add;
pub(crate) mod checkout;
pub(crate) mod diff;
pub(crate) mod gc;
pub(crate) mod import_url;
pub(crate) mod install;
pub(crate) mod status;
pub(crate) mod transfer;
