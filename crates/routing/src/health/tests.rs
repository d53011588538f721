//! Tests of a credential's health.
