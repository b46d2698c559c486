//! Reading the library's own JSON model, as versions 2.0 and later write it.
//!
//! Only what predicts one number is read: boosted trees of one output, with the objectives of [`transform_of`].

use serde::Deserialize;
use serde_json::Value;

use super::XgBoostError;
use super::ensemble::{Ensemble, Node, Test, Transform, Tree};

#[derive(Deserialize)]
struct Model {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    gradient_booster: Value,
    #[serde(rename = "learner_model_param")]
    params: Params,
    objective: Objective,
}

#[derive(Deserialize)]
struct Params {
    base_score: String,
    num_class: String,
    num_feature: String,
    #[serde(default)]
    num_target: Option<String>,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

#[derive(Deserialize)]
struct Trees {
    trees: Vec<RawTree>,
}

#[derive(Deserialize)]
struct RawTree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<u32>,
    /// Thresholds, and at leaves their values.
    split_conditions: Vec<Option<f32>>,
    default_left: Vec<Flag>,
    #[serde(default)]
    split_type: Vec<u8>,
    #[serde(default)]
    categories: Vec<u32>,
    #[serde(default)]
    categories_nodes: Vec<usize>,
    #[serde(default)]
    categories_segments: Vec<usize>,
    #[serde(default)]
    categories_sizes: Vec<usize>,
}

/// Some versions write numbers, others words.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Number(u8),
}

impl Ensemble {
    /// Reads a model from the JSON of the library's `save_model`.
    ///
    /// # Errors
    /// [`XgBoostError::Model`] if it is none, or one of another kind.
    pub fn from_json(text: &str) -> Result<Self, XgBoostError> {
        let wrong = |error: serde_json::Error| XgBoostError::model(error.to_string());
        // Before 3.0 the condition of a split by category is `NaN`, which is no JSON. Texts that say so too are names, which are not read.
        let text = text.replace("[NaN", "[null").replace(",NaN", ",null");
        let Model { mut learner } = serde_json::from_str(&text).map_err(wrong)?;
        let kind = learner.gradient_booster.get("name").and_then(Value::as_str).unwrap_or("nothing").to_owned();
        if kind != "gbtree" {
            return Err(XgBoostError::model(format!("it is `{kind}`, only `gbtree` is read")));
        }
        let params = &learner.params;
        let one_output = |text: &str| matches!(text, "0" | "1");
        if !one_output(&params.num_class) || !params.num_target.as_deref().is_none_or(one_output) {
            return Err(XgBoostError::model("it has more than one output"));
        }
        let columns: usize = params.num_feature.parse().map_err(|_| XgBoostError::model("it does not tell its number of columns"))?;
        let transform = transform_of(&learner.objective.name)?;
        let score = params.base_score.trim_matches(['[', ']']);
        let score: f32 = score.parse().map_err(|_| XgBoostError::model(format!("`{score}` is no base score")))?;
        let raw: Trees = serde_json::from_value(learner.gradient_booster["model"].take()).map_err(wrong)?;
        let trees = raw.trees.iter().map(|tree| tree.read(columns)).collect::<Result<_, _>>()?;
        Ok(Self { columns, transform, base: margin_of(transform, score), trees })
    }
}

/// How the objectives turn what the trees say into a prediction.
fn transform_of(objective: &str) -> Result<Transform, XgBoostError> {
    match objective {
        "reg:squarederror" | "reg:squaredlogerror" | "reg:absoluteerror" | "reg:quantileerror" | "reg:pseudohubererror" => {
            Ok(Transform::Identity)
        }
        "reg:tweedie" | "reg:gamma" | "count:poisson" => Ok(Transform::Exp),
        "reg:logistic" | "binary:logistic" => Ok(Transform::Logistic),
        other => Err(XgBoostError::model(format!("its objective `{other}` is not known"))),
    }
}

/// The base score is written as a prediction.
fn margin_of(transform: Transform, score: f32) -> f32 {
    match transform {
        Transform::Identity => score,
        Transform::Exp => score.ln(),
        Transform::Logistic => -(1.0 / score - 1.0).ln(),
    }
}

impl RawTree {
    fn read(&self, columns: usize) -> Result<Tree, XgBoostError> {
        let fault = |what: &str| XgBoostError::model(format!("a tree is damaged: {what}"));
        let count = self.left_children.len();
        let lengths = [self.right_children.len(), self.split_indices.len(), self.split_conditions.len(), self.default_left.len()];
        if lengths.iter().any(|length| *length != count) {
            return Err(fault("its lists differ in length"));
        }
        let mut tree = Tree::default();
        // Nodes to visit, and the split that each lies right of.
        let mut ahead: Vec<(i64, Option<usize>)> = vec![(0, None)];
        while let Some((number, right_of)) = ahead.pop() {
            let here = tree.nodes.len();
            let at = usize::try_from(number).ok().filter(|at| *at < count).ok_or_else(|| fault("a child is missing"))?;
            if here >= count {
                return Err(fault("its nodes go in a circle"));
            }
            if let Some(Node::Split { right, .. }) = right_of.and_then(|parent| tree.nodes.get_mut(parent)) {
                *right = here as u32;
            }
            if self.left_children[at] < 0 {
                tree.nodes.push(Node::Leaf(self.split_conditions[at].ok_or_else(|| fault("a leaf is no number"))?));
                continue;
            }
            let test = if self.split_type.get(at) == Some(&1) {
                tree.sets.push(self.categories_of(at).ok_or_else(|| fault("a split has no categories"))?);
                Test::Outside(tree.sets.len() as u32 - 1)
            } else {
                Test::Below(self.split_conditions[at].ok_or_else(|| fault("a split is at no number"))?)
            };
            let missing_left = matches!(self.default_left[at], Flag::Bool(true) | Flag::Number(1..));
            tree.nodes.push(Node::Split { feature: self.split_indices[at], missing_left, right: 0, test });
            ahead.push((self.right_children[at], Some(here)));
            ahead.push((self.left_children[at], None));
        }
        tree.fault(columns).map_or(Ok(tree), |what| Err(fault(what)))
    }

    fn categories_of(&self, node: usize) -> Option<Vec<u32>> {
        let place = self.categories_nodes.iter().position(|listed| *listed == node)?;
        let (start, size) = (*self.categories_segments.get(place)?, *self.categories_sizes.get(place)?);
        let mut set = self.categories.get(start..start.checked_add(size)?)?.to_vec();
        set.sort_unstable();
        Some(set)
    }
}
