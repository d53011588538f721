//! Tests of `migrate` on both backends.
