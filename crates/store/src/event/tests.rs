//! Tests of the histories.
