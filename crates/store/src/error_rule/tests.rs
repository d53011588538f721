//! Tests of error rules.
