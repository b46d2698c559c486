//! Levels, nodes and who belongs to whom.
//!
//! A level is a partition of the series. Levels that part the series in the same way are kept once, under the name met first; `total` and
//! `bottom` always exist. A series is known by its position among the series the hierarchy was made from, which cutting a panel at a
//! cutoff may change: [`Hierarchy::index`] finds it by key.
//!
//! Not here: sums (`aggregate`, `history`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use almanac_series::{Panel, SeriesId};

use crate::HierarchyError;
use crate::spec::{columns, key_text};

/// Name of the level with one node, the sum of all.
pub const TOTAL: &str = "total";
/// Name of the level of the series themselves.
pub const BOTTOM: &str = "bottom";

/// Key of a node: texts joined by `/`, `total`, or at the bottom the `unique_id`.
pub type NodeKey = SeriesId;

/// One level of a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelSpec {
    /// `total`, `bottom`, or the columns joined by `/`.
    pub name: String,
    /// Keys of the nodes, sorted.
    pub nodes: Vec<NodeKey>,
}

/// Which series each node of a level holds, and back.
#[derive(Debug, Clone)]
struct Membership {
    node_of: Vec<u32>,
    /// `members[starts[node]..starts[node + 1]]`, ascending.
    starts: Vec<u32>,
    members: Vec<u32>,
}

impl Membership {
    fn new(node_of: Vec<u32>, n_nodes: usize) -> Self {
        let mut starts = vec![0_u32; n_nodes + 1];
        for node in &node_of {
            starts[*node as usize + 1] += 1;
        }
        for node in 0..n_nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut members = vec![0_u32; node_of.len()];
        for (series, node) in node_of.iter().enumerate() {
            members[next[*node as usize] as usize] = series as u32;
            next[*node as usize] += 1;
        }
        Self { node_of, starts, members }
    }
}

/// The levels of a panel, from `total` to `bottom`.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    series: Vec<SeriesId>,
    levels: Vec<LevelSpec>,
    memberships: Vec<Membership>,
    is_declared: bool,
}

impl Hierarchy {
    /// Reads the structure of `panel` from specs such as `region/store/item`; without specs there are `total` and `bottom` only.
    ///
    /// A spec need not be nested (an item may be in two categories): keys are joined paths, so every prefix is a partition.
    ///
    /// # Errors
    /// [`HierarchyError`] if a spec is malformed or names an unknown column.
    pub fn new(panel: &Panel, specs: &[String]) -> Result<Self, HierarchyError> {
        let series: Vec<SeriesId> = panel.series().iter().map(|span| span.id.clone()).collect();
        let mut partitions: Vec<(String, Vec<String>)> = vec![(TOTAL.into(), vec![TOTAL.into(); series.len()])];
        for spec in specs {
            let columns = columns(panel, spec)?;
            let mut keys = vec![String::new(); series.len()];
            let mut name = String::new();
            for column in columns {
                if !name.is_empty() {
                    name.push('/');
                }
                name.push_str(&column.name);
                for (key, span) in keys.iter_mut().zip(panel.series()) {
                    if name.len() > column.name.len() {
                        key.push('/');
                    }
                    key.push_str(&key_text(column, span.static_row));
                }
                partitions.push((name.clone(), keys.clone()));
            }
        }

        let bottom: Vec<u32> = (0..series.len() as u32).collect();
        let mut seen: HashSet<Vec<u32>> = HashSet::from([bottom.clone()]);
        let (mut levels, mut memberships) = (Vec::new(), Vec::new());
        for (name, keys) in partitions {
            let is_new = seen.insert(first_seen(&keys));
            if name != TOTAL && (!is_new || levels.iter().any(|level: &LevelSpec| level.name == name)) {
                continue;
            }
            let (nodes, node_of) = number_sorted(&keys);
            memberships.push(Membership::new(node_of, nodes.len()));
            levels.push(LevelSpec { name, nodes });
        }
        levels.push(LevelSpec { name: BOTTOM.into(), nodes: series.clone() });
        memberships.push(Membership::new(bottom, series.len()));
        Ok(Self { series, levels, memberships, is_declared: !specs.is_empty() })
    }

