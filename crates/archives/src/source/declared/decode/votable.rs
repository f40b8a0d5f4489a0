//! VOTable: the first table of the results, written as TABLEDATA.

use serde_json::{Map, Number, Value};

use super::Decoded;
use super::xml::{Node, walk};
use crate::http::message::plain;

#[derive(Debug, Default)]
struct Table {
    columns: Vec<Column>,
    cells: Vec<Value>,
    rows: Vec<Value>,
    text: String,
    overflow: bool,
    /// An error that the service tells of itself; its text is still to come.
    refused: bool,
    tables: usize,
}

#[derive(Debug)]
struct Column {
    name: String,
    is_number: bool,
}

pub(super) fn decode(text: &str) -> Result<Decoded, String> {
    let mut table = Table::default();
    let mut depth = 0_usize;
    walk(text, |node| match node {
        Node::Start(name, attributes) => {
            depth += 1;
            if depth == 1 && name != "VOTABLE" {
                return Err(format!("its outermost element is '{name}'"));
            }
            table.start(&name, &attributes)
        }
        Node::Text(text) => {
            table.text.push_str(&text);
            Ok(())
        }
        Node::End(name) => {
            depth = depth.saturating_sub(1);
            table.end(&name)
        }
    })?;
    if table.tables == 0 {
        return Err("it holds no table".to_owned());
    }
    Ok(Decoded { rows: table.rows, overflow: table.overflow, ..Decoded::default() })
}

impl Table {
    fn start(&mut self, name: &str, attributes: &[(String, String)]) -> Result<(), String> {
        let value = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        self.text.clear();
        match name {
            "TABLE" => self.tables += 1,
            "FIELD" if self.tables == 1 => {
                let name = value("name").or(value("ID")).ok_or("a column has no name")?.to_owned();
                let numbers = ["short", "int", "long", "float", "double", "unsignedByte"];
                let is_number =
                    value("arraysize").is_none() && value("datatype").is_some_and(|kind| numbers.contains(&kind));
                self.columns.push(Column { name, is_number });
            }
            "TR" => self.cells.clear(),
            "INFO" if value("name") == Some("QUERY_STATUS") => match value("value") {
                Some("OVERFLOW") => self.overflow = true,
                Some("ERROR") => self.refused = true,
                _ => {}
            },
            "BINARY" | "BINARY2" | "FITS" => {
                return Err(format!("its rows are written as {name}; ask for TABLEDATA, or for CSV"));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), String> {
        match name {
            "INFO" if self.refused => {
                return Err(format!("the service refuses the query: {}", plain(self.text.trim())));
            }
            "TD" if self.tables == 1 => {
                let column = self.columns.get(self.cells.len()).ok_or("a row has more cells than there are columns")?;
                self.cells.push(cell(column, self.text.trim()));
            }
            "TR" if self.tables == 1 => {
                if self.cells.len() != self.columns.len() {
                    return Err("a row has fewer cells than there are columns".to_owned());
                }
                let names = self.columns.iter().map(|column| column.name.clone());
                let row = Map::from_iter(names.zip(self.cells.drain(..)).filter(|(_, value)| !value.is_null()));
                self.rows.push(Value::Object(row));
            }
            _ => {}
        }
        self.text.clear();
        Ok(())
    }
}

/// Why a service refuses a query, if this is the VOTable in which it does; it may be cut after that.
pub(crate) fn refusal(text: &str) -> Option<String> {
    let mut reason = None;
    let walked = walk(text, |node| match (node, &mut reason) {
        (Node::Start(name, attributes), reason) if name == "INFO" => {
            let has = |name: &str, value: &str| attributes.iter().any(|(of, is)| of == name && is == value);
            if has("name", "QUERY_STATUS") && has("value", "ERROR") {
                *reason = Some(String::new());
            }
            Ok(())
        }
        (Node::Text(text), Some(reason)) => {
            reason.push_str(&text);
            Ok(())
        }
        (Node::End(_), Some(_)) => Err(ALL_READ.to_owned()),
        _ => Ok(()),
    });
    // What is wrong beyond the reason does not matter to whoever wants to know the reason.
    drop(walked);
    reason.map(|reason| reason.trim().to_owned())
}

/// Ends a walk that has found what it looked for.
const ALL_READ: &str = "no more is needed";

/// The value of a cell; an empty one has none.
fn cell(column: &Column, text: &str) -> Value {
    match text {
        "" => Value::Null,
        "NaN" | "null" if column.is_number => Value::Null,
        number if column.is_number => number.parse::<Number>().map_or_else(|_| number.into(), Value::Number),
        text => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn votable(status: &str, data: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">{status}<TABLE><FIELD name="dp_id" datatype="char" arraysize="*"/>
<FIELD name="access_estsize" datatype="long"/><FIELD name="t_min" datatype="double"/><DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>"#
        )
    }

    const ROWS: &str = "<TABLEDATA><TR><TD>ADP.1</TD><TD>12</TD><TD>60000.5</TD></TR>\n<TR><TD>a &lt; b</TD><TD/><TD>NaN</TD></TR></TABLEDATA>";

    #[test]
    fn rows_are_named_and_typed_by_their_fields() {
        let decoded = decode(&votable(r#"<INFO name="QUERY_STATUS" value="OK"/>"#, ROWS)).unwrap();
        assert_eq!(decoded.rows[0], json!({"dp_id": "ADP.1", "access_estsize": 12, "t_min": 60000.5}));
        assert_eq!(decoded.rows[1], json!({"dp_id": "a < b"}));
        assert!(!decoded.overflow);
    }

    #[test]
    fn a_cut_list_a_refusal_and_binary_rows_are_told() {
        let info = |value: &str, text: &str| format!(r#"<INFO name="QUERY_STATUS" value="{value}">{text}</INFO>"#);
        assert!(decode(&votable(&info("OVERFLOW", ""), ROWS)).unwrap().overflow);
        let error = decode(&votable(&info("ERROR", "no such column"), ROWS)).unwrap_err();
        assert!(error.contains("no such column"), "{error}");
        for form in ["BINARY", "BINARY2"] {
            let error = decode(&votable("", &format!("<{form}><STREAM>AAAA</STREAM></{form}>"))).unwrap_err();
            assert!(error.contains(form) && error.contains("TABLEDATA"), "{error}");
        }
    }

    #[test]
    fn the_reason_of_a_refusal_is_found_even_in_a_beginning() {
        let info = |status: &str| format!(r#"<INFO name="QUERY_STATUS" value="{status}"> no &quot;x&quot; </INFO>"#);
        let refused = votable(&info("ERROR"), "");
        assert_eq!(refusal(&refused).as_deref(), Some("no \"x\""));
        assert_eq!(refusal(&refused[..refused.find("x&quot;").unwrap() + 1]).as_deref(), Some("no \"x"));
        assert_eq!(refusal(&votable(&info("OK"), ROWS)), None);
        assert_eq!(refusal("<html>INFO</html>"), None);
    }

    #[test]
    fn rows_that_do_not_fit_their_columns_are_told() {
        for rows in
            ["<TABLEDATA><TR><TD>a</TD></TR></TABLEDATA>", "<TABLEDATA><TR><TD/><TD/><TD/><TD/></TR></TABLEDATA>"]
        {
            assert!(decode(&votable("", rows)).is_err(), "{rows}");
        }
        assert!(decode("<html/>").is_err());
    }
}
