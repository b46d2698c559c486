//! Our own text of trees: read back, they predict the same bits.
//!
//! One line a node, the left side of a split right after it:
//!
//! ```text
//! almanac-trees 1
//! columns 12 transform exp base 0.25
//! tree
//! split 3 0.5 left 2         column, what is below goes left, where missing values go, nodes from here to the right side
//! leaf -0.12
//! outside 7 1,4,9 right 2    column, categories of which a value in none goes left
//! leaf 0.3
//! leaf 0.07
//! ```

use std::fmt::Write;
use std::str::{FromStr, SplitWhitespace};

use super::XgBoostError;
use super::ensemble::{Ensemble, Node, Test, Transform, Tree};

const VERSION: &str = "almanac-trees 1";

impl Ensemble {
    /// Returns the trees as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION}\ncolumns {} transform {} base {:?}\n", self.columns, self.transform.name(), self.base);
        for tree in &self.trees {
            text.push_str("tree\n");
            for (at, node) in tree.nodes.iter().enumerate() {
                write_node(&mut text, tree, at, *node).expect("writing to a string does not fail");
            }
        }
        text
    }

    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// [`XgBoostError::Model`] that names the line.
    pub fn from_text(text: &str) -> Result<Self, XgBoostError> {
        let mut lines = text.lines();
        if lines.next() != Some(VERSION) {
            return Err(XgBoostError::model(format!("its first line is not `{VERSION}`")));
        }
        let head = lines.next().unwrap_or_default();
        let mut ensemble = read_head(head).ok_or_else(|| XgBoostError::model(format!("line 2: `{head}`")))?;
        for (at, line) in lines.enumerate() {
            let wrong = || XgBoostError::model(format!("line {}: `{line}`", at + 3));
            if line == "tree" {
                ensemble.trees.push(Tree::default());
            } else {
                let tree = ensemble.trees.last_mut().ok_or_else(wrong)?;
                read_node(line, tree).ok_or_else(wrong)?;
            }
        }
        let fault = ensemble.trees.iter().find_map(|tree| tree.fault(ensemble.columns));
        fault.map_or(Ok(ensemble), |what| Err(XgBoostError::model(what)))
    }
}

impl Transform {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Exp => "exp",
            Self::Logistic => "logistic",
        }
    }
}

fn write_node(text: &mut String, tree: &Tree, at: usize, node: Node) -> std::fmt::Result {
    // `{:?}` of a float is the shortest text that is read back to the same bits.
    match node {
        Node::Leaf(value) => writeln!(text, "leaf {value:?}"),
        Node::Split { feature, missing_left, right, test } => {
            match test {
                Test::Below(threshold) => write!(text, "split {feature} {threshold:?}")?,
                Test::Outside(set) => {
                    let codes: Vec<String> = tree.sets[set as usize].iter().map(ToString::to_string).collect();
                    write!(text, "outside {feature} {}", codes.join(","))?;
                }
            }
            writeln!(text, " {} {}", if missing_left { "left" } else { "right" }, right as usize - at)
        }
    }
}

fn read_head(line: &str) -> Option<Ensemble> {
    let mut words = line.split_whitespace();
    let columns = named(&mut words, "columns")?;
    let name: String = named(&mut words, "transform")?;
    let transform = [Transform::Identity, Transform::Exp, Transform::Logistic].into_iter().find(|known| known.name() == name)?;
    let base = named(&mut words, "base")?;
    words.next().is_none().then_some(Ensemble { columns, transform, base, trees: Vec::new() })
}

fn read_node(line: &str, tree: &mut Tree) -> Option<()> {
    let mut words = line.split_whitespace();
    let kind = words.next()?;
    let node = if kind == "leaf" {
        Node::Leaf(words.next()?.parse().ok()?)
    } else {
        let feature = words.next()?.parse().ok()?;
        let tested = words.next()?;
        let test = match kind {
            "split" => Test::Below(tested.parse().ok()?),
            "outside" => {
                let set: Vec<u32> = tested.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
                if !set.is_sorted() {
                    return None;
                }
                tree.sets.push(set);
                Test::Outside(tree.sets.len() as u32 - 1)
            }
            _ => return None,
        };
        let missing_left = match words.next()? {
            "left" => true,
            "right" => false,
            _ => return None,
        };
        let right = u32::try_from(tree.nodes.len()).ok()?.checked_add(words.next()?.parse().ok()?)?;
        Node::Split { feature, missing_left, right, test }
    };
    tree.nodes.push(node);
    words.next().is_none().then_some(())
}

fn named<T: FromStr>(words: &mut SplitWhitespace<'_>, name: &str) -> Option<T> {
    (words.next()? == name).then(|| words.next()?.parse().ok())?
}
