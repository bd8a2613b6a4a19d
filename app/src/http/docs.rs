//! `/docs`: the interface as a page, made from the same document as `/openapi.json`.

use std::fmt::Write as _;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Html;
use serde_json::Value;

use super::openapi;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f4f4f2;border-radius:3px}code{padding:.1em .3em}pre{padding:.8em;overflow-x:auto}\
h2{margin-top:2.5rem;border-bottom:1px solid #ddd}details{margin:.4rem 0}summary{cursor:pointer}\
.m{display:inline-block;min-width:3.2rem;font-weight:600}.post{color:#0a6}.get{color:#06c}";

/// The page.
pub(super) async fn page() -> Html<String> {
    let document = openapi::build();
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Daybook</title><style>{STYLE}</style><h1>Daybook</h1><p>{}</p><p>The same as a document for machines: <a href=/openapi.json>/openapi.json</a></p>",
        escape(document["info"]["description"].as_str().unwrap_or_default())
    );
    let mut last_tag = "";
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            if tag != last_tag {
                let _ = write!(html, "<h2>{}</h2>", escape(tag));
                last_tag = tag;
            }
            write_operation(&mut html, &document, (method, path), operation);
        }
    }
    html.push_str("</html>");
    Html(html)
}

/// A schema, where it is told.
fn told<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let place = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(schema)
}

fn write_operation(
    html: &mut String,
    document: &Value,
    (method, path): (&str, &str),
    operation: &Value,
) {
    let _ = write!(
        html,
        "<details><summary><span class='m {method}'>{}</span> <code>{}</code> {}</summary>",
        method.to_uppercase(),
        escape(path),
        escape(operation["summary"].as_str().unwrap_or_default())
    );
    if let Some(parameters) = operation["parameters"].as_array() {
        html.push_str("<ul>");
        for parameter in parameters {
            let _ = write!(
                html,
                "<li><code>{}</code> ({}) {}</li>",
                escape(parameter["name"].as_str().unwrap_or_default()),
                escape(parameter["in"].as_str().unwrap_or_default()),
                escape(parameter["description"].as_str().unwrap_or_default())
            );
        }
        html.push_str("</ul>");
    }
    let body = &operation["requestBody"]["content"];
    for (media, content) in body.as_object().into_iter().flatten() {
        let schema = told(document, &content["schema"]);
        let schema = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(
            html,
            "<p>Body, <code>{}</code>:</p><pre>{}</pre>",
            escape(media),
            escape(&schema)
        );
    }
    html.push_str("</details>");
}

/// `/problems/{code}`: what a problem's type leads to.
pub(super) async fn problem(Path(code): Path<String>) -> (StatusCode, Html<String>) {
    let known = openapi::problem_codes().into_iter().find(|(name, _)| *name == code);
    let (status, text) = match known {
        Some((_, meaning)) => (StatusCode::OK, meaning.to_owned()),
        None => (
            StatusCode::OK,
            "A rule of the domain refused the command. The problem's detail says which, with its numbers.".to_owned(),
        ),
    };
    (
        status,
        Html(format!(
            "<!doctype html><meta charset=utf-8><style>{STYLE}</style><h1>{}</h1><p>{}</p>",
            escape(&code),
            escape(&text)
        )),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
        .replace('"', "&quot;")
}