    /// Returns the levels: `total` first, then in the order of the specs, `bottom` last.
    pub fn levels(&self) -> &[LevelSpec] {
        &self.levels
    }

    /// Returns the position of a level, if there is one of that name.
    pub fn level(&self, name: &str) -> Option<usize> {
        self.levels.iter().position(|level| level.name == name)
    }

    /// Returns whether it was said how the series add up. Where not, `total` is there, but a sum of series that nobody called parts of a whole.
    pub fn is_declared(&self) -> bool {
        self.is_declared
    }

    /// Returns the positions of the levels by which forecasts are ranked: all of a declared hierarchy, else the series alone.
    pub fn ranked_levels(&self) -> Range<usize> {
        if self.is_declared { 0..self.levels.len() } else { self.bottom()..self.levels.len() }
    }

    /// Returns the position of the level of the series themselves, the last one.
    pub fn bottom(&self) -> usize {
        self.levels.len() - 1
    }

    /// Returns the keys of the series, sorted.
    pub fn series(&self) -> &[SeriesId] {
        &self.series
    }

    /// Returns the number of series.
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// Returns the position of a series, if the hierarchy has it.
    pub fn index(&self, id: &SeriesId) -> Option<usize> {
        self.series.binary_search(id).ok()
    }

    /// Returns the position of a node of a level, if there is one of that key.
    pub fn node(&self, level: usize, key: &NodeKey) -> Option<usize> {
        self.levels[level].nodes.binary_search(key).ok()
    }

    /// Returns the node of `level` that holds a series.
    pub fn node_of(&self, level: usize, series: usize) -> usize {
        self.memberships[level].node_of[series] as usize
    }

    /// Returns the series of a node, ascending.
    pub fn members(&self, level: usize, node: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let membership = &self.memberships[level];
        let range = membership.starts[node] as usize..membership.starts[node + 1] as usize;
        membership.members[range].iter().map(|series| *series as usize)
    }

    /// Returns the node of `parent_level` that holds all series of a node, or `None` where they lie in several.
    pub fn parent(&self, level: usize, node: usize, parent_level: usize) -> Option<usize> {
        let mut parents = self.members(level, node).map(|series| self.node_of(parent_level, series));
        let first = parents.next()?;
        parents.all(|other| other == first).then_some(first)
    }

    /// Returns the nodes of `child_level` that share series with a node, ascending.
    pub fn children(&self, level: usize, node: usize, child_level: usize) -> Vec<usize> {
        let mut children: Vec<usize> = self.members(level, node).map(|series| self.node_of(child_level, series)).collect();
        children.sort_unstable();
        children.dedup();
        children
    }
}

