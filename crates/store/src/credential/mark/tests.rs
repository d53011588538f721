//! Tests of the state of a credential.
