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
CREATE INDEX registered_model_tags_of_key ON registered_model_tags (key, name);

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
CREATE INDEX model_versions_of_stage ON model_versions (name, current_stage, version);
CREATE INDEX model_versions_newest ON model_versions (last_updated_time DESC, name, version DESC);

CREATE TABLE model_version_tags (
    name    TEXT  NOT NULL,
    version {int} NOT NULL,
    key     TEXT  NOT NULL,
    value   TEXT  NOT NULL,
    PRIMARY KEY (name, version, key),
    FOREIGN KEY (name, version) REFERENCES model_versions ON DELETE CASCADE ON UPDATE CASCADE
) {clustered};
CREATE INDEX model_version_tags_of_key ON model_version_tags (key, name, version);

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

-- Every move of an alias, in order, kept also when the model is gone. A row changes only its name, when the model does.
-- `model_delete` has no alias: what lies before it belongs to another model of that name.
CREATE TABLE alias_moves (
    move_no      {id},
    -- Two moves may be alike in all else: an export tells them apart by this.
    move_id      TEXT  NOT NULL UNIQUE,
    name         TEXT  NOT NULL,
    alias        TEXT  NOT NULL,
    kind         TEXT  NOT NULL CHECK (kind IN ('set', 'delete', 'rollback', 'model_delete')),
    from_version {int},
    to_version   {int},
    actor        TEXT  NOT NULL,
    reason       TEXT  NOT NULL,
    moved_at     {int} NOT NULL
);
CREATE INDEX alias_moves_of_alias ON alias_moves (name, alias, move_no);

-- Kept, and never called; so no secret is kept either.
CREATE TABLE webhooks (
    webhook_id        TEXT  NOT NULL PRIMARY KEY,
    name              TEXT  NOT NULL,
    description       TEXT  NOT NULL DEFAULT '',
    url               TEXT  NOT NULL,
    status            TEXT  NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
    -- `ENTITY ACTION` of each event, with commas between.
    events            TEXT  NOT NULL,
    creation_time     {int} NOT NULL,
    last_updated_time {int} NOT NULL
);