/// Numbers keys in order of first appearance: equal partitions get equal numbers, whatever their keys are called.
fn first_seen(keys: &[String]) -> Vec<u32> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    keys.iter()
        .map(|key| {
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}

/// Numbers keys in sorted order; returns the sorted distinct keys and the number of each.
fn number_sorted(keys: &[String]) -> (Vec<NodeKey>, Vec<u32>) {
    let mut numbers: BTreeMap<&str, u32> = keys.iter().map(|key| (key.as_str(), 0)).collect();
    for (number, slot) in numbers.values_mut().enumerate() {
        *slot = number as u32;
    }
    let node_of = keys.iter().map(|key| numbers[key.as_str()]).collect();
    (numbers.keys().map(|key| NodeKey::from(*key)).collect(), node_of)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use almanac_series::{Freq, PanelBuilder, Period, RowStatus, SeriesRows, StaticColumn, StaticValues};

    use super::*;

    pub(crate) fn category(name: &str, values: &[&str]) -> StaticColumn {
        let mut categories: Vec<String> = values.iter().filter(|text| !text.is_empty()).map(|text| (*text).to_owned()).collect();
        categories.sort();
        categories.dedup();
        let codes: Vec<u32> =
            values.iter().map(|text| categories.iter().position(|c| c == text).unwrap_or(categories.len()) as u32).collect();
        StaticColumn { name: Arc::from(name), values: StaticValues::Category { codes: codes.into(), categories: categories.into() } }
    }

    /// Four series pushed out of order: item 1 and 2 in stores x (region n) and y (region s).
    pub(crate) fn panel() -> Panel {
        let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
        for (k, id) in ["y_2", "x_1", "x_2", "y_1"].iter().enumerate() {
            let start = k as i64;
            let rows = 10 - k;
            let y = (0..rows).map(|row| (row + 10 * k) as f64).collect();
            let rows = SeriesRows { y, status: vec![RowStatus::Observed; rows], ..SeriesRows::default() };
            builder.push((*id).into(), Period(start), rows).expect("columns agree");
        }
        builder
            .finish(vec![
                category("region", &["s", "n", "n", "s"]),
                category("store", &["y", "x", "x", "y"]),
                category("item", &["2", "1", "2", "1"]),
                category("family", &["a/b", "a", "a/b", "a"]),
            ])
            .expect("keys are unique")
    }

    fn names(hierarchy: &Hierarchy) -> Vec<&str> {
        hierarchy.levels().iter().map(|level| level.name.as_str()).collect()
    }

    #[test]
    fn every_prefix_is_a_level_and_equal_levels_are_kept_once() {
        let hierarchy = Hierarchy::new(&panel(), &["region/store/item".into(), "item".into()]).expect("columns exist");
        // `region/store` parts the series as `region` does, `region/store/item` as the bottom does.
        assert_eq!(names(&hierarchy), ["total", "region", "item", "bottom"]);
        assert_eq!(hierarchy.levels()[1].nodes, ["n".into(), "s".into()]);
        assert_eq!(hierarchy.levels()[3].nodes, ["x_1".into(), "x_2".into(), "y_1".into(), "y_2".into()]);
        let members: Vec<usize> = hierarchy.members(2, 1).collect();
        assert_eq!(members, [1, 3], "item 2 is sold in both stores");
        assert_eq!(hierarchy.ranked_levels(), 0..4);
    }

    #[test]
    fn a_panel_without_specs_has_total_and_bottom() {
        let hierarchy = Hierarchy::new(&panel(), &[]).expect("nothing to look up");
        assert_eq!(names(&hierarchy), ["total", "bottom"]);
        assert_eq!(hierarchy.members(0, 0).len(), 4);
        assert_eq!(hierarchy.ranked_levels(), 1..2, "nobody said that the series add up");
    }

    #[test]
    fn one_series_is_both_total_and_bottom() {
        let one = panel().select(&[2]);
        let hierarchy = Hierarchy::new(&one, &["region/item".into()]).expect("columns exist");
        assert_eq!(names(&hierarchy), ["total", "bottom"]);
    }

    #[test]
    fn an_unknown_column_names_its_neighbours() {
        let error = Hierarchy::new(&panel(), &["regoin/item".into()]).unwrap_err();
        assert_eq!(error.to_string(), "hierarchy `regoin/item` names column `regoin`, which is no static column of the data");
        use almanac_series::Hint;
        assert_eq!(error.hint().as_deref(), Some("static columns are: region"));
        assert!(matches!(Hierarchy::new(&panel(), &["region//item".into()]), Err(HierarchyError::EmptyPart { .. })));
        assert!(matches!(Hierarchy::new(&panel(), &["item/item".into()]), Err(HierarchyError::Repeated { .. })));
    }

    #[test]
    fn a_slash_inside_a_text_does_not_join_two_nodes() {
        let hierarchy = Hierarchy::new(&panel(), &["family".into()]).expect("columns exist");
        assert_eq!(hierarchy.levels()[1].nodes, ["a".into(), "a\\/b".into()]);
    }

    #[test]
    fn parents_and_children_are_found_across_levels() {
        let hierarchy = Hierarchy::new(&panel(), &["region/item".into(), "item".into()]).expect("columns exist");
        let (region, item, bottom) = (1, 2, 3);
        assert_eq!(names(&hierarchy), ["total", "region", "item", "bottom"]);
        assert_eq!(hierarchy.parent(bottom, 3, region), Some(1));
        assert_eq!(hierarchy.parent(item, 0, region), None, "an item is sold in both regions");
        assert_eq!(hierarchy.parent(item, 0, 0), Some(0));
        assert_eq!(hierarchy.children(region, 1, bottom), [2, 3]);
    }
}
