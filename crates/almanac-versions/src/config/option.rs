//! The names of options, which of them DVC knows, and what values they take.

use crate::error::{Result, VersionsError};

/// Names an option: `core.remote`, `remote.NAME.url`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OptionName {
    /// `core`, or `remote "NAME"`.
    pub(super) section: String,
    pub(super) key: String,
}

impl OptionName {
    /// Reads `section.option` or `remote.NAME.option`.
    ///
    /// # Errors
    /// If it is of neither form.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || VersionsError::Setting { problem: format!("`{text}` should look like `section.option` or `remote.NAME.option`") };
        let (section, key) = text.rsplit_once('.').ok_or_else(wrong)?;
        let section = match section.split_once('.') {
            Some(("remote", name)) if !name.is_empty() => format!("remote \"{}\"", name.to_lowercase()),
            Some(("db", name)) if !name.is_empty() => format!("db \"{}\"", name.to_lowercase()),
            Some(_) => return Err(wrong()),
            None => section.to_lowercase(),
        };
        let key = key.to_lowercase();
        if section.is_empty() || key.is_empty() || section.contains('\n') || key.contains(['\n', '=']) {
            return Err(wrong());
        }
        Ok(Self { section, key })
    }

    /// An option of a remote.
    pub fn of_remote(name: &str, key: &str) -> Self {
        Self { section: format!("remote \"{}\"", name.to_lowercase()), key: key.to_lowercase() }
    }

    /// DVC refuses options that it does not know, and with them every command. So do we.
    pub(super) fn check(&self) -> Result<()> {
        const CORE: &[&str] = &[
            "remote",
            "checksum_jobs",
            "interactive",
            "analytics",
            "hardlink_lock",
            "no_scm",
            "autostage",
            "check_update",
            "site_cache_dir",
            "machine",
            "experiments",
        ];
        const CACHE: &[&str] =
            &["dir", "type", "protected", "shared", "slow_link_warning", "verify", "local", "s3", "gs", "hdfs", "webhdfs", "ssh", "azure"];
        const REMOTE: &[&str] = &[
            "url",
            "jobs",
            "checksum_jobs",
            "worktree",
            "no_traverse",
            "version_aware",
            "type",
            "protected",
            "shared",
            "slow_link_warning",
            "verify",
            "region",
            "profile",
            "credentialpath",
            "configpath",
            "endpointurl",
            "access_key_id",
            "secret_access_key",
            "session_token",
            "listobjects",
            "use_ssl",
            "allow_anonymous_login",
            "ssl_verify",
            "sse",
            "sse_kms_key_id",
            "sse_customer_algorithm",
            "sse_customer_key",
            "acl",
            "grant_read",
            "grant_read_acp",
            "grant_write_acp",
            "grant_full_control",
            "cache_regions",
            "read_timeout",
            "connect_timeout",
            "projectname",
            "connection_string",
            "sas_token",
            "account_name",
            "account_key",
            "tenant_id",
            "client_id",
            "client_secret",
            "exclude_environment_credential",
            "exclude_visual_studio_code_credential",
            "exclude_shared_token_cache_credential",
            "exclude_managed_identity_credential",
            "timeout",
            "connection_timeout",
            "port",
            "user",
            "password",
            "ask_password",
            "passphrase",
            "ask_passphrase",
            "keyfile",
            "gss_auth",
            "allow_agent",
            "max_sessions",
            "auth",
            "custom_auth_header",
            "method",
            "token",
            "bearer_token_command",
            "cert_path",
            "key_path",
            "kerb_ticket",
            "replication",
            "kerberos",
            "kerberos_principal",
            "proxy_to",
            "use_https",
            "data_proxy_target",
            "oss_key_id",
            "oss_key_secret",
            "oss_endpoint",
            "gdrive_use_service_account",
            "gdrive_client_id",
            "gdrive_client_secret",
            "gdrive_user_credentials_file",
            "gdrive_service_account_user_email",
            "gdrive_service_account_json_file_path",
            "gdrive_trash_only",
            "gdrive_acknowledge_abuse",
        ];
        let known = match self.section.as_str() {
            "core" => CORE,
            "cache" => CACHE,
            section if section.starts_with("remote \"") => REMOTE,
            _ => return Ok(()),
        };
        if known.contains(&self.key.as_str()) {
            return Ok(());
        }
        Err(VersionsError::Setting {
            problem: format!("unknown option `{}` in `[{}]`; known are {}", self.key, self.section, known.join(", ")),
        })
    }

    pub(super) fn check_value(&self, value: &str) -> Result<()> {
        let wrong = |expected: &str| Err(VersionsError::Setting { problem: format!("`{}` should be {expected}", self.display()) });
        if value.contains('\n') || (value.contains('\'') && value.contains('"')) {
            return wrong("one line, with one kind of quotes at most");
        }
        match (self.section.as_str(), self.key.as_str()) {
            ("cache", "type") => {
                let is_kind = |kind: &str| ["reflink", "hardlink", "symlink", "copy"].contains(&kind.trim());
                if value.split(',').all(is_kind) { Ok(()) } else { wrong("a list of `reflink`, `hardlink`, `symlink`, `copy`") }
            }
            ("cache", "shared") if value != "group" => wrong("`group`"),
            (_, "checksum_jobs" | "jobs") if value.parse::<usize>().is_ok_and(|jobs| jobs > 0) => Ok(()),
            (_, "checksum_jobs" | "jobs") => wrong("a count, 1 or more"),
            ("core", "no_scm" | "autostage" | "analytics" | "hardlink_lock" | "interactive" | "check_update")
                if !["true", "false"].contains(&value.to_lowercase().as_str()) =>
            {
                wrong("`true` or `false`")
            }
            _ => Ok(()),
        }
    }

    /// Returns it as the user writes it.
    pub fn display(&self) -> String {
        format!("{}.{}", self.section.replace(" \"", ".").trim_end_matches('"'), self.key)
    }

    /// Tells whether the value is a key or password, which nobody is shown.
    pub fn is_secret(&self) -> bool {
        const SECRET: &[&str] =
            &["secret", "password", "passphrase", "token", "account_key", "connection_string", "sse_customer_key", "custom_auth_header"];
        SECRET.iter().any(|word| self.key.contains(word)) || self.key == "access_key_id"
    }

    pub(super) fn is_path(&self) -> bool {
        match self.section.as_str() {
            "cache" => self.key == "dir",
            section if section.starts_with("remote \"") => {
                ["url", "credentialpath", "configpath", "keyfile", "cert_path", "key_path"].contains(&self.key.as_str())
            }
            _ => false,
        }
    }
}
