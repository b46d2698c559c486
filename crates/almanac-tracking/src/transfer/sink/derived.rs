//! What follows from rows: the latest value of each metric, the last number of each model; and rows whose number clients know.

use std::collections::HashMap;

use super::{Batch, key_of, tables};
use crate::StoreError;
use crate::db::{Dialect, Insert, args};
use crate::transfer::tables::{Cell, Record, Table};

const LATEST: Insert = Insert {
    head: "INSERT INTO latest_metrics (experiment_id, key, run_no, step, timestamp, is_nan, value)",
    columns: 7,
    tail: "ON CONFLICT (experiment_id, key, run_no) DO UPDATE SET
               step = excluded.step, timestamp = excluded.timestamp, is_nan = excluded.is_nan, value = excluded.value
           WHERE (excluded.step, excluded.timestamp, excluded.value)
               > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
};

/// Step, timestamp and value: the greatest is the latest. Then whether it is NaN.
type Measured = (i64, i64, f64, i64);

impl Batch<'_, '_> {
    /// Brings up to date what follows from the rows of a table.
    pub(super) fn write_derived(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        match table.name.as_str() {
            "metrics" => self.write_latest(table, records),
            "model_versions" => self.write_last_versions(table, records),
            _ => Ok(()),
        }
    }

    fn write_latest(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        let [run, key, step, time, is_nan, value] =
            ["run_no", "key", "step", "timestamp", "is_nan", "value"].map(|column| table.place(column).expect("in the schema"));
        let runs = tables().iter().position(|table| table.name == "runs").expect("in the schema");
        let mut latest: HashMap<(i64, i64, &str), Measured> = HashMap::new();
        for record in records {
            let cells = &record.cells;
            let (Cell::Text(key), Cell::Int(step), Cell::Int(time), Cell::Int(is_nan), Cell::Real(value)) =
                (&cells[key], &cells[step], &cells[time], &cells[is_nan], &cells[value])
            else {
                continue;
            };
            // A run that is not there was reported with the row.
            let Some(number) = self.number(runs, &cells[run])? else { continue };
            let measured = (*step, *time, *value, *is_nan);
            let best = latest.entry((number.experiment, number.own, key)).or_insert(measured);
            if (best.0, best.1, best.2) < (measured.0, measured.1, measured.2) {
                *best = measured;
            }
        }
        let mut values = Vec::with_capacity(latest.len() * LATEST.columns);
        for ((experiment, run, key), (step, time, value, is_nan)) in latest {
            values.extend_from_slice(args![experiment, key, run, step, time, is_nan, value]);
        }
        self.session.insert(LATEST, &values)
    }

    /// Numbers of versions are never used again, also if the last ones were deleted.
    fn write_last_versions(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        let [name, version] = ["name", "version"].map(|column| table.place(column).expect("in the schema"));
        let mut last: HashMap<&str, i64> = HashMap::new();
        for record in records {
            if let (Cell::Text(name), Cell::Int(version)) = (&record.cells[name], &record.cells[version]) {
                let best = last.entry(name).or_insert(*version);
                *best = (*best).max(*version);
            }
        }
        for (name, version) in last {
            let sql = "UPDATE registered_models SET last_version = ?2 WHERE name = ?1 AND last_version < ?2";
            self.session.execute(sql, args![name, version])?;
        }
        Ok(())
    }

    /// Writes rows whose number clients know: it is kept if it is free.
    pub(super) fn write_numbered(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        let place = table.known_number.expect("asked by the caller");
        let column = table.number.as_deref().expect("known numbers are numbers");
        for record in records {
            let Cell::Int(wanted) = record.cells[place] else {
                self.skip(record, format!("`{column}` is missing"));
                continue;
            };
            if table.name == "experiments" {
                self.take_over_default(table, record, wanted)?;
            }
            let sql = format!("SELECT count(*) FROM {} WHERE {column} = ?1", table.name);
            let is_taken = self.session.first(&sql, args![wanted], |row| row.int(0))? != Some(0);
            let cells: Vec<Cell> = table.key.iter().map(|place| record.cells[*place].clone()).collect();
            let is_there = self.find(table, &cells)?.is_some();
            if !is_taken || is_there {
                self.write_rows(table, std::slice::from_ref(record))?;
                continue;
            }
            let sql = format!("SELECT CAST(max({column}) AS BIGINT) + 1 FROM {}", table.name);
            let number = self.session.first(&sql, args![], |row| row.int(0))?.unwrap_or(1);
            let mut moved = record.clone();
            moved.cells[place] = Cell::Int(number);
            if table.name == "experiments" {
                move_location(table, &mut moved, wanted, number);
                self.outcome.report.renumbered.push((key_of(table, record), wanted, number));
            }
            self.write_rows(table, &[moved])?;
        }
        if self.session.dialect() == Dialect::Postgres {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{0}', '{column}'), greatest((SELECT max({column}) FROM {0}), 1))",
                table.name
            );
            self.session.query(&sql, args![], &mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// The experiment that every new store makes by itself becomes that of the source, if it is younger and was never used.
    fn take_over_default(&mut self, table: &Table, record: &Record, wanted: i64) -> Result<(), StoreError> {
        let cell = |column: &str| &record.cells[table.place(column).expect("in the schema")];
        let (Cell::Text(name), Cell::Text(location), Cell::Text(stage), Cell::Int(created), Cell::Int(updated)) =
            (cell("name"), cell("artifact_location"), cell("lifecycle_stage"), cell("creation_time"), cell("last_update_time"))
        else {
            return Ok(());
        };
        if wanted != 0 {
            return Ok(());
        }
        let sql =
            "UPDATE experiments SET name = ?1, artifact_location = ?2, lifecycle_stage = ?3, creation_time = ?4, last_update_time = ?5
                   WHERE experiment_id = 0 AND name = 'Default' AND creation_time = last_update_time AND creation_time > ?4
                   AND NOT EXISTS (SELECT 1 FROM runs WHERE experiment_id = 0)
                   AND NOT EXISTS (SELECT 1 FROM logged_models WHERE experiment_id = 0)
                   AND NOT EXISTS (SELECT 1 FROM traces WHERE experiment_id = 0)
                   AND NOT EXISTS (SELECT 1 FROM experiment_tags WHERE experiment_id = 0)
                   AND NOT EXISTS (SELECT 1 FROM experiments AS others WHERE others.name = ?1 AND others.experiment_id <> 0)";
        self.session.execute(sql, args![name, location, stage, *created, *updated]).map(|_| ())
    }
}

/// A location that holds the number follows it.
fn move_location(table: &Table, record: &mut Record, from: i64, to: i64) {
    let place = table.place("artifact_location").expect("in the schema");
    if record.cells[place] == Cell::Text(format!("mlflow-artifacts:/{from}")) {
        record.cells[place] = Cell::Text(format!("mlflow-artifacts:/{to}"));
    }
}
