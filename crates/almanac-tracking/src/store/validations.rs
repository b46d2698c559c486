//! The history of validations: what came of each suite of expectations, and when.

use super::TrackingStore;
use crate::db::{Row, args};
use crate::{Millis, NewValidation, RecordedValidation, StoreError};

/// Validations kept for each table and suite; older ones go when new ones come.
const KEPT: i64 = 500;

const COLUMNS: &str = "validation_id, layer, table_name, suite, made, success, expectations, failed, row_count";

impl TrackingStore {
    /// Keeps what came of a suite, and lets the oldest go beyond 500 of the same table and suite.
    pub fn record_validation(&self, new: &NewValidation, made: Millis) -> Result<(), StoreError> {
        let insert = "INSERT INTO validations (layer, table_name, suite, made, success, expectations, failed, row_count, report)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let trim = "DELETE FROM validations WHERE layer = ?1 AND table_name = ?2 AND suite = ?3 AND validation_id <=
                    (SELECT validation_id FROM validations WHERE layer = ?1 AND table_name = ?2 AND suite = ?3
                     ORDER BY validation_id DESC LIMIT 1 OFFSET ?4)";
        self.db.write(|session| {
            let success = i64::from(new.success);
            session.execute(
                insert,
                args![&new.layer, &new.table, &new.suite, made.0, success, new.expectations, new.failed, new.rows, &new.report],
            )?;
            session.execute(trim, args![&new.layer, &new.table, &new.suite, KEPT])?;
            Ok(())
        })
    }

    /// Returns the newest validations, newest first, without their reports.
    pub fn validations(&self, limit: i64) -> Result<Vec<RecordedValidation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM validations ORDER BY made DESC, validation_id DESC LIMIT ?1");
        self.db.read(|session| session.all(&sql, args![limit], recorded))
    }

    /// Returns the report of a validation as JSON, if it is there.
    pub fn validation_report(&self, id: i64) -> Result<Option<(RecordedValidation, String)>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, report FROM validations WHERE validation_id = ?1");
        self.db.read(|session| session.first(&sql, args![id], |row| Ok((recorded(row)?, row.text(9)?))))
    }
}

fn recorded(row: &dyn Row) -> Result<RecordedValidation, StoreError> {
    Ok(RecordedValidation {
        id: row.int(0)?,
        layer: row.text(1)?,
        table: row.text(2)?,
        suite: row.text(3)?,
        made: Millis(row.int(4)?),
        success: row.int(5)? != 0,
        expectations: row.int(6)?,
        failed: row.int(7)?,
        rows: row.int(8)?,
    })
}
