//! Tests of `ledger` on both backends.
