-- Version 1 of the tracking tables. Released: never change it, add v2.sql.
PRAGMA application_id = 0x416c6d61;
PRAGMA user_version = 1;

CREATE TABLE experiments (
    experiment_id INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    creation_time INTEGER NOT NULL
);

CREATE TABLE runs (
    run_id        TEXT    NOT NULL PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiments,
    name          TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('RUNNING', 'FINISHED', 'FAILED', 'KILLED')),
    start_time    INTEGER NOT NULL,
    end_time      INTEGER
);
CREATE INDEX runs_newest ON runs (experiment_id, start_time DESC, run_id);

CREATE TABLE params (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

-- SQLite turns NaN into NULL, so it is kept as 0 with a mark.
CREATE TABLE metrics (
    run_id    TEXT    NOT NULL REFERENCES runs ON DELETE CASCADE,
    key       TEXT    NOT NULL,
    step      INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    is_number INTEGER NOT NULL,
    value     REAL    NOT NULL,
    PRIMARY KEY (run_id, key, step, timestamp, is_number, value)
) WITHOUT ROWID;

CREATE TABLE tags (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

CREATE TABLE registered_models (
    name              TEXT    NOT NULL PRIMARY KEY,
    creation_time     INTEGER NOT NULL,
    last_updated_time INTEGER NOT NULL,
    last_version      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE model_versions (
    name          TEXT    NOT NULL REFERENCES registered_models ON DELETE CASCADE,
    version       INTEGER NOT NULL,
    run_id        TEXT,
    source        TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY')),
    creation_time INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) WITHOUT ROWID;

CREATE TABLE model_aliases (
    name    TEXT    NOT NULL,
    alias   TEXT    NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (name, alias),
    FOREIGN KEY (name, version) REFERENCES model_versions ON DELETE CASCADE
) WITHOUT ROWID;
