//! Levels above the series, from attributes that nest in one another.
//!
//! `region > store` nests if every store has one region. Two chains that together tell the series apart are crossed, so that
//! `state/store` and `category/department` also give state by category, and so on.

use std::collections::HashMap;

use crate::sketch::NULL_CODE;

/// An attribute, with its code for each series.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) codes: Vec<u32>,
    pub(crate) is_id: bool,
}

impl Attribute {
    fn distinct(&self) -> usize {
        let mut codes = self.codes.clone();
        codes.sort_unstable();
        codes.dedup();
        codes.len()
    }

    /// Whether each of its values has one value of `upper`.
    fn nests_in(&self, upper: &Self) -> bool {
        let mut seen: HashMap<u32, u32> = HashMap::new();
        self.codes.iter().zip(&upper.codes).all(|(mine, theirs)| *seen.entry(*mine).or_insert(*theirs) == *theirs)
    }
}

/// Returns paths from the top down, every prefix of which is a level.
pub(crate) fn paths(attributes: &[Attribute], series: usize) -> Vec<String> {
    let usable = |attribute: &&Attribute| {
        let distinct = attribute.distinct();
        distinct >= 2 && (distinct < series || attribute.is_id) && !attribute.codes.contains(&NULL_CODE)
    };
    let mut rest: Vec<&Attribute> = attributes.iter().filter(usable).collect();
    if series < 2 || rest.is_empty() {
        return Vec::new();
    }
    let leaf: Vec<&Attribute> = rest.iter().filter(|attribute| attribute.is_id && attribute.distinct() == series).copied().collect();
    rest.retain(|attribute| attribute.distinct() < series);
    let mut chains: Vec<Vec<&Attribute>> = Vec::new();
    // The finest first; an attribute joins the first chain whose top it contains.
    rest.sort_by_key(|attribute| (std::cmp::Reverse(attribute.distinct()), !attribute.is_id));
    for attribute in rest {
        let home = chains.iter_mut().find(|chain| chain.last().is_some_and(|top| top.nests_in(attribute)));
        match home {
            // Two names of one thing are one level.
            Some(chain) if chain.last().is_some_and(|top| attribute.nests_in(top)) => {}
            Some(chain) => chain.push(attribute),
            None => chains.push(vec![attribute]),
        }
    }
    for chain in &mut chains {
        chain.reverse();
    }
    let tells_apart = |a: &Attribute, b: &Attribute| {
        let mut pairs: Vec<(u32, u32)> = a.codes.iter().copied().zip(b.codes.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.len() == series
    };
    for (first, upper) in chains.iter().enumerate() {
        for (second, lower) in chains.iter().enumerate().skip(first + 1) {
            let (Some(a), Some(b)) = (upper.last(), lower.last()) else { continue };
            if !tells_apart(a, b) {
                continue;
            }
            // The chain with fewer leaves goes below, as a store sells departments.
            let (upper, lower) = if order(attributes, a, b) { (upper, lower) } else { (lower, upper) };
            let mut paths = vec![names(lower).join("/")];
            for depth in 1..=upper.len() {
                paths.push([names(&upper[..depth]), names(lower)].concat().join("/"));
            }
            let others =
                chains.iter().enumerate().filter(|(index, _)| *index != first && *index != second).map(|(_, chain)| names(chain).join("/"));
            paths.extend(others.take(1));
            return paths;
        }
    }
    let tail = leaf.first().map(|attribute| attribute.name.as_str());
    chains.sort_by_key(|chain| std::cmp::Reverse(chain.len()));
    if chains.len() > 1 && tail.is_none() {
        let whole: Vec<&str> = chains.iter().flat_map(|chain| names(chain)).collect();
        return vec![whole.join("/")];
    }
    chains.iter().take(2).map(|chain| names(chain).into_iter().chain(tail).collect::<Vec<_>>().join("/")).collect()
}

fn names<'a>(chain: &[&'a Attribute]) -> Vec<&'a str> {
    chain.iter().map(|attribute| attribute.name.as_str()).collect()
}

/// Whether `a` stands before `b` in the table.
fn order(attributes: &[Attribute], a: &Attribute, b: &Attribute) -> bool {
    let place = |wanted: &Attribute| attributes.iter().position(|attribute| attribute.name == wanted.name);
    place(a) <= place(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, is_id: bool, codes: &[u32]) -> Attribute {
        Attribute { name: name.into(), codes: codes.to_vec(), is_id }
    }

    #[test]
    fn crossed_chains_give_every_pair_of_levels() {
        let found = paths(
            &[
                attribute("unique_id", true, &[0, 1, 2, 3, 4, 5, 6, 7]),
                attribute("state", false, &[0, 0, 0, 0, 1, 1, 1, 1]),
                attribute("store", false, &[0, 0, 1, 1, 2, 2, 3, 3]),
                attribute("dept", false, &[0, 1, 0, 1, 0, 1, 0, 1]),
            ],
            8,
        );
        assert_eq!(found, ["dept", "state/dept", "state/store/dept"]);
    }

    #[test]
    fn attributes_of_a_single_key_end_in_it() {
        let found = paths(
            &[attribute("store", true, &[0, 1, 2, 3]), attribute("city", false, &[0, 0, 1, 2]), attribute("state", false, &[0, 0, 1, 1])],
            4,
        );
        assert_eq!(found, ["state/city/store"]);
    }

    #[test]
    fn a_key_without_attributes_has_no_levels() {
        assert!(paths(&[attribute("store", true, &[0, 1])], 2).is_empty());
    }
}
