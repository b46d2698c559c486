//! What a user of the command line sees: exit codes, help, messages, and the files of the demo.

#![expect(clippy::needless_raw_string_hashes, reason = "snapshots are written by expect-test")]

mod bucket;
mod check;
mod data;
mod data_killed;
mod demo;
mod erase;
mod job;
mod messages;
mod options;
mod privacy;
mod profile;
mod program;
mod serve;
mod sources;
mod what_if;
