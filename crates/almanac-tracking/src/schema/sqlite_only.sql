-- Metrics as they come in, in the order of their coming: a batch of a hundred metrics touches one page here, and a hundred in
-- `metrics`. They are moved there many at a time.
CREATE TABLE new_metrics (
    run_no    INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    key       TEXT    NOT NULL,
    step      INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    is_nan    INTEGER NOT NULL,
    value     REAL    NOT NULL
);
CREATE INDEX new_metrics_of_run ON new_metrics (run_no);

CREATE VIEW metric_values AS
SELECT run_no, key, step, timestamp, is_nan, value FROM metrics
UNION
SELECT run_no, key, step, timestamp, is_nan, value FROM new_metrics;
