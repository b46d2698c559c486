-- Written by the client of MLflow 3.17.2; the tables that are read.
PRAGMA foreign_keys = OFF;
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" ("version_num") VALUES ('dc11669786a5');
CREATE TABLE "runs" (
    run_uuid VARCHAR(32) NOT NULL,
    name VARCHAR(250),
    source_type VARCHAR(20),
    source_name VARCHAR(500),
    entry_point_name VARCHAR(50),
    user_id VARCHAR(256),
    status VARCHAR(9),
    start_time BIGINT,
    end_time BIGINT,
    source_version VARCHAR(50),
    lifecycle_stage VARCHAR(20),
    artifact_uri VARCHAR(200),
    experiment_id INTEGER, deleted_time BIGINT,
    CONSTRAINT run_pk PRIMARY KEY (run_uuid),
    CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
    CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('db0b9a67a3b840d1b2bf987530a3e0c5', 'parent', 'UNKNOWN', '', '', 'unknown', 'FINISHED', 1700000000000, 1700000005000, '', 'active', '/home/me/mlruns/1/db0b9a67a3b840d1b2bf987530a3e0c5/artifacts', 1, NULL);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('713a6169209441789ab644c04a469458', 'child', 'UNKNOWN', '', '', 'unknown', 'FAILED', 1700000001000, 1700000006000, '', 'active', '/home/me/mlruns/1/713a6169209441789ab644c04a469458/artifacts', 1, NULL);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('4b379129085648a6965309d8aea952f6', 'dead', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1700000002000, NULL, '', 'deleted', '/home/me/mlruns/1/4b379129085648a6965309d8aea952f6/artifacts', 1, 1795290086249);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('e163b7bb5ded4c04bbdaa15212618932', 'in gone', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1700000003000, NULL, '', 'deleted', '/home/me/mlruns/2/e163b7bb5ded4c04bbdaa15212618932/artifacts', 2, 1795290086256);
CREATE TABLE "latest_metrics" (
    "key" VARCHAR(250) NOT NULL,
    value FLOAT NOT NULL,
    timestamp BIGINT,
    step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL,
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid),
    CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('loss', 0.2, 1700000000004, 4, 0, 'db0b9a67a3b840d1b2bf987530a3e0c5');
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('odd', 1.7976931348623157e+308, 1700000000002, 1, 0, 'db0b9a67a3b840d1b2bf987530a3e0c5');
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('nested/metric', -1e-07, 1700000000003, 0, 0, 'db0b9a67a3b840d1b2bf987530a3e0c5');
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('acc', 0.9, 1700000000009, 3, 0, 'db0b9a67a3b840d1b2bf987530a3e0c5');
CREATE TABLE "metrics" (
    "key" VARCHAR(250) NOT NULL,
    value FLOAT NOT NULL,
    timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL,
    step BIGINT DEFAULT '0' NOT NULL,
    is_nan BOOLEAN DEFAULT '0' NOT NULL,
    CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid),
    CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 1.0, 1700000000000, 'db0b9a67a3b840d1b2bf987530a3e0c5', 0, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.5, 1700000000001, 'db0b9a67a3b840d1b2bf987530a3e0c5', 1, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.3333333333333333, 1700000000002, 'db0b9a67a3b840d1b2bf987530a3e0c5', 2, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.25, 1700000000003, 'db0b9a67a3b840d1b2bf987530a3e0c5', 3, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.2, 1700000000004, 'db0b9a67a3b840d1b2bf987530a3e0c5', 4, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('odd', 0.0, 1700000000001, 'db0b9a67a3b840d1b2bf987530a3e0c5', 0, 1);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('odd', 1.7976931348623157e+308, 1700000000002, 'db0b9a67a3b840d1b2bf987530a3e0c5', 1, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('nested/metric', -1e-07, 1700000000003, 'db0b9a67a3b840d1b2bf987530a3e0c5', 0, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('acc', 0.9, 1700000000009, 'db0b9a67a3b840d1b2bf987530a3e0c5', 3, 0);
CREATE TABLE inputs (
    input_uuid VARCHAR(36) NOT NULL,
    source_type VARCHAR(36) NOT NULL,
    source_id VARCHAR(36) NOT NULL,
    destination_type VARCHAR(36) NOT NULL,
    destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" ("input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step") VALUES ('15b33d0e336d4b698cf303248babe1b0', 'DATASET', 'b2a47f741b8348be87e3cb4583c6b866', 'RUN', 'db0b9a67a3b840d1b2bf987530a3e0c5', 0);
INSERT INTO "inputs" ("input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step") VALUES ('cd6bf59dd860410494526bc844ed4373', 'RUN_OUTPUT', 'db0b9a67a3b840d1b2bf987530a3e0c5', 'MODEL_OUTPUT', 'm-6672fba6671f41fd9ea1d634e613a13b', 3);
INSERT INTO "inputs" ("input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step") VALUES ('82b747e7a41a4c0facda14db3baebacb', 'RUN_INPUT', '713a6169209441789ab644c04a469458', 'MODEL_INPUT', 'm-6672fba6671f41fd9ea1d634e613a13b', 0);
CREATE TABLE input_tags (
    input_uuid VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(500) NOT NULL,
    CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" ("input_uuid", "name", "value") VALUES ('15b33d0e336d4b698cf303248babe1b0', 'mlflow.data.context', 'training');
CREATE TABLE "params" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000) NOT NULL,
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" ("key", "value", "run_uuid") VALUES ('alpha', '0.5', 'db0b9a67a3b840d1b2bf987530a3e0c5');
INSERT INTO "params" ("key", "value", "run_uuid") VALUES ('nested/key', 'multi
line é', 'db0b9a67a3b840d1b2bf987530a3e0c5');
CREATE TABLE "trace_tags" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    request_id VARCHAR(50) NOT NULL,
    CONSTRAINT trace_tag_pk PRIMARY KEY ("key", request_id),
    CONSTRAINT fk_trace_tags_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('mlflow.artifactLocation', '/home/me/mlruns/1/traces/tr-1bd2464423e8400e64b28360f8f5ddff/artifacts', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('mlflow.trace.spansLocation', 'TRACKING_STORE', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('tt', 'vv', 'tr-1bd2464423e8400e64b28360f8f5ddff');
CREATE TABLE "trace_request_metadata" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    request_id VARCHAR(50) NOT NULL,
    CONSTRAINT trace_request_metadata_pk PRIMARY KEY ("key", request_id),
    CONSTRAINT fk_trace_request_metadata_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.source.git.branch', '', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.source.git.commit', '', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.source.git.repoURL', '', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.source.name', 'train.py', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.source.type', 'LOCAL', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.trace.infoFinalized', 'true', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.trace.sizeBytes', '1625', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.trace.sizeStats', '{"total_size_bytes": 1625, "num_spans": 2, "max": 493, "p25": 458, "p50": 470, "p75": 481}', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.traceInputs', '{"q": 1}', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.traceOutputs', '{"a": 2}', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.trace_schema.version', '3', 'tr-1bd2464423e8400e64b28360f8f5ddff');
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.user', 'root', 'tr-1bd2464423e8400e64b28360f8f5ddff');
CREATE TABLE "tags" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('colour', 'blue', 'db0b9a67a3b840d1b2bf987530a3e0c5');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'parent', 'db0b9a67a3b840d1b2bf987530a3e0c5');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.parentRunId', 'db0b9a67a3b840d1b2bf987530a3e0c5', '713a6169209441789ab644c04a469458');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'child', '713a6169209441789ab644c04a469458');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'dead', '4b379129085648a6965309d8aea952f6');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'in gone', 'e163b7bb5ded4c04bbdaa15212618932');
CREATE TABLE "datasets" (
    dataset_uuid VARCHAR(36) NOT NULL,
    experiment_id INTEGER NOT NULL,
    name VARCHAR(500) NOT NULL,
    digest VARCHAR(36) NOT NULL,
    dataset_source_type VARCHAR(36) NOT NULL,
    dataset_source TEXT NOT NULL,
    dataset_schema TEXT,
    dataset_profile TEXT,
    CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest),
    CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "datasets" ("dataset_uuid", "experiment_id", "name", "digest", "dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile") VALUES ('b2a47f741b8348be87e3cb4583c6b866', 1, 'sales', 'abc123', 'local', '{"uri": "sales.csv"}', '{"x": 1}', NULL);
CREATE TABLE logged_models (
    model_id VARCHAR(36) NOT NULL,
    experiment_id INTEGER NOT NULL,
    name VARCHAR(500) NOT NULL,
    artifact_location VARCHAR(1000) NOT NULL,
    creation_timestamp_ms BIGINT NOT NULL,
    last_updated_timestamp_ms BIGINT NOT NULL,
    status INTEGER NOT NULL,
    lifecycle_stage VARCHAR(32),
    model_type VARCHAR(500),
    source_run_id VARCHAR(32),
    status_message VARCHAR(1000),
    CONSTRAINT logged_models_pk PRIMARY KEY (model_id),
    CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')),
    CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "logged_models" ("model_id", "experiment_id", "name", "artifact_location", "creation_timestamp_ms", "last_updated_timestamp_ms", "status", "lifecycle_stage", "model_type", "source_run_id", "status_message") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 1, 'net', '/home/me/mlruns/1/models/m-6672fba6671f41fd9ea1d634e613a13b/artifacts', 1795290086287, 1795290086299, 2, 'active', 'agent', 'db0b9a67a3b840d1b2bf987530a3e0c5', NULL);
CREATE TABLE logged_model_metrics (
    model_id VARCHAR(36) NOT NULL,
    metric_name VARCHAR(500) NOT NULL,
    metric_timestamp_ms BIGINT NOT NULL,
    metric_step BIGINT NOT NULL,
    metric_value FLOAT,
    experiment_id INTEGER NOT NULL,
    run_id VARCHAR(32) NOT NULL,
    dataset_uuid VARCHAR(36),
    dataset_name VARCHAR(500),
    dataset_digest VARCHAR(36),
    CONSTRAINT logged_model_metrics_pk PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, run_id),
    CONSTRAINT fk_logged_model_metrics_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CONSTRAINT fk_logged_model_metrics_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE,
    CONSTRAINT fk_logged_model_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (run_uuid) ON DELETE CASCADE
);
INSERT INTO "logged_model_metrics" ("model_id", "metric_name", "metric_timestamp_ms", "metric_step", "metric_value", "experiment_id", "run_id", "dataset_uuid", "dataset_name", "dataset_digest") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 'acc', 1700000000009, 3, 0.9, 1, 'db0b9a67a3b840d1b2bf987530a3e0c5', NULL, 'sales', 'abc123');
CREATE TABLE logged_model_params (
    model_id VARCHAR(36) NOT NULL,
    experiment_id INTEGER NOT NULL,
    param_key VARCHAR(255) NOT NULL,
    param_value TEXT NOT NULL,
    CONSTRAINT logged_model_params_pk PRIMARY KEY (model_id, param_key),
    CONSTRAINT fk_logged_model_params_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CONSTRAINT fk_logged_model_params_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_params" ("model_id", "experiment_id", "param_key", "param_value") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 1, 'lr', '0.1');
CREATE TABLE logged_model_tags (
    model_id VARCHAR(36) NOT NULL,
    experiment_id INTEGER NOT NULL,
    tag_key VARCHAR(255) NOT NULL,
    tag_value TEXT NOT NULL,
    CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key),
    CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_tags" ("model_id", "experiment_id", "tag_key", "tag_value") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 1, 'mlflow.user', 'root');
INSERT INTO "logged_model_tags" ("model_id", "experiment_id", "tag_key", "tag_value") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 1, 'mlflow.source.name', 'train.py');
INSERT INTO "logged_model_tags" ("model_id", "experiment_id", "tag_key", "tag_value") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 1, 'mlflow.source.type', 'LOCAL');
INSERT INTO "logged_model_tags" ("model_id", "experiment_id", "tag_key", "tag_value") VALUES ('m-6672fba6671f41fd9ea1d634e613a13b', 1, 'a', 'b');
CREATE TABLE entity_associations (
    association_id VARCHAR(36) NOT NULL,
    source_type VARCHAR(36) NOT NULL,
    source_id VARCHAR(36) NOT NULL,
    destination_type VARCHAR(36) NOT NULL,
    destination_id VARCHAR(36) NOT NULL,
    created_time BIGINT,
    CONSTRAINT entity_associations_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
CREATE TABLE "experiments" (
    experiment_id INTEGER NOT NULL,
    name VARCHAR(256) NOT NULL,
    artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32),
    creation_time BIGINT,
    last_update_time BIGINT,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT experiment_pk PRIMARY KEY (experiment_id),
    CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO "experiments" ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "workspace") VALUES (0, 'Default', '/home/me/mlruns/0', 'active', 1795290086174, 1795290086174, 'default');
INSERT INTO "experiments" ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "workspace") VALUES (1, 'demand', '/home/me/mlruns/1', 'active', 1795290086176, 1795290086176, 'default');
INSERT INTO "experiments" ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "workspace") VALUES (2, 'gone', '/home/me/mlruns/2', 'deleted', 1795290086180, 1795290086255, 'default');
CREATE TABLE "registered_models" (
    name VARCHAR(256) NOT NULL,
    creation_time BIGINT,
    last_updated_time BIGINT,
    description VARCHAR(5000),
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name)
);
INSERT INTO "registered_models" ("name", "creation_time", "last_updated_time", "description", "workspace") VALUES ('demand-net', 1795290086321, 1795290086358, 'the net', 'default');
CREATE TABLE "model_versions" (
    name VARCHAR(256) NOT NULL,
    version INTEGER NOT NULL,
    creation_time BIGINT,
    last_updated_time BIGINT,
    description VARCHAR(5000),
    user_id VARCHAR(256),
    current_stage VARCHAR(20),
    source VARCHAR(500),
    run_id VARCHAR(32),
    status VARCHAR(20),
    status_message VARCHAR(500),
    run_link VARCHAR(500),
    storage_location VARCHAR(500),
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version),
    CONSTRAINT fk_model_versions_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" ("name", "version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source", "run_id", "status", "status_message", "run_link", "storage_location", "workspace") VALUES ('demand-net', 1, 1795290086327, 1795290086358, 'first', NULL, 'Staging', 'models:/m-6672fba6671f41fd9ea1d634e613a13b', 'db0b9a67a3b840d1b2bf987530a3e0c5', 'READY', NULL, NULL, '/home/me/mlruns/1/models/m-6672fba6671f41fd9ea1d634e613a13b/artifacts', 'default');
