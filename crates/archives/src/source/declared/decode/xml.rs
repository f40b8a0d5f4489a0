//! XML as elements and texts, with a bound on its depth and no entities but the five of XML itself.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Deeper than any answer of an archive.
const MAX_DEPTH: usize = 32;

/// What a document is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// An element begins. Its name has no prefix.
    Start(String, Vec<(String, String)>),
    /// A piece of text.
    Text(String),
    /// The element that began last ends.
    End(String),
}

/// Tells the nodes of a document in their order.
pub(super) fn walk(text: &str, mut tell: impl FnMut(Node) -> Result<(), String>) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                depth += 1;
                elements += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("it is nested deeper than {MAX_DEPTH}"));
                }
                tell(Node::Start(local(start.local_name().as_ref()), attributes(&start)?))?;
            }
            Event::Empty(start) => {
                elements += 1;
                let name = local(start.local_name().as_ref());
                tell(Node::Start(name.clone(), attributes(&start)?))?;
                tell(Node::End(name))?;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                tell(Node::End(local(end.local_name().as_ref())))?;
            }
            Event::Text(text) => tell(Node::Text(text.decode().map_err(|error| error.to_string())?.into_owned()))?,
            Event::CData(data) => tell(Node::Text(data.decode().map_err(|error| error.to_string())?.into_owned()))?,
            Event::GeneralRef(reference) => tell(Node::Text(resolve(&reference)?))?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof if depth > 0 => return Err("it ends in the middle".to_owned()),
            Event::Eof if elements == 0 => return Err("it holds no element".to_owned()),
            Event::Eof => return Ok(()),
        }
    }
}

fn local(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let read = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        Ok((local(attribute.key.local_name().as_ref()), value.into_owned()))
    };
    start.attributes().map(|attribute| read(attribute.map_err(|error| error.to_string())?)).collect()
}

/// What `&lt;` or `&#60;` stands for. A document's own entities stand for nothing: they can be made to explode.
fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|error| error.to_string())?;
    let known = resolve_predefined_entity(&name).ok_or_else(|| format!("it uses the entity '{name}'"))?;
    Ok(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(text: &str) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        walk(text, |node| {
            nodes.push(node);
            Ok(())
        })?;
        Ok(nodes)
    }

    #[test]
    fn elements_attributes_and_texts_are_told_in_order() {
        let read = nodes("<?xml version='1.0'?><v:a b='1 &amp; 2'><c/>x &lt; &#65;<![CDATA[<y>]]></v:a>").unwrap();
        let start = |name: &str, attributes: Vec<(String, String)>| Node::Start(name.to_owned(), attributes);
        let end = |name: &str| Node::End(name.to_owned());
        let text = |text: &str| Node::Text(text.to_owned());
        let attribute = vec![("b".to_owned(), "1 & 2".to_owned())];
        let expected = [
            start("a", attribute),
            start("c", vec![]),
            end("c"),
            text("x "),
            text("<"),
            text(" "),
            text("A"),
            text("<y>"),
            end("a"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn entities_do_not_explode_and_depth_has_an_end() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>";
        assert!(nodes(bomb).unwrap_err().contains("entity"));
        assert!(nodes(&"<a>".repeat(10_000)).is_err());
        for cut in ["<a><b></b>", "<a></b>", "", "no xml", "<a"] {
            assert!(nodes(cut).is_err(), "{cut}");
        }
    }
}
