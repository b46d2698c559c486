//! Topics of librdkafka's mock cluster, over its real wire, into a landing place.

mod cluster;
mod formats;
mod loads;
