//! The classes of what was published about MLflow's server, each with a test that it does not happen here.
//!
//! | class                                                        | published as, among others                                |
//! |--------------------------------------------------------------|-----------------------------------------------------------|
//! | routes without authentication; accounts that anyone makes    | CVE-2026-0545, CVE-2026-2652, CVE-2026-2651, CVE-2023-6014 |
//! | default and weak passwords                                   | GHSA-gq3w-7jj3-x7gr, CVE-2025-11200, CVE-2025-1474         |
//! | roles that delete what they must not                         | CVE-2024-4263                                             |
//! | traversal in paths of artifacts, also encoded twice          | CVE-2023-6831, CVE-2024-1560, CVE-2023-6730, CVE-2026-2033 |
//! | local files by an experiment's location                      | CVE-2024-1483, CVE-2024-1593, CVE-2024-3848                |
//! | local files by the source of a model version                 | CVE-2023-1177, CVE-2023-2780, CVE-2024-3573, CVE-2026-2614 |
//! | requests that the server is made to send                     | CVE-2026-2393                                             |
//! | DNS rebinding; pages of other sites                          | CVE-2025-14279, CVE-2025-1473                              |
//! | names that are read as other names                           | CVE-2024-3099                                             |
//! | work without bounds                                          | CVE-2025-0453                                             |
//! | scripts in what users upload or name                         | none yet known by number                                   |
//!
//! Not here, for there is nothing to attack: models and YAML that are loaded (CVE-2024-37052), jobs, gateways, GraphQL.

mod exhaustion;
mod files;
mod login;
mod origins;
mod pages;
