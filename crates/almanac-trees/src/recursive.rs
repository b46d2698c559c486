//! Recursive forecasts: a model of the next step, whose forecast is appended to the history before the step after it is asked for.
//!
//! All series take a step together, so that the trees see many rows at once.

use rayon::prelude::*;

use crate::fitted::Fitted;
use crate::forecast::{Alive, Asked};
use crate::global::Trees;

impl<T: Trees> Fitted<T> {
    /// Returns `n_series × steps` forecasts in units of `y`. The series are left with what was appended.
    pub(crate) fn recursive(&self, alive: &mut [Alive<'_>], steps: usize) -> Result<Vec<f64>, T::Error> {
        let mut all = vec![0.0; alive.len() * steps];
        for step in 0..steps {
            let made: Vec<(Vec<f32>, Asked<'_>)> = alive
                .par_iter()
                .map(|alive| {
                    let mut row = Vec::new();
                    let asked = alive.ask(1, &mut row);
                    (row, asked)
                })
                .collect();
            let (mut rows, mut asked) = (Vec::with_capacity(made.iter().map(|(row, _)| row.len()).sum()), Vec::with_capacity(made.len()));
            for (row, of) in made {
                rows.extend_from_slice(&row);
                asked.push(of);
            }
            let said = self.say(|role| role.reach.recursive, &rows, &asked)?;
            alive.par_iter_mut().zip(&said).for_each(|(alive, said)| alive.features.push(*said));
            for (series, said) in said.into_iter().enumerate() {
                all[series * steps + step] = said;
            }
        }
        Ok(all)
    }
}
