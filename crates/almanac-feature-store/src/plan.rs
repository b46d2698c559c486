//! Which columns of a source the wanted features of a view need, and what is made of them.

use crate::FeatureError;
use crate::clock::Micros;
use crate::declaration::{Compute, Corrections, Expression, Function, Kind, View};

/// A field to be made.
#[derive(Debug, Clone)]
pub(crate) struct PlannedField {
    pub(crate) name: String,
    pub(crate) compute: Compute,
    /// Place of its column among [`Plan::columns`].
    pub(crate) column: Option<usize>,
}

/// What the caller gets.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// A field.
    Field(usize),
    /// A calculation over fields.
    Derived { name: String, expression: Expression },
}

/// The wanted features of one view.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) view: String,
    /// Columns of the source, each once, and what they are declared to be.
    pub(crate) columns: Vec<(String, Option<Kind>)>,
    pub(crate) fields: Vec<PlannedField>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) ttl: Option<Micros>,
    pub(crate) corrections: Corrections,
    pub(crate) longest_window: Micros,
}

impl Plan {
    /// Plans all features of a view.
    pub(crate) fn whole(view: &View) -> Self {
        let names: Vec<&str> = view.features().collect();
        Self::new(view, &names)
    }

    /// Plans some features of a view; names that it does not have are left out, for they are checked where they come from.
    pub(crate) fn new(view: &View, wanted: &[&str]) -> Self {
        let mut plan = Self {
            view: view.name.clone(),
            columns: Vec::new(),
            fields: Vec::new(),
            outputs: Vec::new(),
            ttl: view.ttl,
            corrections: view.corrections,
            longest_window: view.longest_window(),
        };
        for name in wanted {
            if let Some(derived) = view.derived.iter().find(|derived| derived.name == *name) {
                derived.expression.names().into_iter().for_each(|input| {
                    plan.add(view, input);
                });
                plan.outputs.push(Output::Derived { name: derived.name.clone(), expression: derived.expression.clone() });
            } else if let Some(field) = plan.add(view, name) {
                plan.outputs.push(Output::Field(field));
            }
        }
        plan
    }

    fn add(&mut self, view: &View, name: &str) -> Option<usize> {
        if let Some(known) = self.position(name) {
            return Some(known);
        }
        let field = view.fields.iter().find(|field| field.name == name)?;
        let column = field.column.as_ref().map(|column| {
            self.columns.iter().position(|(other, _)| other == column).unwrap_or_else(|| {
                self.columns.push((column.clone(), field.kind));
                self.columns.len() - 1
            })
        });
        self.fields.push(PlannedField { name: name.to_owned(), compute: field.compute.clone(), column });
        Some(self.fields.len() - 1)
    }

    /// Returns the place of a field.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Returns the name of an output.
    pub(crate) fn name(&self, output: usize) -> &str {
        match &self.outputs[output] {
            Output::Field(field) => &self.fields[*field].name,
            Output::Derived { name, .. } => name,
        }
    }

    /// Returns what the values of a field are, given those of the columns.
    pub(crate) fn kind(&self, field: usize, columns: &[Kind]) -> Kind {
        let field = &self.fields[field];
        let of_column = field.column.map_or(Kind::Int, |column| columns[column]);
        match field.compute {
            Compute::Window { function: Function::Count | Function::Distinct, .. } => Kind::Int,
            Compute::Window { function: Function::Sum | Function::Mean, .. } => Kind::Real,
            Compute::Latest | Compute::Window { .. } => of_column,
        }
    }

    /// Checks that one can calculate with the columns that are calculated with.
    ///
    /// # Errors
    /// [`FeatureError::WrongType`].
    pub(crate) fn check(&self, columns: &[Kind]) -> Result<(), FeatureError> {
        let wrong = |name: &str, found: Kind| FeatureError::WrongType {
            place: format!("feature view `{}`", self.view),
            column: name.to_owned(),
            found: found.name().to_owned(),
            wanted: "a number".to_owned(),
        };
        for field in &self.fields {
            if let (Compute::Window { function: Function::Sum | Function::Mean, .. }, Some(column)) = (&field.compute, field.column)
                && !columns[column].is_number()
            {
                return Err(wrong(&self.columns[column].0, columns[column]));
            }
            if let (Compute::Window { function: Function::Min | Function::Max | Function::Distinct, .. }, Some(column)) =
                (&field.compute, field.column)
                && columns[column].item().is_some()
            {
                return Err(FeatureError::WrongType {
                    place: format!("feature view `{}`", self.view),
                    column: self.columns[column].0.clone(),
                    found: format!("a list (`{}`)", columns[column].name()),
                    wanted: "a single value".to_owned(),
                });
            }
        }
        for output in &self.outputs {
            let Output::Derived { expression, .. } = output else { continue };
            for name in expression.names() {
                let kind = self.position(name).map_or(Kind::Real, |field| self.kind(field, columns));
                if !kind.is_number() && kind != Kind::Bool {
                    return Err(wrong(name, kind));
                }
            }
        }
        Ok(())
    }
}
