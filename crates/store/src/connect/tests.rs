//! Tests of `connect` on both backends.
