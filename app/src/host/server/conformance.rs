//! Reads the tables out of `docs/conformance.md`, which is built into the program. It knows the form in which they are
//! written and nothing of what they mean.

use super::principal;
use crate::api::conformance::Matrix;
use crate::error::AppError;

const PAGE: &str = include_str!("../../../../docs/conformance.md");

/// The tables, for whoever is signed in.
pub(crate) fn conformance() -> Result<Vec<Matrix>, AppError> {
    principal()?;
    Ok(tables(PAGE))
}

/// The table of broken bytes tells how robust the readers are, not how much arrives; it stays in the document.
const OF_ANOTHER_KIND: &str = "Broken bytes";

/// What was recorded, from the list at the top, and every table of fidelity below a heading.
fn tables(page: &str) -> Vec<Matrix> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut all = vec![Matrix {
        title: "Recorded".to_owned(),
        head: owned(&["dialect", "answers", "streams", "requests"]),
        rows: Vec::new(),
    }];
    for line in page.lines() {
        if let Some((name, counts)) = line.strip_prefix("* ").and_then(|line| line.split_once(": ")) {
            let counts = counts.split(", ").filter_map(|count| count.split(' ').next());
            if let Some(recorded) = all.first_mut() {
                recorded.rows.push(std::iter::once(name).chain(counts).map(str::to_owned).collect());
            }
        } else if let Some(title) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            all.push(Matrix { title: title.to_owned(), ..Matrix::default() });
        } else if let (Some(cells), Some(matrix)) = (line.strip_prefix("| "), all.last_mut()) {
            let cells = cells.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            if matrix.head.is_empty() { matrix.head = cells } else { matrix.rows.push(cells) }
        }
    }
    all.retain(|matrix| !matrix.rows.is_empty() && matrix.title != OF_ANOTHER_KIND);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_page_is_read_and_has_words_in_both_languages() {
        let all = tables(PAGE);
        let titles: Vec<&str> = all.iter().map(|matrix| matrix.title.as_str()).collect();
        assert_eq!(titles, ["Recorded", "Answers", "Requests", "Fields of requests"]);
        for matrix in &all {
            let words = crate::pages::conformance::words;
            assert!(words(&matrix.title).is_some(), "{}", matrix.title);
            assert!(matrix.rows.iter().all(|row| row.len() == matrix.head.len()), "{matrix:#?}");
            for head in &matrix.head {
                assert!(words(head).is_some(), "app/src/text/conformance.rs has no words for '{head}'");
            }
            assert_eq!(
                matrix.rows.len(),
                if matrix.title == "Recorded" { 4 } else { 12 },
                "{}",
                matrix.title
            );
        }
    }
}
