//! The write side: HTTP in, load, decide, append, answer.
