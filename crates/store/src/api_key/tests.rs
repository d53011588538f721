//! Tests of `api_key` on both backends.
