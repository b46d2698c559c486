-- Logged models of MLflow 3, and what ties them to runs.

CREATE TABLE logged_models (
    model_no          {id},
    model_id          TEXT  NOT NULL UNIQUE,
    experiment_id     {int} NOT NULL REFERENCES experiments ON DELETE CASCADE,
    name              TEXT  NOT NULL,
    artifact_uri      TEXT  NOT NULL,
    model_type        TEXT  NOT NULL DEFAULT '',
    source_run_id     TEXT,
    status            TEXT  NOT NULL,
    status_message    TEXT  NOT NULL DEFAULT '',
    lifecycle_stage   TEXT  NOT NULL DEFAULT 'active' CHECK (lifecycle_stage IN ('active', 'deleted')),
    creation_time     {int} NOT NULL,
    last_updated_time {int} NOT NULL
);
CREATE INDEX logged_models_newest ON logged_models (experiment_id, lifecycle_stage, creation_time DESC, model_id);

CREATE TABLE logged_model_params (
    model_no {int} NOT NULL REFERENCES logged_models ON DELETE CASCADE,
    key      TEXT  NOT NULL,
    value    TEXT  NOT NULL,
    PRIMARY KEY (model_no, key)
) {clustered};

CREATE TABLE logged_model_tags (
    model_no {int} NOT NULL REFERENCES logged_models ON DELETE CASCADE,
    key      TEXT  NOT NULL,
    value    TEXT  NOT NULL,
    PRIMARY KEY (model_no, key)
) {clustered};

-- `dataset_name` and `dataset_digest` are empty where a metric belongs to no dataset.
CREATE TABLE logged_model_metrics (
    model_no       {int}  NOT NULL REFERENCES logged_models ON DELETE CASCADE,
    run_no         {int}  NOT NULL REFERENCES runs ON DELETE CASCADE,
    key            TEXT   NOT NULL,
    dataset_name   TEXT   NOT NULL,
    dataset_digest TEXT   NOT NULL,
    step           {int}  NOT NULL,
    timestamp      {int}  NOT NULL,
    is_nan         {int}  NOT NULL,
    value          {real} NOT NULL,
    PRIMARY KEY (model_no, key, dataset_name, dataset_digest, run_no, step, timestamp)
) {clustered};
CREATE INDEX logged_model_metrics_of_run ON logged_model_metrics (run_no);

-- Models that a run used (`input`) or made (`output`). The model need not be known.
CREATE TABLE run_models (
    run_no   {int} NOT NULL REFERENCES runs ON DELETE CASCADE,
    role     TEXT  NOT NULL CHECK (role IN ('input', 'output')),
    model_id TEXT  NOT NULL,
    step     {int} NOT NULL,
    PRIMARY KEY (run_no, role, model_id)
) {clustered};
CREATE INDEX run_models_of_model ON run_models (model_id);
