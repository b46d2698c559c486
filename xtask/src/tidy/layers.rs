//! The layer table: which crate lies where, and which it may use. `ARCHITECTURE.md` says why.
//!
//! A new arrow between crates is a decision: it is made here, in one line, and in the picture.

/// A layer. A crate may use what lies below, never what lies above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Ids, units, the panel, the traits of models.
    Words,
    /// Mathematics: no files, network, clock, waiting or logging.
    Knowing,
    /// Files, databases, the order of things.
    Doing,
    /// HTTP, the terminal, the configuration.
    Edge,
    /// Tests, benchmarks, chores: used by nothing that ships.
    Beside,
}

/// What a crate may use of the others.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) layer: Layer,
    /// Whole layers.
    layers: &'static [Layer],
    /// Single crates, in its own layer.
    crates: &'static [&'static str],
}

impl Place {
    /// Tells whether this crate may use `other`.
    pub(crate) fn may_use(&self, other: &Place) -> bool {
        self.layers.contains(&other.layer) || self.crates.contains(&other.name)
    }

    /// Says what this crate may use.
    pub(crate) fn allowed(&self) -> String {
        let layers = self.layers.iter().map(|layer| format!("the {layer:?} layer").to_lowercase());
        let crates = self.crates.iter().map(|name| format!("`{name}`"));
        let all: Vec<String> = layers.chain(crates).collect();
        if all.is_empty() { "no other crate of Almanac".to_owned() } else { all.join(", ") }
    }
}

const NOTHING: &[Layer] = &[];
const WORDS: &[Layer] = &[Layer::Words];
const PURE: &[Layer] = &[Layer::Words, Layer::Knowing];
const BELOW_EDGE: &[Layer] = &[Layer::Words, Layer::Knowing, Layer::Doing];
const ALL_THAT_SHIPS: &[Layer] = &[Layer::Words, Layer::Knowing, Layer::Doing, Layer::Edge];

const fn place(name: &'static str, layer: Layer, layers: &'static [Layer], crates: &'static [&'static str]) -> Place {
    Place { name, layer, layers, crates }
}

/// What the pipeline puts in order.
const DATA_FLOOR: &[&str] = &[
    "almanac-connect",
    "almanac-data",
    "almanac-expect",
    "almanac-feature-store",
    "almanac-privacy",
    "almanac-profile",
    "almanac-tracking",
    "almanac-versions",
];

/// Every crate there is or is planned, from the bottom up.
const PLACES: &[Place] = &[
    place("almanac-series", Layer::Words, NOTHING, &[]),
    place("almanac-model", Layer::Words, NOTHING, &["almanac-series"]),
    place("almanac-features", Layer::Knowing, WORDS, &[]),
    place("almanac-stats", Layer::Knowing, WORDS, &[]),
    place("almanac-trees", Layer::Knowing, WORDS, &["almanac-features"]),
    place("almanac-hierarchy", Layer::Knowing, WORDS, &[]),
    place("almanac-evaluate", Layer::Knowing, WORDS, &["almanac-hierarchy"]),
    place("almanac-prophet", Layer::Knowing, WORDS, &["almanac-features"]),
    place("almanac-explain", Layer::Knowing, WORDS, &[]),
    place("almanac-tune", Layer::Knowing, WORDS, &[]),
    place("almanac-expect", Layer::Doing, WORDS, &[]),
    place("almanac-profile", Layer::Doing, WORDS, &[]),
    place("almanac-privacy", Layer::Doing, WORDS, &[]),
    place("almanac-connect", Layer::Doing, WORDS, &["almanac-privacy"]),
    place("almanac-kafka", Layer::Doing, WORDS, &["almanac-connect", "almanac-privacy"]),
    place("almanac-feature-store", Layer::Doing, WORDS, &[]),
    place("almanac-data", Layer::Doing, WORDS, &["almanac-privacy"]),
    place("almanac-tracking", Layer::Doing, WORDS, &[]),
    place("almanac-versions", Layer::Doing, WORDS, &[]),
    place("almanac-pipeline", Layer::Doing, PURE, DATA_FLOOR),
    place("almanac-cluster", Layer::Doing, WORDS, &[]),
    place("almanac-api", Layer::Edge, NOTHING, &[]),
    place("almanac-config", Layer::Edge, BELOW_EDGE, &[]),
    place("almanac-server", Layer::Edge, BELOW_EDGE, &["almanac-api"]),
    place("almanac", Layer::Edge, ALL_THAT_SHIPS, &[]),
    place("almanac-testing", Layer::Beside, ALL_THAT_SHIPS, &[]),
    place("almanac-bench", Layer::Beside, ALL_THAT_SHIPS, &["almanac-testing"]),
    place("xtask", Layer::Beside, NOTHING, &[]),
];

/// Returns the place of a crate, if it has one.
pub(crate) fn find(name: &str) -> Option<&'static Place> {
    PLACES.iter().find(|place| place.name == name)
}

/// A heavy thing from outside, and the crates that may know it.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) homes: &'static [&'static str],
    /// Names of packages; those that begin with the name and `-` are meant too.
    packages: &'static [&'static str],
}

const OUTSIDE: &[Outside] = &[
    Outside { homes: &["almanac-data"], packages: &["datafusion"] },
    Outside { homes: TABLES, packages: &["arrow", "parquet"] },
    Outside { homes: &["almanac-server"], packages: &["axum"] },
    Outside { homes: &["almanac"], packages: &["clap"] },
    Outside { homes: &["almanac-trees"], packages: &["lightgbm3-sys", "lightgbm3", "libloading"] },
    Outside { homes: &["almanac-tracking", "almanac-connect", "almanac-privacy"], packages: &["sqlx", "rusqlite"] },
    Outside { homes: &["almanac-kafka"], packages: &["rdkafka"] },
];

/// The crates that hold tables in memory or in files.
const TABLES: &[&str] =
    &["almanac-data", "almanac-expect", "almanac-profile", "almanac-connect", "almanac-feature-store", "almanac-privacy"];

/// Returns the crates that may know a package from outside, if it is a heavy one.
pub(crate) fn homes_of(package: &str) -> Option<&'static [&'static str]> {
    let is_meant = |name: &&str| package == *name || package.strip_prefix(*name).is_some_and(|rest| rest.starts_with('-'));
    OUTSIDE.iter().find(|outside| outside.packages.iter().any(is_meant)).map(|outside| outside.homes)
}
