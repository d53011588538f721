//! Measures Tollgate against nginx and against no proxy at all.

fn main() {}
