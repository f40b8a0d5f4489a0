//! The index of a folder, as Apache, nginx and others show it: links, and beside each a date and a size.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde_json::{Map, Value};
use url::Url;

use super::super::definition::HtmlDecoder;
use super::Decoded;

/// A link, with its text and what stands between it and the next one.
static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?is)<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))[^>]*>(.*?)(?:<a\s|$)"#).ok()
});

static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)<[^>]*>").ok());

/// `2026-11-20 13:14`, `20-Nov-2026 13:14`, both with seconds or without, and then a size in bytes, if it is one.
static FACTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(\d{4}-\d\d-\d\d|\d{1,2}-[A-Z][a-z]{2}-\d{4})[ T](\d\d:\d\d(?::\d\d)?)(?:\s+(\d+)(?:\s|$))?").ok()
});

/// Rows have `name`, `url`, `path` (of the address), and where they are shown `modified` and `size`. Only what lies directly in
/// the folder counts: no way up, no other host, no link to sort the list by.
pub(super) fn decode(decoder: &HtmlDecoder, folder: &Url, text: &str) -> Result<Decoded, String> {
    let link = LINK.as_ref().ok_or("the pattern for links is broken")?;
    let mut decoded = Decoded::default();
    let (mut at, mut links) = (0, 0_usize);
    while let Some(found) = link.captures_at(text, at) {
        links += 1;
        // The text up to the next link was looked at; that link itself comes next.
        at = found.get(4).map_or(text.len(), |after| after.end());
        let href = [1, 2, 3].iter().find_map(|group| found.get(*group)).map_or("", |href| href.as_str());
        let Some(url) = within(folder, &unescape(href)) else { continue };
        let name = last_segment(&url);
        if url.path().ends_with('/') {
            if decoder.folders.as_ref().is_some_and(|wanted| wanted.is_match(&name)) {
                decoded.folders.push(url);
            }
            continue;
        }
        let after = found.get(4).map_or("", |after| after.as_str());
        decoded.rows.push(Value::Object(row(name, &url, after)));
    }
    if links == 0 && !text.to_ascii_lowercase().contains("<html") {
        return Err("it is no page, or one without links".to_owned());
    }
    Ok(decoded)
}

fn row(name: String, url: &Url, after: &str) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("name".to_owned(), name.into());
    row.insert("url".to_owned(), url.as_str().into());
    row.insert("path".to_owned(), url.path().into());
    // A name may look like a date: only what stands behind the link is said of the file.
    let after = after.find("</").map_or(after, |end| &after[end..]);
    let plain = TAG.as_ref().map_or_else(|| after.into(), |tag| tag.replace_all(after, " "));
    if let Some(facts) = FACTS.as_ref().and_then(|facts| facts.captures(&plain)) {
        row.insert("modified".to_owned(), format!("{} {}", &facts[1], &facts[2]).into());
        if let Some(size) = facts.get(3) {
            row.insert("size".to_owned(), size.as_str().into());
        }
    }
    row
}

/// What a link leads to, if that lies directly in the folder.
fn within(folder: &Url, href: &str) -> Option<Url> {
    let url = folder.join(href).ok()?;
    if url.origin() != folder.origin() || url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    let base = &folder.path()[..=folder.path().rfind('/')?];
    let rest = url.path().strip_prefix(base)?;
    let child = rest.strip_suffix('/').unwrap_or(rest);
    (!child.is_empty() && !child.contains('/')).then_some(url)
}

fn last_segment(url: &Url) -> String {
    let path = url.path().trim_end_matches('/');
    let segment = path.rsplit('/').next().unwrap_or_default();
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The few entities that stand in addresses.
fn unescape(href: &str) -> String {
    href.trim()
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decoded {
        let folders = String::from(r"^\d{8}$").try_into().unwrap();
        let decoder = HtmlDecoder { folders: Some(folders), depth: 1 };
        decode(&decoder, &"http://h/data/".parse().unwrap(), text).unwrap()
    }

    #[test]
    fn the_lists_of_nginx_and_of_apache_are_read() {
        let nginx = "<html><body><pre><a href=\"../\">../</a>\n<a href=\"20240714/\">20240714/</a>  15-Jul-2024 01:00  -\n\
             <a href=\"a%20b.fits\">a b.fits</a>   15-Jul-2024 01:02     12345\n</pre></body></html>";
        let decoded = read(nginx);
        assert_eq!(decoded.folders[0].as_str(), "http://h/data/20240714/");
        let row = &decoded.rows[0];
        assert_eq!((&row["name"], &row["url"]), (&"a b.fits".into(), &"http://h/data/a%20b.fits".into()));
        assert_eq!((&row["modified"], &row["size"]), (&"15-Jul-2024 01:02".into(), &"12345".into()));

        let apache = "<table><tr><th><a href=\"?C=N;O=D\">Name</a></th></tr><tr><td><A HREF='/data/c.fits'>c.fits</A></td>\
             <td align=\"right\">2024-07-15 01:02  </td><td>1.2M</td></tr></table>";
        let decoded = read(apache);
        assert_eq!(decoded.rows.len(), 1);
        assert_eq!(decoded.rows[0]["modified"], "2024-07-15 01:02");
        assert_eq!(decoded.rows[0].get("size"), None, "a rounded size is none");
    }

    #[test]
    fn only_what_lies_in_the_folder_counts() {
        let links = [
            "/etc/passwd",
            "../x.fits",
            "//other/x.fits",
            "http://other/x.fits",
            "sub/x.fits",
            "#x",
            "javascript:x",
            "",
            ".",
        ];
        let page: String = links.iter().map(|link| format!("<a href=\"{link}\">x</a>\n")).collect();
        assert!(read(&page).rows.is_empty());
        // A link that is not closed hides no other.
        let names: Vec<_> =
            read("<html><a href=a.fits>a <a href=b.fits>b</a>").rows.iter().map(|row| row["name"].clone()).collect();
        assert_eq!(names, ["a.fits", "b.fits"]);
        // A name with a hidden separator stays a row, so that it can be refused aloud.
        assert_eq!(read("<a href=\"..%2fx.fits\">x</a>").rows[0]["name"], "../x.fits");
    }

    #[test]
    fn what_is_no_page_is_told() {
        let decoder = HtmlDecoder { folders: None, depth: 0 };
        assert!(decode(&decoder, &"http://h/".parse().unwrap(), "{}").is_err());
    }
}
