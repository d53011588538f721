//! Tests of `request` on both backends.
