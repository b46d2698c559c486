//! MLflow's interface, in-process, one file a family.

mod artifacts;
