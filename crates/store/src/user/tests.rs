//! Tests of `user` on both backends.
