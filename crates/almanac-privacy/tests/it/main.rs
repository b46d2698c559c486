//! Erasure over a folder that looks like a project.

mod erasure;
mod folder;
mod postgres;
