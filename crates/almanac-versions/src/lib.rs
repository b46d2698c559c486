//! Data under version control, as DVC keeps it: pointer files beside the data, contents by hash in a cache, remotes.
//!
//! Not here: tables and what is in them (`almanac-data`).
