//! Tests of `usage` on both backends.
