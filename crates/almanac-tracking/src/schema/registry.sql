-- Registered models, their versions and aliases, and who moved what.

CREATE TABLE registered_models (
    name              TEXT  NOT NULL PRIMARY KEY,
    description       TEXT  NOT NULL DEFAULT '',
    creation_time     {int} NOT NULL,
    last_updated_time {int} NOT NULL,
    -- Numbers are never used again, also when versions are deleted.
    last_version      {int} NOT NULL DEFAULT 0
);

CREATE TABLE registered_model_tags (
    name  TEXT NOT NULL REFERENCES registered_models ON DELETE CASCADE ON UPDATE CASCADE,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, key)
) {clustered};

CREATE TABLE model_versions (
    name              TEXT  NOT NULL REFERENCES registered_models ON DELETE CASCADE ON UPDATE CASCADE,
    version           {int} NOT NULL,
    description       TEXT  NOT NULL DEFAULT '',
    user_id           TEXT  NOT NULL DEFAULT '',
    current_stage     TEXT  NOT NULL DEFAULT 'None' CHECK (current_stage IN ('None', 'Staging', 'Production', 'Archived')),
    source            TEXT  NOT NULL,
    -- Where the files are, if `source` speaks of a logged model.
    storage_location  TEXT  NOT NULL,
    run_id            TEXT,
    run_link          TEXT  NOT NULL DEFAULT '',
    model_id          TEXT,
    status            TEXT  NOT NULL CHECK (status IN ('PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY')),
    status_message    TEXT  NOT NULL DEFAULT '',
    creation_time     {int} NOT NULL,
    last_updated_time {int} NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE INDEX model_versions_of_run ON model_versions (run_id);

CREATE TABLE model_version_tags (
    name    TEXT  NOT NULL,
    version {int} NOT NULL,
    key     TEXT  NOT NULL,
    value   TEXT  NOT NULL,
    PRIMARY KEY (name, version, key),
    FOREIGN KEY (name, version) REFERENCES model_versions ON DELETE CASCADE ON UPDATE CASCADE
) {clustered};

CREATE TABLE model_aliases (
    name    TEXT  NOT NULL REFERENCES registered_models ON DELETE CASCADE ON UPDATE CASCADE,
    alias   TEXT  NOT NULL,
    version {int} NOT NULL,
    PRIMARY KEY (name, alias)
) {clustered};

-- What proves that a version may be promoted. `evidence` is JSON.
CREATE TABLE version_evidence (
    name     TEXT  NOT NULL,
    version  {int} NOT NULL,
    evidence TEXT  NOT NULL,
    passed   {int} NOT NULL,
    since    {int} NOT NULL,
    PRIMARY KEY (name, version),
    FOREIGN KEY (name, version) REFERENCES model_versions ON DELETE CASCADE ON UPDATE CASCADE
);

-- Every move of an alias, in order; never changed.
CREATE TABLE alias_moves (
    move_no      {id},
    name         TEXT  NOT NULL,
    alias        TEXT  NOT NULL,
    from_version {int},
    to_version   {int},
    actor        TEXT  NOT NULL,
    reason       TEXT  NOT NULL,
    moved_at     {int} NOT NULL
);
CREATE INDEX alias_moves_of_alias ON alias_moves (name, alias, move_no);

CREATE TABLE webhooks (
    webhook_id        TEXT  NOT NULL PRIMARY KEY,
    name              TEXT  NOT NULL,
    description       TEXT,
    url               TEXT  NOT NULL,
    secret            TEXT,
    status            TEXT  NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
    -- JSON list of {entity, action}.
    events            TEXT  NOT NULL,
    creation_time     {int} NOT NULL,
    last_updated_time {int} NOT NULL
);
