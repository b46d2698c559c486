-- Experiments, runs and what they log.
-- Rows that belong to a run carry its number instead of its id, and its experiment first in the key, so that a search reads
-- one key of one experiment as one piece.

CREATE TABLE experiments (
    experiment_id     {id},
    name              TEXT  NOT NULL UNIQUE,
    artifact_location TEXT  NOT NULL,
    lifecycle_stage   TEXT  NOT NULL DEFAULT 'active' CHECK (lifecycle_stage IN ('active', 'deleted')),
    creation_time     {int} NOT NULL,
    last_update_time  {int} NOT NULL
);

CREATE TABLE experiment_tags (
    experiment_id {int} NOT NULL REFERENCES experiments ON DELETE CASCADE,
    key           TEXT  NOT NULL,
    value         TEXT  NOT NULL,
    PRIMARY KEY (experiment_id, key)
) {clustered};

CREATE TABLE runs (
    run_no          {id},
    run_id          TEXT  NOT NULL UNIQUE,
    experiment_id   {int} NOT NULL REFERENCES experiments ON DELETE CASCADE,
    name            TEXT  NOT NULL,
    user_id         TEXT  NOT NULL,
    status          TEXT  NOT NULL CHECK (status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')),
    start_time      {int} NOT NULL,
    end_time        {int},
    lifecycle_stage TEXT  NOT NULL DEFAULT 'active' CHECK (lifecycle_stage IN ('active', 'deleted')),
    deleted_time    {int},
    artifact_uri    TEXT  NOT NULL
);
CREATE INDEX runs_newest ON runs (experiment_id, lifecycle_stage, start_time DESC, run_id);

CREATE TABLE params (
    experiment_id {int} NOT NULL,
    key           TEXT  NOT NULL,
    run_no        {int} NOT NULL REFERENCES runs ON DELETE CASCADE,
    value         TEXT  NOT NULL,
    PRIMARY KEY (experiment_id, key, run_no)
) {clustered};
CREATE INDEX params_of_run ON params (run_no);

CREATE TABLE tags (
    experiment_id {int} NOT NULL,
    key           TEXT  NOT NULL,
    run_no        {int} NOT NULL REFERENCES runs ON DELETE CASCADE,
    value         TEXT  NOT NULL,
    PRIMARY KEY (experiment_id, key, run_no)
) {clustered};
CREATE INDEX tags_of_run ON tags (run_no);

-- NaN is kept as 0 with a mark, because SQLite would make it NULL.
CREATE TABLE metrics (
    run_no    {int}  NOT NULL REFERENCES runs ON DELETE CASCADE,
    key       TEXT   NOT NULL,
    step      {int}  NOT NULL,
    timestamp {int}  NOT NULL,
    is_nan    {int}  NOT NULL,
    value     {real} NOT NULL,
    PRIMARY KEY (run_no, key, step, timestamp, is_nan, value)
) {clustered};

-- Of each metric the one with the greatest (step, timestamp, value); NaN is less than any number.
CREATE TABLE latest_metrics (
    experiment_id {int}  NOT NULL,
    key           TEXT   NOT NULL,
    run_no        {int}  NOT NULL REFERENCES runs ON DELETE CASCADE,
    step          {int}  NOT NULL,
    timestamp     {int}  NOT NULL,
    is_nan        {int}  NOT NULL,
    value         {real} NOT NULL,
    PRIMARY KEY (experiment_id, key, run_no)
) {clustered};
CREATE INDEX latest_metrics_of_run ON latest_metrics (run_no);

CREATE TABLE datasets (
    dataset_no    {id},
    experiment_id {int} NOT NULL REFERENCES experiments ON DELETE CASCADE,
    name          TEXT  NOT NULL,
    digest        TEXT  NOT NULL,
    source_type   TEXT  NOT NULL,
    source        TEXT  NOT NULL,
    schema        TEXT,
    profile       TEXT,
    UNIQUE (experiment_id, name, digest)
);

CREATE TABLE inputs (
    run_no     {int} NOT NULL REFERENCES runs ON DELETE CASCADE,
    dataset_no {int} NOT NULL REFERENCES datasets ON DELETE CASCADE,
    PRIMARY KEY (run_no, dataset_no)
) {clustered};
CREATE INDEX inputs_of_dataset ON inputs (dataset_no);

CREATE TABLE input_tags (
    run_no     {int} NOT NULL,
    dataset_no {int} NOT NULL,
    key        TEXT  NOT NULL,
    value      TEXT  NOT NULL,
    PRIMARY KEY (run_no, dataset_no, key),
    FOREIGN KEY (run_no, dataset_no) REFERENCES inputs ON DELETE CASCADE
) {clustered};

-- Artifacts of rows that were deleted for good, until a collection has deleted the files too.
CREATE TABLE garbage (
    artifact_uri TEXT  NOT NULL PRIMARY KEY,
    since        {int} NOT NULL
);
