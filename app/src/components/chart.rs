//! Charts as plain SVG with a table view. Geometry is integers in SVG attributes: a strict CSP allows no
//! inline style. It loads nothing and knows no time zone: labels are text.

use leptos::prelude::*;

use crate::text::{common as c, translator};

const WIDTH: u64 = 640;
const HEIGHT: u64 = 168;
const LEFT: u64 = 68;
const TOP: u64 = 10;
const BOTTOM: u64 = 22;
const PLOT_W: u64 = WIDTH - LEFT - 6;
const PLOT_H: u64 = HEIGHT - TOP - BOTTOM;

/// How a chart draws its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Bars, stacked.
    Bars,
    /// One area under a line for each.
    Area,
    /// Lines; a missing value is a gap.
    Lines,
}

/// One series: name, colour class (`s1` to `s4`, `good`, `warn`, `bad`) and a value for each label.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// In legend and table.
    pub(crate) name: &'static str,
    /// Colour class.
    pub(crate) class: &'static str,
    /// Missing values are gaps.
    pub(crate) values: Vec<Option<u64>>,
}

/// A chart with title, legend and table.
#[component]
pub(crate) fn Chart(
    title: &'static str,
    shape: Shape,
    /// One text a point, UTC.
    labels: Vec<String>,
    series: Vec<Series>,
    /// Writes a value.
    unit: fn(u64) -> String,
) -> impl IntoView {
    let t = translator();
    let points = labels.len();
    let top = ceiling(highest(shape, points, &series));
    let grid = [0, top / 2, top].map(|value| {
        let y = y_of(value, top);
        view! {
            <line class="grid" x1=LEFT.to_string() x2=(WIDTH - 6).to_string() y1=y.to_string() y2=y.to_string()/>
            <text class="axis" x=(LEFT - 6).to_string() y=(y + 4).to_string() text-anchor="end">{unit(value)}</text>
        }
    });
    let marks = tick_places(points)
        .into_iter()
        .filter_map(|place| labels.get(place).map(|label| (place, short(label))))
        .map(|(place, label)| view! {
            <text class="axis" x=x_of(place, points).to_string() y=(HEIGHT - 6).to_string() text-anchor="middle">{label}</text>
        })
        .collect_view();
    let body = match shape {
        Shape::Bars => bars(points, top, &series),
        Shape::Area | Shape::Lines => lines(shape, points, top, &series),
    };
    let hovers = hovers(&labels, &series, unit);
    let legend = series
        .iter()
        .map(|series| view! { <li class=format!("key-{}", series.class)>{series.name}</li> })
        .collect_view();
    view! {
        <figure class="chart panel">
            <figcaption>
                <span class="chart-title">{title}</span>
                <ul class="legend">{legend}</ul>
            </figcaption>
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=title>
                {grid} {body} {marks} {hovers}
            </svg>
            <details class="chart-table">
                <summary>{t(c::TABLE_VIEW)}</summary>
                {table(&labels, &series, unit)}
            </details>
        </figure>
    }
}

fn highest(shape: Shape, points: usize, series: &[Series]) -> u64 {
    let at = |point: usize| series.iter().filter_map(move |s| s.values.get(point).copied().flatten());
    (0..points)
        .map(|point| if shape == Shape::Bars { at(point).sum() } else { at(point).max().unwrap_or(0) })
        .max()
        .unwrap_or(0)
}

/// The next round number at or above: 1, 2, 4, 5 or 10 times a power of ten, and even, so that the middle
/// line is whole.
fn ceiling(value: u64) -> u64 {
    let mut power = 1;
    loop {
        for step in [2_u64, 4, 10] {
            let candidate = step.saturating_mul(power);
            if candidate >= value {
                return candidate;
            }
        }
        power = match u64::checked_mul(power, 10) {
            Some(power) => power,
            None => return value,
        };
    }
}

fn y_of(value: u64, top: u64) -> u64 {
    TOP + PLOT_H - scale(value, top)
}

fn scale(value: u64, top: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(PLOT_H) / u128::from(top.max(1)))
        .unwrap_or(PLOT_H)
        .min(PLOT_H)
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Middle of a point's slot.
fn x_of(point: usize, points: usize) -> u64 {
    LEFT + (PLOT_W * (2 * wide(point) + 1)) / (2 * wide(points.max(1)))
}

/// At most seven labels along the axis.
fn tick_places(points: usize) -> Vec<usize> {
    let step = points.div_ceil(7).max(1);
    (step / 2..points).step_by(step).collect()
}

