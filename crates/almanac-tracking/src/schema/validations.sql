-- What came of suites of expectations, run by run: one row for each table and suite. The report is JSON with an outcome for each expectation.

CREATE TABLE IF NOT EXISTS validations (
    validation_id {id},
    layer         TEXT  NOT NULL,
    table_name    TEXT  NOT NULL,
    suite         TEXT  NOT NULL,
    made          {int} NOT NULL,
    success       {int} NOT NULL,
    expectations  {int} NOT NULL,
    failed        {int} NOT NULL,
    row_count     {int} NOT NULL,
    report        TEXT  NOT NULL
);
CREATE INDEX IF NOT EXISTS validations_newest ON validations (layer, table_name, suite, made);
