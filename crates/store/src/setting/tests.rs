//! Tests of `setting` on both backends.
