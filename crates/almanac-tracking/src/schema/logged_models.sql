-- Logged models of MLflow 3, and what ties them to runs.

-- `status` is MLflow's number; `source_run_id` need not be a run that is known.
CREATE TABLE logged_models (
    model_no          {id},
    model_id          TEXT  NOT NULL UNIQUE,
    experiment_id     {int} NOT NULL REFERENCES experiments ON DELETE CASCADE,
    name              TEXT  NOT NULL,
    artifact_uri      TEXT  NOT NULL,
    model_type        TEXT  NOT NULL DEFAULT '',
    source_run_id     TEXT  NOT NULL DEFAULT '',
    status            {int} NOT NULL CHECK (status IN (0, 1, 2, 3)),
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
    key            TEXT   NOT NULL,
    run_no         {int}  NOT NULL REFERENCES runs ON DELETE CASCADE,
    step           {int}  NOT NULL,
    timestamp      {int}  NOT NULL,
    dataset_name   TEXT   NOT NULL,
    dataset_digest TEXT   NOT NULL,
    is_nan         {int}  NOT NULL,
    value          {real} NOT NULL,
    PRIMARY KEY (model_no, key, run_no, step, timestamp, dataset_name, dataset_digest, is_nan, value)
) {clustered};
CREATE INDEX logged_model_metrics_of_run ON logged_model_metrics (run_no);

-- Models that a run used (`input`) or made (`output`), in that order. The model need not be known.
CREATE TABLE run_models (
    entry_no {id},
    run_no   {int} NOT NULL REFERENCES runs ON DELETE CASCADE,
    role     TEXT  NOT NULL CHECK (role IN ('input', 'output')),
    model_id TEXT  NOT NULL,
    step     {int} NOT NULL,
    UNIQUE (run_no, role, model_id)
);
CREATE INDEX run_models_of_model ON run_models (model_id);