/// `2026-11-21 08:00` becomes `08:00`, a date becomes `11-21`.
fn short(label: &str) -> String {
    let (date, time) = label.split_once(' ').unwrap_or((label, ""));
    match (date.get(5..), time) {
        (_, time) if !time.is_empty() && time != "00:00" => time.to_owned(),
        (Some(day), _) => day.to_owned(),
        _ => label.to_owned(),
    }
}

fn bars(points: usize, top: u64, series: &[Series]) -> AnyView {
    let slot = PLOT_W / wide(points.max(1));
    let width = (slot * 7 / 10).clamp(1, 26);
    (0..points)
        .map(|point| {
            let mut below = 0;
            series
                .iter()
                .filter_map(|s| {
                    let value = s.values.get(point).copied().flatten().filter(|v| *v > 0)?;
                    let height = scale(value, top).max(1);
                    below += height;
                    Some(view! {
                        <rect
                            class=format!("bar-{}", s.class)
                            x=(x_of(point, points) - width / 2).to_string()
                            y=(TOP + PLOT_H).saturating_sub(below).to_string()
                            width=width.to_string()
                            height=height.to_string()
                        />
                    })
                })
                .collect_view()
        })
        .collect_view()
        .into_any()
}

fn lines(shape: Shape, points: usize, top: u64, series: &[Series]) -> AnyView {
    series
        .iter()
        .map(|s| {
            let line = path(points, top, &s.values);
            let area = (shape == Shape::Area && points > 1).then(|| {
                let base = TOP + PLOT_H;
                let d = format!("{line}L{} {base}L{} {base}Z", x_of(points - 1, points), x_of(0, points));
                view! { <path class=format!("area-{}", s.class) d=d/> }
            });
            view! { {area} <path class=format!("line-{}", s.class) d=line/> }
        })
        .collect_view()
        .into_any()
}

fn path(points: usize, top: u64, values: &[Option<u64>]) -> String {
    let mut d = String::new();
    let mut pen_down = false;
    for (point, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let (x, y) = (x_of(point, points), y_of(*value, top));
            // A lone point would draw nothing; a short stroke makes it visible.
            let stroke = if pen_down { format!("L{x} {y}") } else { format!("M{x} {y}h1") };
            d.push_str(&stroke);
        }
        pen_down = value.is_some();
    }
    d
}

fn hovers(labels: &[String], series: &[Series], unit: fn(u64) -> String) -> AnyView {
    let points = labels.len();
    let slot = (PLOT_W / wide(points.max(1))).max(1);
    labels
        .iter()
        .enumerate()
        .map(|(point, label)| {
            let mut text = format!("{label} UTC");
            for s in series {
                if let Some(value) = s.values.get(point).copied().flatten() {
                    text = format!("{text}\n{}: {}", s.name, unit(value));
                }
            }
            view! {
                <rect
                    class="hover"
                    x=(x_of(point, points) - slot / 2).to_string()
                    y=TOP.to_string()
                    width=slot.to_string()
                    height=PLOT_H.to_string()
                >
                    <title>{text}</title>
                </rect>
            }
        })
        .collect_view()
        .into_any()
}

fn table(labels: &[String], series: &[Series], unit: fn(u64) -> String) -> AnyView {
    let t = translator();
    let rows = labels
        .iter()
        .enumerate()
        .rev()
        .map(|(point, label)| {
            let cells = series
                .iter()
                .map(|s| {
                    let value = s.values.get(point).copied().flatten();
                    view! { <td class="num" data-label=s.name>{value.map_or_else(|| "–".to_owned(), unit)}</td> }
                })
                .collect_view();
            view! { <tr><th scope="row">{label.clone()}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table tight">
                <thead>
                    <tr>
                        <th scope="col">{t(c::TIME)} " (UTC)"</th>
                        {series.iter().map(|s| view! { <th scope="col" class="num">{s.name}</th> }).collect_view()}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_even_number() {
        for (value, top) in [(0, 2), (3, 4), (5, 10), (11, 20), (399, 400), (401, 1_000), (1_001, 2_000)] {
            assert_eq!(ceiling(value), top);
        }
    }

    #[test]
    fn the_highest_value_touches_the_top_and_zero_the_bottom() {
        assert_eq!(y_of(400, 400), TOP);
        assert_eq!(y_of(0, 400), TOP + PLOT_H);
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let d = path(3, 10, &[Some(1), None, Some(2)]);
        assert_eq!(d.matches('M').count(), 2);
    }
}
