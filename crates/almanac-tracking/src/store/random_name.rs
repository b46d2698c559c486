//! Names for runs and models that were given none: `gentle-otter-417`.
//!
//! The words are our own.

const ADJECTIVES: [&str; 40] = [
    "agile", "amber", "brave", "bright", "brisk", "calm", "clever", "crisp", "curious", "daring", "eager", "early", "fair", "fleet",
    "gentle", "glad", "golden", "hardy", "honest", "keen", "kind", "lively", "lucid", "mellow", "merry", "mild", "nimble", "noble",
    "patient", "plucky", "proud", "quiet", "rapid", "sage", "serene", "silver", "steady", "sunny", "swift", "wise",
];
const NOUNS: [&str; 40] = [
    "acorn", "badger", "beacon", "birch", "brook", "cedar", "comet", "crane", "delta", "dune", "falcon", "fern", "finch", "fjord", "grove",
    "harbor", "heron", "ibis", "island", "juniper", "kestrel", "lagoon", "larch", "lynx", "maple", "marten", "meadow", "otter", "pebble",
    "pine", "plover", "quartz", "raven", "reef", "robin", "sparrow", "spruce", "summit", "tern", "willow",
];

/// Makes up a name of at most 20 characters.
pub(crate) fn random_name() -> String {
    let [a, b, c, d] = rand::random::<[u16; 4]>();
    let pick = |words: [&'static str; 40], number: u16| words[usize::from(number) % words.len()];
    format!("{}-{}-{}", pick(ADJECTIVES, a), pick(NOUNS, b), (u32::from(c) * 7 + u32::from(d)) % 1000)
}
