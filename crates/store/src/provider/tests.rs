//! Tests of `provider` on both backends.
