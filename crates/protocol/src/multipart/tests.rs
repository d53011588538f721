//! Multipart bodies, honest and not.

use super::*;
use crate::splice::replace_model;

const KIND: &str = "multipart/form-data; boundary=\"XyZ\"";

fn form(parts: &[(&str, &str)]) -> String {
    let part = |(disposition, content): &(&str, &str)| {
        format!(
            "--XyZ\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: text/plain\r\n\r\n{content}\r\n"
        )
    };
    parts.iter().map(part).collect::<Vec<_>>().concat() + "--XyZ--\r\n"
}

fn read(body: &str) -> Result<Probe, DecodeError> {
    probe(KIND, body.as_bytes())
}

#[test]
fn the_model_part_is_found_among_files_and_can_be_replaced() {
    let body = form(&[
        ("name=\"file\"; filename=\"a.wav\"", "RIFF\r\n--XyY\r\nname=\"model\"\r\n\r\nno"),
        ("name=\"empty\"", ""),
        ("name=model", "gpt-image-1"),
        ("name=\"stream\"", "true"),
        ("name=\"n\"", "2"),
    ]);
    let found = read(&body).unwrap();
    let model = found.model.unwrap();
    assert_eq!(model.name, "gpt-image-1");
    assert!(found.stream);
    let new = replace_model(body.as_bytes(), &model, "other", true);
    assert_eq!(std::str::from_utf8(&new).unwrap(), body.replace("gpt-image-1", "other"));
}

#[test]
fn a_form_without_model_is_left_to_others() {
    assert_eq!(read(&form(&[("name=\"file\"", "x")])).unwrap().model, None);
    assert_eq!(read("preamble\r\n--XyZ--").unwrap().model, None);
}

#[test]
fn c11_duplicate_parts_are_refused_by_name() {
    for (name, value) in [("model", "m"), ("stream", "true"), ("n", "1")] {
        let part = (format!("name=\"{name}\""), value);
        let error = read(&form(&[(&part.0, part.1), (&part.0, part.1)])).unwrap_err();
        assert_eq!(error.field(), Some(name), "{error}");
    }
}

#[test]
fn c20_x21_bad_values_are_refused_by_name() {
    for (name, value) in [("model", "a\r\nb"), ("model", ""), ("n", "-1"), ("n", "x"), ("stream", "maybe")] {
        let error = read(&form(&[(&format!("name=\"{name}\""), value)])).unwrap_err();
        assert_eq!(error.field(), Some(name), "{error}");
    }
}

#[test]
fn c10_ambiguous_or_broken_forms_are_refused() {
    let good = form(&[("name=\"model\"", "m")]);
    for body in [
        good.replace("--XyZ--\r\n", ""),
        good.replace("\r\n\r\n", "\r\n"),
        good.replace("name=\"model\"", "name=\"model\"; name=\"file\""),
        good.replace("form-data; name=\"model\"", "form-data"),
        good.replace("Content-Type: text/plain", "no colon"),
        good.replace("text/plain", "text/\rplain"),
        good.replace("--XyZ\r\n", "--XyZx\r\n"),
        "nothing".to_owned(),
    ] {
        assert!(matches!(read(&body), Err(DecodeError::Multipart { .. })), "{body:?}");
    }
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a\u{1}\"",
    ] {
        assert!(probe(kind, good.as_bytes()).is_err(), "{kind}");
    }
    let many = form(&vec![("name=\"x\"", ""); 1_002]);
    assert!(read(&many).is_err());
    let long = form(&[(&format!("name=\"{}\"", "x".repeat(9_000)), "")]);
    assert!(read(&long).is_err());
}
