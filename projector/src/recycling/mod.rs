//! What is collected from customers, and what becomes of it.

pub mod collection;
