//! Each aggregate the whole way once: command, log, rows, audit trail, past.
//! The files stand under the same path as in `domain` and `projector`.

mod banking;
mod identity;
