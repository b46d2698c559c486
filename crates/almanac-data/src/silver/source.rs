//! The columns of an input found by name and checked against their roles, before the first row is read.
//!
//! Not here: their values (`collect`).

use almanac_series::Freq;
use arrow::datatypes::{DataType, SchemaRef};

use super::collect::Collector;
use super::columns::{TimeKind, time_kind};
use super::schema::{ExogKind, ExogRole, StaticKind};
use super::{SilverError, SilverSpec};

/// Where the columns of one input are.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) ahead: bool,
    pub(super) ids: Vec<usize>,
    pub(super) time: usize,
    pub(super) target: Option<usize>,
    pub(super) in_stock: Option<usize>,
    pub(super) exog: Vec<Option<usize>>,
    pub(super) statics: Vec<Option<usize>>,
    pub(super) file: Option<usize>,
    pub(super) row: Option<usize>,
}

impl Collector {
    /// Finds the columns of an input and checks their types.
    pub(super) fn open(&mut self, schema: &SchemaRef, ahead: bool) -> Result<Source, SilverError> {
        let find = |name: &str| {
            schema.index_of(name).map_err(|_| SilverError::NoSuchColumn {
                column: name.to_owned(),
                available: schema.fields().iter().map(|field| field.name().clone()).collect(),
            })
        };
        let optional = |name: &str| schema.index_of(name).ok();
        let refuse = |index: usize, role, expected| SilverError::ColumnType {
            column: schema.field(index).name().clone(),
            role,
            got: schema.field(index).data_type().to_string(),
            expected,
        };
        let time = find(&self.spec.time)?;
        let kind = time_kind(schema.field(time).data_type()).ok_or_else(|| refuse(time, "the time", "dates, timestamps or integers"))?;
        let calendar = self.spec.freq.is_some_and(Freq::has_calendar);
        if kind != TimeKind::Integer && self.spec.freq == Some(Freq::Step) {
            return Err(SilverError::StepsOfDates { column: self.spec.time.clone() });
        }
        let kind = if kind == TimeKind::Integer && calendar { TimeKind::Naive } else { kind };
        match &self.time_kind {
            Some(known) if *known != kind => return Err(refuse(time, "the time", "the same type in both tables")),
            _ => self.time_kind = Some(kind),
        }
        let target = if ahead { None } else { Some(find(&self.spec.target)?) };
        if let Some(target) = target
            && !is_number(schema.field(target).data_type())
        {
            return Err(refuse(target, "the target", "numbers"));
        }
        let in_stock = match &self.spec.in_stock {
            Some(name) if !ahead => Some(find(name)?),
            _ => None,
        };
        let mut exog = Vec::new();
        for column in &mut self.exog {
            let index = match (ahead, column.role) {
                (false, _) => Some(find(&column.name)?),
                (true, ExogRole::Future) => optional(&column.name),
                (true, ExogRole::Historic) => None,
            };
            if let Some(index) = index {
                let kind = column_kind(schema.field(index).data_type())
                    .ok_or_else(|| refuse(index, "an exogenous column", "numbers, dates or texts"))?;
                let number = |kind| matches!(kind, ExogKind::Number | ExogKind::Flag);
                match column.kind {
                    // A column without a single value says nothing of its type.
                    _ if *schema.field(index).data_type() == DataType::Null => {}
                    // A text column without a single text looks like numbers; `exog_values` sees whether it has any.
                    Some(ExogKind::Category) if ahead && kind == ExogKind::Number => {}
                    Some(known) if known != kind && !(number(known) && number(kind)) => {
                        return Err(refuse(index, "an exogenous column", "the same type in both tables"));
                    }
                    Some(_) => {}
                    None => column.kind = Some(kind),
                }
            }
            exog.push(index);
        }
        let mut statics = Vec::new();
        for column in &mut self.statics {
            let index = match (column.id, ahead) {
                (Some(_), _) => None,
                (None, true) => optional(&column.name),
                (None, false) => Some(find(&column.name)?),
            };
            if let Some(index) = index {
                let kind = if is_number(schema.field(index).data_type()) && *schema.field(index).data_type() != DataType::Boolean {
                    StaticKind::Number
                } else {
                    StaticKind::Category
                };
                let known = *column.kind.get_or_insert(kind);
                if known != kind && !(ahead && known == StaticKind::Category) {
                    return Err(refuse(index, "a static column", "the same type in both tables"));
                }
            }
            statics.push(index);
        }
        let ids = self.spec.id.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
        Ok(Source { ahead, ids, time, target, in_stock, exog, statics, file: optional("_file"), row: optional("_row") })
    }
}

/// Refuses a column with two roles that exclude each other.
pub(super) fn check_roles(spec: &SilverSpec) -> Result<(), SilverError> {
    let mut taken: Vec<(&str, &'static str)> = vec![(&spec.time, "the time"), (&spec.target, "the target")];
    let both = |column: &str, first, second| SilverError::TwoRoles { column: column.to_owned(), first, second };
    if spec.time == spec.target {
        return Err(both(&spec.time, "the time", "the target"));
    }
    for (names, role) in [(&spec.id, "an id"), (&spec.historic, "historic"), (&spec.future, "known ahead")] {
        for name in names {
            if let Some((_, first)) = taken.iter().find(|(known, first)| known == name && !(*first == "an id" && role != "an id")) {
                return Err(both(name, first, role));
            }
            taken.push((name, role));
        }
    }
    match spec.statics.iter().find(|name| **name == spec.time || **name == spec.target) {
        Some(name) => Err(both(name, "static", "the time or the target")),
        None => Ok(()),
    }
}

pub(super) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric() || matches!(other, DataType::Boolean | DataType::Null),
    }
}

fn column_kind(data_type: &DataType) -> Option<ExogKind> {
    Some(match data_type {
        DataType::Boolean => ExogKind::Flag,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => ExogKind::Date,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ExogKind::Category,
        DataType::Dictionary(_, values) => return column_kind(values),
        number if is_number(number) => ExogKind::Number,
        _ => return None,
    })
}
