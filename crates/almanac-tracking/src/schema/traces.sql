-- Traces, their spans, and what was said about them.

CREATE TABLE traces (
    trace_no           {id},
    trace_id           TEXT  NOT NULL UNIQUE,
    experiment_id      {int} NOT NULL REFERENCES experiments ON DELETE CASCADE,
    request_time       {int} NOT NULL,
    execution_duration {int},
    state              TEXT  NOT NULL CHECK (state IN ('STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS')),
    client_request_id  TEXT,
    request_preview    TEXT,
    response_preview   TEXT
);
CREATE INDEX traces_newest ON traces (experiment_id, request_time DESC, trace_id);

CREATE TABLE trace_tags (
    trace_no {int} NOT NULL REFERENCES traces ON DELETE CASCADE,
    key      TEXT  NOT NULL,
    value    TEXT  NOT NULL,
    PRIMARY KEY (trace_no, key)
) {clustered};

CREATE TABLE trace_metadata (
    trace_no {int} NOT NULL REFERENCES traces ON DELETE CASCADE,
    key      TEXT  NOT NULL,
    value    TEXT  NOT NULL,
    PRIMARY KEY (trace_no, key)
) {clustered};

-- `content` is the span as JSON of OpenTelemetry, as it is handed out. `usage` and `cost` are the span's own tokens and
-- dollars, a JSON object, from which those of the trace are summed. Times are nanoseconds since 1970.
CREATE TABLE trace_spans (
    trace_no   {int} NOT NULL REFERENCES traces ON DELETE CASCADE,
    span_id    TEXT  NOT NULL,
    parent_id  TEXT,
    name       TEXT  NOT NULL,
    type       TEXT,
    status     TEXT  NOT NULL CHECK (status IN ('UNSET', 'OK', 'ERROR')),
    start_time {int} NOT NULL,
    end_time   {int},
    usage      TEXT,
    cost       TEXT,
    content    TEXT  NOT NULL,
    PRIMARY KEY (trace_no, span_id)
);

CREATE TABLE trace_runs (
    run_no   {int} NOT NULL REFERENCES runs ON DELETE CASCADE,
    trace_no {int} NOT NULL REFERENCES traces ON DELETE CASCADE,
    PRIMARY KEY (run_no, trace_no)
) {clustered};
CREATE INDEX trace_runs_of_trace ON trace_runs (trace_no);

-- `prompt` is `name/version`. The prompt need not be known.
CREATE TABLE trace_prompts (
    trace_no {int} NOT NULL REFERENCES traces ON DELETE CASCADE,
    prompt   TEXT  NOT NULL,
    PRIMARY KEY (trace_no, prompt)
) {clustered};

-- `value`, `error` and `metadata` are JSON; `number` is the value where it is a finite number.
CREATE TABLE assessments (
    trace_no          {int} NOT NULL REFERENCES traces ON DELETE CASCADE,
    assessment_id     TEXT  NOT NULL,
    name              TEXT  NOT NULL,
    kind              TEXT  NOT NULL CHECK (kind IN ('feedback', 'expectation', 'issue')),
    value             TEXT  NOT NULL,
    number            {real},
    error             TEXT,
    source_type       TEXT  NOT NULL,
    source_id         TEXT,
    span_id           TEXT,
    rationale         TEXT,
    metadata          TEXT,
    overrides         TEXT,
    is_valid          {int} NOT NULL,
    creation_time     {int} NOT NULL,
    last_updated_time {int} NOT NULL,
    PRIMARY KEY (trace_no, assessment_id)
);
