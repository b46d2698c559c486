//! Sources that are really there, landed.

mod databases;
mod delta;
mod objects;
mod place;
mod privacy;
mod rest;
mod sqlite;
mod stalls;
mod versions;
