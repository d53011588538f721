//! Tests of `credential` on both backends.
