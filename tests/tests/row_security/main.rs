//! Who sees which rows, asked of the database itself: every read table, every role, every verb, as
//! oneself, as another user, on behalf of one's own organization and of another's, and as nobody.
//! Connected as the service, in each role as the service takes it on: superusers and owners would
//! see through the policies. And what is written down of those who do: of every change by hand.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test is a crate of its own, and stops where it fails"
)]

mod by_hand;
mod catalogue;
mod roles;
mod rows;
mod secrets;
mod session;