INSERT INTO "model_versions" ("name", "version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source", "run_id", "status", "status_message", "run_link", "storage_location", "workspace") VALUES ('demand-net', 2, 1795290086334, 1795290086334, NULL, NULL, 'None', 'models:/m-6672fba6671f41fd9ea1d634e613a13b', 'db0b9a67a3b840d1b2bf987530a3e0c5', 'READY', NULL, NULL, '/home/me/mlruns/1/models/m-6672fba6671f41fd9ea1d634e613a13b/artifacts', 'default');
INSERT INTO "model_versions" ("name", "version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source", "run_id", "status", "status_message", "run_link", "storage_location", "workspace") VALUES ('demand-net', 3, 1795290086338, 1795290086347, NULL, NULL, 'Deleted_Internal', 'REDACTED-SOURCE-PATH', 'REDACTED-RUN-ID', 'READY', NULL, 'REDACTED-RUN-LINK', '/home/me/mlruns/1/models/m-6672fba6671f41fd9ea1d634e613a13b/artifacts', 'default');
CREATE TABLE "registered_model_tags" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(5000),
    name VARCHAR(256) NOT NULL,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, "key", name),
    CONSTRAINT fk_registered_model_tags_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "registered_model_tags" ("key", "value", "name", "workspace") VALUES ('k', 'v', 'demand-net', 'default');
