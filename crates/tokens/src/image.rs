//! What a picture costs, by the rules that the vendor publishes: tiles of 512 pixels, or patches of 32.

/// The price of pictures for a family of models.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// So many for the picture and so many for each tile.
    Tiles(u64, u64),
    /// A patch counts as so many hundredths of a token.
    Patches(u64),
}

/// Beginnings of models' names, longer ones first.
const RULES: [(&str, Rule); 13] = [
    ("gpt-4o-mini", Rule::Tiles(2_833, 5_667)),
    ("gpt-4.1-mini", Rule::Patches(162)),
    ("gpt-4.1-nano", Rule::Patches(246)),
    ("gpt-5-mini", Rule::Patches(162)),
    ("gpt-5-nano", Rule::Patches(246)),
    ("o4-mini", Rule::Patches(172)),
    ("gpt-4o", Rule::Tiles(85, 170)),
    ("gpt-4.1", Rule::Tiles(85, 170)),
    ("gpt-4.5", Rule::Tiles(85, 170)),
    ("gpt-4", Rule::Tiles(85, 170)),
    ("gpt-5", Rule::Tiles(70, 140)),
    ("o1", Rule::Tiles(75, 150)),
    ("o3", Rule::Tiles(75, 150)),
];
/// For models that nobody knows.
const USUAL: Rule = Rule::Tiles(85, 170);
/// Most patches of a picture.
const MOST_PATCHES: u64 = 1_536;
/// What a picture is taken for whose size is not known: it is fetched by the vendor, or lies there already.
const UNKNOWN: (u64, u64) = (1_024, 1_024);

/// Tokens of a picture for a model; `size` in pixels, where it is known.
pub(crate) fn tokens(model: &str, size: Option<(u64, u64)>, detail: Option<&str>) -> u64 {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let known = RULES.iter().find(|(start, _)| name.starts_with(start));
    let size = size.unwrap_or(UNKNOWN);
    match known.map_or(USUAL, |(_, rule)| *rule) {
        Rule::Tiles(base, _) if detail == Some("low") => base,
        Rule::Tiles(base, tile) => base + tile * tiles(size),
        Rule::Patches(hundredths) => (patches(size) * hundredths).div_ceil(100),
    }
}

/// Tiles of 512 pixels, after the picture was made to fit 2048 pixels and its shorter side 768.
fn tiles((width, height): (u64, u64)) -> u64 {
    let (mut width, mut height) = (width, height);
    let longer = width.max(height);
    if longer > 2_048 {
        (width, height) = (scaled(width, 2_048, longer), scaled(height, 2_048, longer));
    }
    let shorter = width.min(height);
    if shorter > 768 {
        (width, height) = (scaled(width, 768, shorter), scaled(height, 768, shorter));
    }
    width.div_ceil(512) * height.div_ceil(512)
}

fn scaled(side: u64, to: u64, from: u64) -> u64 {
    (side.saturating_mul(to) / from.max(1)).max(1)
}

fn patches((width, height): (u64, u64)) -> u64 {
    width.div_ceil(32).saturating_mul(height.div_ceil(32)).min(MOST_PATCHES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_cost_what_the_vendors_examples_say() {
        let of = |model, size, detail| tokens(model, Some(size), detail);
        assert_eq!(of("gpt-4o", (1_024, 1_024), Some("high")), 765);
        assert_eq!(of("gpt-4o", (2_048, 4_096), Some("high")), 1_105);
        assert_eq!(of("gpt-4o", (4_096, 8_192), Some("low")), 85);
        assert_eq!(of("openai/gpt-5", (1_024, 1_024), None), 630);
        assert_eq!(of("gpt-4.1-mini", (1_024, 1_024), None), 1_659);
        assert_eq!(of("gpt-4.1-mini", (9_000, 9_000), None), 2_489);
        assert_eq!(of("o3", (10, 10), None), 225);
        assert_eq!(tokens("who knows", None, None), 765);
    }
}
