-- Studies of Optuna and their trials.
-- The nouns are those of Optuna's own tables, behind a prefix: `optuna.storages.RDBStorage` makes its tables wherever it is
-- pointed at, and with names of their own the two cannot meet in one database. Without the prefix, `params` and the like
-- would also read as words of MLflow.
-- Rows of a trial carry its study first in the key, so that the trials of a study are read as one piece.

CREATE TABLE optuna_studies (
    study_id    {id},
    study_name  TEXT  NOT NULL UNIQUE,
    -- `MINIMIZE` or `MAXIMIZE` for each objective, with commas between.
    directions  TEXT  NOT NULL,
    -- The number that the next trial gets.
    next_number {int} NOT NULL DEFAULT 0
);

CREATE TABLE optuna_study_attributes (
    study_id   {int} NOT NULL REFERENCES optuna_studies ON DELETE CASCADE,
    is_system  {int} NOT NULL,
    key        TEXT  NOT NULL,
    value_json TEXT  NOT NULL,
    PRIMARY KEY (study_id, is_system, key)
) {clustered};

-- Times are microseconds since 1970-01-01 UTC.
CREATE TABLE optuna_trials (
    trial_id          {id},
    study_id          {int} NOT NULL REFERENCES optuna_studies ON DELETE CASCADE,
    number            {int} NOT NULL,
    state             TEXT  NOT NULL CHECK (state IN ('RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING')),
    datetime_start    {int},
    datetime_complete {int},
    UNIQUE (study_id, number),
    UNIQUE (study_id, trial_id)
);

-- What a parameter of a study may be; each text once, because every trial says it again.
CREATE TABLE optuna_distributions (
    distribution_no   {id},
    study_id          {int} NOT NULL REFERENCES optuna_studies ON DELETE CASCADE,
    param_name        TEXT  NOT NULL,
    digest            TEXT  NOT NULL,
    distribution_json TEXT  NOT NULL,
    UNIQUE (study_id, param_name, digest)
);

CREATE TABLE optuna_trial_params (
    study_id        {int}  NOT NULL,
    trial_id        {int}  NOT NULL,
    param_name      TEXT   NOT NULL,
    distribution_no {int}  NOT NULL,
    param_value     {real} NOT NULL,
    PRIMARY KEY (study_id, trial_id, param_name),
    FOREIGN KEY (study_id, trial_id) REFERENCES optuna_trials (study_id, trial_id) ON DELETE CASCADE
) {clustered};

CREATE TABLE optuna_trial_values (
    study_id  {int}  NOT NULL,
    trial_id  {int}  NOT NULL,
    objective {int}  NOT NULL,
    value     {real} NOT NULL,
    PRIMARY KEY (study_id, trial_id, objective),
    FOREIGN KEY (study_id, trial_id) REFERENCES optuna_trials (study_id, trial_id) ON DELETE CASCADE
) {clustered};

-- NaN is kept as 0 with a mark, because SQLite would make it NULL.
CREATE TABLE optuna_trial_intermediate_values (
    study_id {int}  NOT NULL,
    trial_id {int}  NOT NULL,
    step     {int}  NOT NULL,
    is_nan   {int}  NOT NULL,
    value    {real} NOT NULL,
    PRIMARY KEY (study_id, trial_id, step),
    FOREIGN KEY (study_id, trial_id) REFERENCES optuna_trials (study_id, trial_id) ON DELETE CASCADE
) {clustered};

CREATE TABLE optuna_trial_attributes (
    study_id   {int} NOT NULL,
    trial_id   {int} NOT NULL,
    is_system  {int} NOT NULL,
    key        TEXT  NOT NULL,
    value_json TEXT  NOT NULL,
    PRIMARY KEY (study_id, trial_id, is_system, key),
    FOREIGN KEY (study_id, trial_id) REFERENCES optuna_trials (study_id, trial_id) ON DELETE CASCADE
) {clustered};
