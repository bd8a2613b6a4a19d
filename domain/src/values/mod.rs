//! Value objects: what a field may hold, checked while it is parsed.

mod role;

pub use role::UserRole;
