//! The list of a bucket: the answer to `ListObjectsV2`.

use serde_json::{Map, Value};

use super::Decoded;
use super::xml::{Node, walk};

/// Rows have the names of the protocol: `Key`, `Size`, `ETag` (without quotes), `LastModified`, `StorageClass`.
pub(super) fn decode(text: &str) -> Result<Decoded, String> {
    let mut open: Vec<String> = Vec::new();
    let (mut document, mut row, mut rows, mut value) = (Map::new(), Map::new(), Vec::new(), String::new());
    walk(text, |node| {
        match node {
            Node::Start(name, _) => {
                if open.is_empty() && name != "ListBucketResult" {
                    return Err(format!("its outermost element is '{name}'"));
                }
                value.clear();
                open.push(name);
            }
            Node::Text(text) => value.push_str(&text),
            Node::End(name) => {
                open.pop();
                match (open.len(), open.last().map(String::as_str)) {
                    (1, _) if name == "Contents" => rows.push(Value::Object(std::mem::take(&mut row))),
                    (1, _) => drop(document.insert(name, std::mem::take(&mut value).into())),
                    (2, Some("Contents")) => {
                        let value = if name == "ETag" { value.trim_matches('"') } else { value.as_str() };
                        row.insert(name, value.into());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    let said = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if said("IsTruncated") == Some("true") && said("NextContinuationToken").is_none() {
        return Err("it is cut and says no token to go on with".to_owned());
    }
    if said("IsTruncated") != Some("true") {
        document.remove("NextContinuationToken");
    }
    Ok(Decoded { document: Value::Object(document), rows, ..Decoded::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>true</IsTruncated>
<NextContinuationToken>t/1=</NextContinuationToken>
<Contents><Key>night/a &amp; b.fits</Key><ETag>&quot;d8b7bce5f24922c5d03dec9fb73b6c8b&quot;</ETag><Size>7</Size><Owner><ID>x</ID></Owner></Contents>
</ListBucketResult>"#;

    #[test]
    fn objects_and_the_token_for_the_next_page_are_read() {
        let decoded = decode(LIST).unwrap();
        assert_eq!(decoded.rows.len(), 1);
        assert_eq!(decoded.rows[0]["Key"], "night/a & b.fits");
        assert_eq!(decoded.rows[0]["ETag"], "d8b7bce5f24922c5d03dec9fb73b6c8b");
        assert_eq!(decoded.rows[0]["Size"], "7");
        assert_eq!(decoded.document["NextContinuationToken"], json!("t/1="));
    }

    #[test]
    fn a_cut_list_without_a_token_and_another_document_are_told() {
        assert!(decode(&LIST.replace("t/1=", "")).is_err());
        assert!(decode("<Error><Code>NoSuchBucket</Code></Error>").is_err());
        assert!(decode(&LIST[..200]).is_err());
    }
}
