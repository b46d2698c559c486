CREATE VIEW metric_values AS SELECT run_no, key, step, timestamp, is_nan, value FROM metrics;
