//! Bronze, silver and inference as their users see them, on small files and, where it is there, on real data.

mod forecasts;
mod infer;
mod ingest;
mod ingest_formats;
mod privacy;
mod query;
mod silver;
