//! Questions to the read side: rows now, one row as it was, and how far the tables are.

pub mod checkpoints;
pub mod cloud_event;
pub mod cursor;
pub mod diff;
pub mod filter;
pub mod journals;
mod json;
pub mod known;
pub mod list;
pub mod one;
pub mod past;
pub mod reader;
pub mod tables;
