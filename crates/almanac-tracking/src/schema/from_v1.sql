-- Version 1 into version 2. The files of artifacts stay where they are, which is also where version 2 would put them.

INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
SELECT experiment_id, name, 'mlflow-artifacts:/' || experiment_id, creation_time, creation_time FROM old_experiments;

-- Clients that name no experiment log to number 0.
INSERT OR IGNORE INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
SELECT 0, 'Default', 'mlflow-artifacts:/0', min(creation_time), min(creation_time) FROM old_experiments HAVING count(*) > 0;

INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time, end_time, artifact_uri)
SELECT run_id, experiment_id, name, '', status, start_time, end_time,
       'mlflow-artifacts:/' || experiment_id || '/' || run_id || '/artifacts'
FROM old_runs ORDER BY start_time, run_id;

INSERT INTO params (experiment_id, key, run_no, value)
SELECT runs.experiment_id, old_params.key, runs.run_no, old_params.value
FROM old_params JOIN runs ON runs.run_id = old_params.run_id;

INSERT INTO tags (experiment_id, key, run_no, value)
SELECT runs.experiment_id, old_tags.key, runs.run_no, old_tags.value
FROM old_tags JOIN runs ON runs.run_id = old_tags.run_id;
INSERT OR IGNORE INTO tags (experiment_id, key, run_no, value)
SELECT experiment_id, 'mlflow.runName', run_no, name FROM runs;

INSERT INTO metrics (run_no, key, step, timestamp, is_nan, value)
SELECT runs.run_no, old_metrics.key, step, timestamp, 1 - is_number, value
FROM old_metrics JOIN runs ON runs.run_id = old_metrics.run_id;

INSERT INTO latest_metrics (experiment_id, key, run_no, step, timestamp, is_nan, value)
SELECT experiment_id, key, run_no, step, timestamp, is_nan, value FROM (
    SELECT runs.experiment_id, metrics.*, row_number() OVER (
        PARTITION BY metrics.run_no, key ORDER BY step DESC, timestamp DESC, is_nan, value DESC) AS place
    FROM metrics JOIN runs ON runs.run_no = metrics.run_no)
WHERE place = 1;

INSERT INTO registered_models (name, creation_time, last_updated_time, last_version)
SELECT name, creation_time, last_updated_time, last_version FROM old_registered_models;

INSERT INTO model_versions (name, version, source, storage_location, run_id, status, creation_time, last_updated_time)
SELECT name, version, source, source, run_id, status, creation_time, creation_time FROM old_model_versions;

INSERT INTO model_aliases (name, alias, version) SELECT name, alias, version FROM old_model_aliases;
