//! Tests of the whole journal: what a caller sees, and what a fault leaves behind.
