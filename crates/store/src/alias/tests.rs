//! Tests of aliases.