CREATE TABLE "model_version_tags" (
    "key" VARCHAR(250) NOT NULL,
    value TEXT,
    name VARCHAR(256) NOT NULL,
    version INTEGER NOT NULL,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, "key", name, version),
    CONSTRAINT fk_model_version_tags_model_versions FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE CASCADE
);
INSERT INTO "model_version_tags" ("key", "value", "name", "version", "workspace") VALUES ('vt', '1', 'demand-net', 1, 'default');
CREATE TABLE "registered_model_aliases" (
    alias VARCHAR(256) NOT NULL,
    version INTEGER NOT NULL,
    name VARCHAR(256) NOT NULL,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias),
    CONSTRAINT fk_registered_model_aliases_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "registered_model_aliases" ("alias", "version", "name", "workspace") VALUES ('champion', 2, 'demand-net', 'default');
CREATE TABLE "trace_info" (
    request_id VARCHAR(50) NOT NULL,
    experiment_id INTEGER NOT NULL,
    timestamp_ms BIGINT NOT NULL,
    execution_time_ms BIGINT,
    status VARCHAR(50) NOT NULL,
    client_request_id VARCHAR(50),
    request_preview VARCHAR(1000),
    response_preview VARCHAR(1000),
    db_payload_generation INTEGER DEFAULT '0' NOT NULL, trace_name VARCHAR(4096), session_id VARCHAR(250), input_tokens BIGINT, output_tokens BIGINT, total_tokens BIGINT, cache_read_input_tokens BIGINT, cache_creation_input_tokens BIGINT, cache_creation_input_tokens_above_1hr BIGINT, input_cost FLOAT, output_cost FLOAT, total_cost FLOAT,
    CONSTRAINT trace_info_pk PRIMARY KEY (request_id),
    CONSTRAINT fk_trace_info_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "trace_info" ("request_id", "experiment_id", "timestamp_ms", "execution_time_ms", "status", "client_request_id", "request_preview", "response_preview", "db_payload_generation", "trace_name", "session_id", "input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr", "input_cost", "output_cost", "total_cost") VALUES ('tr-1bd2464423e8400e64b28360f8f5ddff', 1, 1795290086371, 25, 'OK', NULL, '{"q": 1}', '{"a": 2}', 1, 'root', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE "experiment_tags" (
    "key" VARCHAR(250) NOT NULL,
    value TEXT,
    experiment_id INTEGER NOT NULL,
    CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id),
    FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "experiment_tags" ("key", "value", "experiment_id") VALUES ('team', 'supply', 1);
INSERT INTO "experiment_tags" ("key", "value", "experiment_id") VALUES ('note', 'line one
line two', 1);
CREATE TABLE "assessments" (
    assessment_id VARCHAR(50) NOT NULL,
    trace_id VARCHAR(50) NOT NULL,
    name VARCHAR(250) NOT NULL,
    assessment_type VARCHAR(20) NOT NULL,
    value TEXT NOT NULL,
    error TEXT,
    created_timestamp BIGINT NOT NULL,
    last_updated_timestamp BIGINT NOT NULL,
    source_type VARCHAR(50) NOT NULL,
    source_id VARCHAR(250),
    run_id VARCHAR(32),
    span_id VARCHAR(50),
    rationale TEXT,
    overrides VARCHAR(50),
    valid BOOLEAN NOT NULL,
    assessment_metadata TEXT,
    experiment_id INTEGER,
    trace_timestamp_ms BIGINT,
    aggregate_value FLOAT,
    is_numeric_value BOOLEAN DEFAULT 0 NOT NULL,
    CONSTRAINT assessments_pk PRIMARY KEY (assessment_id),
    CONSTRAINT fk_assessments_trace_id FOREIGN KEY(trace_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
INSERT INTO "assessments" ("assessment_id", "trace_id", "name", "assessment_type", "value", "error", "created_timestamp", "last_updated_timestamp", "source_type", "source_id", "run_id", "span_id", "rationale", "overrides", "valid", "assessment_metadata", "experiment_id", "trace_timestamp_ms", "aggregate_value", "is_numeric_value") VALUES ('a-2a163ca7602c4be388933d5d0a5e87b3', 'tr-1bd2464423e8400e64b28360f8f5ddff', 'quality', 'feedback', '0.8', NULL, 1795290087426, 1795290087426, 'CODE', 'default', NULL, NULL, NULL, NULL, 1, NULL, 1, 1795290086371, 0.8, 1);
CREATE TABLE "spans" (
    trace_id VARCHAR(50) NOT NULL,
    experiment_id INTEGER NOT NULL,
    span_id VARCHAR(50) NOT NULL,
    parent_span_id VARCHAR(50),
    name TEXT,
    type VARCHAR(500),
    status VARCHAR(50) NOT NULL,
    start_time_unix_nano BIGINT NOT NULL,
    end_time_unix_nano BIGINT,
    duration_ns BIGINT GENERATED ALWAYS AS (end_time_unix_nano - start_time_unix_nano) STORED,
    content TEXT NOT NULL,
    input_cost FLOAT,
    output_cost FLOAT,
    total_cost FLOAT,
    model_name VARCHAR(500),
    model_provider VARCHAR(500),
    CONSTRAINT spans_pk PRIMARY KEY (trace_id, span_id),
    CONSTRAINT fk_spans_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CONSTRAINT fk_spans_trace_id FOREIGN KEY(trace_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
INSERT INTO "spans" ("trace_id", "experiment_id", "span_id", "parent_span_id", "name", "type", "status", "start_time_unix_nano", "end_time_unix_nano", "content", "input_cost", "output_cost", "total_cost", "model_name", "model_provider") VALUES ('tr-1bd2464423e8400e64b28360f8f5ddff', 1, '44ab1e30aa0c9bee', '7dee0e59448c0b94', 'inner', 'UNKNOWN', 'OK', 1795290086395992884, 1795290086396145432, '{"trace_id": "G9JGRCPoQA5ksoNg+PXd/w==", "span_id": "RKseMKoMm+4=", "parent_span_id": "fe4OWUSMC5Q=", "name": "inner", "start_time_unix_nano": 1795290086395992884, "end_time_unix_nano": 1795290086396145432, "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""}, "attributes": {"mlflow.traceRequestId": "\"tr-1bd2464423e8400e64b28360f8f5ddff\"", "mlflow.spanType": "\"UNKNOWN\"", "k": "\"v\"", "mlflow.spanLogLevel": "10"}, "links": []}', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "spans" ("trace_id", "experiment_id", "span_id", "parent_span_id", "name", "type", "status", "start_time_unix_nano", "end_time_unix_nano", "content", "input_cost", "output_cost", "total_cost", "model_name", "model_provider") VALUES ('tr-1bd2464423e8400e64b28360f8f5ddff', 1, '7dee0e59448c0b94', NULL, 'root', 'UNKNOWN', 'OK', 1795290086371305332, 1795290086396217370, '{"trace_id": "G9JGRCPoQA5ksoNg+PXd/w==", "span_id": "fe4OWUSMC5Q=", "parent_span_id": null, "name": "root", "start_time_unix_nano": 1795290086371305332, "end_time_unix_nano": 1795290086396217370, "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""}, "attributes": {"mlflow.traceRequestId": "\"tr-1bd2464423e8400e64b28360f8f5ddff\"", "mlflow.spanType": "\"UNKNOWN\"", "mlflow.spanInputs": "{\"q\": 1}", "mlflow.spanOutputs": "{\"a\": 2}", "mlflow.spanLogLevel": "10"}, "links": []}', NULL, NULL, NULL, NULL, NULL);
