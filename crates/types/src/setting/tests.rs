use super::*;

#[test]
fn every_setting_reads_back_what_was_set() {
    let default = Settings::default();
    for (name, _) in SETTINGS {
        let text = default.get(name).unwrap();
        let mut settings = default.clone();
        settings.set(name, &text).unwrap();
        assert_eq!(settings, default, "{name}");
        assert!(settings.set(name, "no such value").is_err(), "{name}");
    }
}

#[test]
fn a_tier_order_needs_each_tier_once() {
    let mut settings = Settings::default();
    settings.set("pool.tier_order", "fallback, shared,personal").unwrap();
    assert_eq!(settings.get("pool.tier_order").unwrap(), "fallback,shared,personal");
    for bad in ["shared", "shared,shared,personal", "shared,personal,fallback,shared", ""] {
        assert!(settings.set("pool.tier_order", bad).is_err(), "{bad}");
    }
}
