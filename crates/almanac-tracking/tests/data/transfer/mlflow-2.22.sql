-- Written by the client of MLflow 2.22.5; the tables that are read.
PRAGMA foreign_keys = OFF;
CREATE TABLE experiments (
    experiment_id INTEGER NOT NULL,
    name VARCHAR(256) NOT NULL,
    artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT,
    CONSTRAINT experiment_pk PRIMARY KEY (experiment_id),
    CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    UNIQUE (name)
);
INSERT INTO "experiments" ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time") VALUES (0, 'Default', '/home/me/mlruns/0', 'active', 1795290163509, 1795290163509);
INSERT INTO "experiments" ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time") VALUES (1, 'demand', '/home/me/mlruns/1', 'active', 1795290163511, 1795290163511);
INSERT INTO "experiments" ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time") VALUES (2, 'gone', '/home/me/mlruns/2', 'deleted', 1795290163515, 1795290163587);
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" ("version_num") VALUES ('0584bdc529eb');
CREATE TABLE experiment_tags (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(5000),
    experiment_id INTEGER NOT NULL,
    CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id),
    FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "experiment_tags" ("key", "value", "experiment_id") VALUES ('team', 'supply', 1);
INSERT INTO "experiment_tags" ("key", "value", "experiment_id") VALUES ('note', 'line one
line two', 1);
CREATE TABLE registered_models (
    name VARCHAR(256) NOT NULL,
    creation_time BIGINT,
    last_updated_time BIGINT,
    description VARCHAR(5000),
    CONSTRAINT registered_model_pk PRIMARY KEY (name),
    UNIQUE (name)
);
INSERT INTO "registered_models" ("name", "creation_time", "last_updated_time", "description") VALUES ('demand-net', 1795290163597, 1795290163794, 'the net');
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
    CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
    FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('ec2f1a7342774b518341e8c8e717e6db', 'parent', 'UNKNOWN', '', '', 'unknown', 'FINISHED', 1700000000000, 1700000005000, '', 'active', '/home/me/mlruns/1/ec2f1a7342774b518341e8c8e717e6db/artifacts', 1, NULL);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('0691f4b8999348e78b6d932141be0f1e', 'child', 'UNKNOWN', '', '', 'unknown', 'FAILED', 1700000001000, 1700000006000, '', 'active', '/home/me/mlruns/1/0691f4b8999348e78b6d932141be0f1e/artifacts', 1, NULL);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('cb13e9cbf65344d98310a352725efb45', 'dead', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1700000002000, NULL, '', 'deleted', '/home/me/mlruns/1/cb13e9cbf65344d98310a352725efb45/artifacts', 1, 1795290163582);
INSERT INTO "runs" ("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time", "end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time") VALUES ('3b6ff8a7862a4dda87906991877f1acf', 'in gone', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1700000003000, NULL, '', 'deleted', '/home/me/mlruns/2/3b6ff8a7862a4dda87906991877f1acf/artifacts', 2, 1795290163588);
CREATE TABLE registered_model_tags (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(5000),
    name VARCHAR(256) NOT NULL,
    CONSTRAINT registered_model_tag_pk PRIMARY KEY ("key", name),
    FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE cascade
);
INSERT INTO "registered_model_tags" ("key", "value", "name") VALUES ('k', 'v', 'demand-net');
CREATE TABLE model_version_tags (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(5000),
    name VARCHAR(256) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT model_version_tag_pk PRIMARY KEY ("key", name, version),
    FOREIGN KEY(name, version) REFERENCES model_versions (name, version) ON UPDATE cascade
);
INSERT INTO "model_version_tags" ("key", "value", "name", "version") VALUES ('vt', '1', 'demand-net', 1);
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
    run_link VARCHAR(500), storage_location VARCHAR(500),
    CONSTRAINT model_version_pk PRIMARY KEY (name, version),
    FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" ("name", "version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source", "run_id", "status", "status_message", "run_link", "storage_location") VALUES ('demand-net', 1, 1795290163604, 1795290163794, 'first', NULL, 'Staging', '/home/me/mlruns/1/ec2f1a7342774b518341e8c8e717e6db/artifacts/docs', 'ec2f1a7342774b518341e8c8e717e6db', 'READY', NULL, NULL, '/home/me/mlruns/1/ec2f1a7342774b518341e8c8e717e6db/artifacts/docs');
INSERT INTO "model_versions" ("name", "version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source", "run_id", "status", "status_message", "run_link", "storage_location") VALUES ('demand-net', 2, 1795290163772, 1795290163772, NULL, NULL, 'None', '/home/me/mlruns/1/ec2f1a7342774b518341e8c8e717e6db/artifacts/docs', 'ec2f1a7342774b518341e8c8e717e6db', 'READY', NULL, NULL, '/home/me/mlruns/1/ec2f1a7342774b518341e8c8e717e6db/artifacts/docs');
INSERT INTO "model_versions" ("name", "version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source", "run_id", "status", "status_message", "run_link", "storage_location") VALUES ('demand-net', 3, 1795290163775, 1795290163783, NULL, NULL, 'Deleted_Internal', 'REDACTED-SOURCE-PATH', 'REDACTED-RUN-ID', 'READY', NULL, 'REDACTED-RUN-LINK', '/home/me/mlruns/1/ec2f1a7342774b518341e8c8e717e6db/artifacts/docs');
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
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('loss', 0.2, 1700000000004, 4, 0, 'ec2f1a7342774b518341e8c8e717e6db');
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('odd', 1.7976931348623157e+308, 1700000000002, 1, 0, 'ec2f1a7342774b518341e8c8e717e6db');
INSERT INTO "latest_metrics" ("key", "value", "timestamp", "step", "is_nan", "run_uuid") VALUES ('nested/metric', -1e-07, 1700000000003, 0, 0, 'ec2f1a7342774b518341e8c8e717e6db');
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
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 1.0, 1700000000000, 'ec2f1a7342774b518341e8c8e717e6db', 0, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.5, 1700000000001, 'ec2f1a7342774b518341e8c8e717e6db', 1, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.3333333333333333, 1700000000002, 'ec2f1a7342774b518341e8c8e717e6db', 2, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.25, 1700000000003, 'ec2f1a7342774b518341e8c8e717e6db', 3, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('loss', 0.2, 1700000000004, 'ec2f1a7342774b518341e8c8e717e6db', 4, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('odd', 0.0, 1700000000001, 'ec2f1a7342774b518341e8c8e717e6db', 0, 1);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('odd', 1.7976931348623157e+308, 1700000000002, 'ec2f1a7342774b518341e8c8e717e6db', 1, 0);
INSERT INTO "metrics" ("key", "value", "timestamp", "run_uuid", "step", "is_nan") VALUES ('nested/metric', -1e-07, 1700000000003, 'ec2f1a7342774b518341e8c8e717e6db', 0, 0);
CREATE TABLE registered_model_aliases (
    alias VARCHAR(256) NOT NULL,
    version INTEGER NOT NULL,
    name VARCHAR(256) NOT NULL,
    CONSTRAINT registered_model_alias_pk PRIMARY KEY (name, alias),
    CONSTRAINT registered_model_alias_name_fkey FOREIGN KEY(name) REFERENCES registered_models (name) ON DELETE cascade ON UPDATE cascade
);
INSERT INTO "registered_model_aliases" ("alias", "version", "name") VALUES ('champion', 2, 'demand-net');
CREATE TABLE inputs (
    input_uuid VARCHAR(36) NOT NULL,
    source_type VARCHAR(36) NOT NULL,
    source_id VARCHAR(36) NOT NULL,
    destination_type VARCHAR(36) NOT NULL,
    destination_id VARCHAR(36) NOT NULL,
    CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" ("input_uuid", "source_type", "source_id", "destination_type", "destination_id") VALUES ('7fe5edda841b4ec2bbbb194d72782168', 'DATASET', 'c758e9cf913447d980e5bdb0d0a17bf0', 'RUN', 'ec2f1a7342774b518341e8c8e717e6db');
CREATE TABLE input_tags (
    input_uuid VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(500) NOT NULL,
    CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" ("input_uuid", "name", "value") VALUES ('7fe5edda841b4ec2bbbb194d72782168', 'mlflow.data.context', 'training');
CREATE TABLE "params" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000) NOT NULL,
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" ("key", "value", "run_uuid") VALUES ('alpha', '0.5', 'ec2f1a7342774b518341e8c8e717e6db');
INSERT INTO "params" ("key", "value", "run_uuid") VALUES ('nested/key', 'multi
line é', 'ec2f1a7342774b518341e8c8e717e6db');
CREATE TABLE trace_info (
    request_id VARCHAR(50) NOT NULL,
    experiment_id INTEGER NOT NULL,
    timestamp_ms BIGINT NOT NULL,
    execution_time_ms BIGINT,
    status VARCHAR(50) NOT NULL,
    CONSTRAINT trace_info_pk PRIMARY KEY (request_id),
    CONSTRAINT fk_trace_info_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "trace_info" ("request_id", "experiment_id", "timestamp_ms", "execution_time_ms", "status") VALUES ('fad6ae5c77c740939507cb7e24c06796', 1, 1795290163802, NULL, 'IN_PROGRESS');
CREATE TABLE "trace_tags" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    request_id VARCHAR(50) NOT NULL,
    CONSTRAINT trace_tag_pk PRIMARY KEY ("key", request_id),
    CONSTRAINT fk_trace_tags_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('mlflow.source.name', 'train.py', 'fad6ae5c77c740939507cb7e24c06796');
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('mlflow.source.type', 'LOCAL', 'fad6ae5c77c740939507cb7e24c06796');
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('mlflow.traceName', 'root', 'fad6ae5c77c740939507cb7e24c06796');
INSERT INTO "trace_tags" ("key", "value", "request_id") VALUES ('mlflow.artifactLocation', '/home/me/mlruns/1/traces/fad6ae5c77c740939507cb7e24c06796/artifacts', 'fad6ae5c77c740939507cb7e24c06796');
CREATE TABLE "trace_request_metadata" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    request_id VARCHAR(50) NOT NULL,
    CONSTRAINT trace_request_metadata_pk PRIMARY KEY ("key", request_id),
    CONSTRAINT fk_trace_request_metadata_request_id FOREIGN KEY(request_id) REFERENCES trace_info (request_id) ON DELETE CASCADE
);
INSERT INTO "trace_request_metadata" ("key", "value", "request_id") VALUES ('mlflow.trace_schema.version', '2', 'fad6ae5c77c740939507cb7e24c06796');
CREATE TABLE "tags" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('colour', 'blue', 'ec2f1a7342774b518341e8c8e717e6db');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'parent', 'ec2f1a7342774b518341e8c8e717e6db');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.parentRunId', 'ec2f1a7342774b518341e8c8e717e6db', '0691f4b8999348e78b6d932141be0f1e');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'child', '0691f4b8999348e78b6d932141be0f1e');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'dead', 'cb13e9cbf65344d98310a352725efb45');
INSERT INTO "tags" ("key", "value", "run_uuid") VALUES ('mlflow.runName', 'in gone', '3b6ff8a7862a4dda87906991877f1acf');
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
INSERT INTO "datasets" ("dataset_uuid", "experiment_id", "name", "digest", "dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile") VALUES ('c758e9cf913447d980e5bdb0d0a17bf0', 1, 'sales', 'abc123', 'local', '{"uri": "sales.csv"}', '{"x": 1}', NULL);
