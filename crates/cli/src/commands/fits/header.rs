//! `holotype fits header`

use std::path::PathBuf;

use holotype_fits::{Card, Hdu, Value};
use serde_json::{Number, json};

use super::{find, source};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::plain;

/// Print the header of an HDU, card by card
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Cards are printed as they stand in the file, and with --json as {keyword, value, comment} in the same
order, duplicates among them; COMMENT and HISTORY have their text as the comment and no value.

Examples:
  holotype fits header frame.fits
  holotype fits header frame.fits.fz --hdu SCI
  holotype fits header frame.fits.fz --hdu 1 --json")]
pub(super) struct Header {
    /// The file
    file: PathBuf,
    /// The HDU, by number or by name
    #[arg(long, value_name = "N|NAME", default_value = "0")]
    hdu: String,
}

impl Header {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let wanted = self.hdu;
        let header =
            source::work(&self.file, "read", move |source| Ok(find(&Hdu::walk(source)?, &wanted)?.header.clone()))
                .await?;
        let cards: Vec<_> = header.cards().iter().map(members).collect();
        context.ui.result(&cards, || {
            let records = header.cards().iter().flat_map(Card::records);
            records.map(|record| format!("{}\n", plain(record.trim_end()))).collect()
        })
    }
}

fn members(card: &Card) -> serde_json::Value {
    let real = |number: &f64| Number::from_f64(*number);
    let value = match card.value() {
        None | Some(Value::Undefined) => json!(null),
        Some(Value::Text(text) | Value::Other(text)) => json!(text),
        Some(Value::Logical(logical)) => json!(logical),
        Some(Value::Integer(number)) => json!(Number::from_i128(*number)),
        Some(Value::Real(number)) => json!(real(number)),
        Some(Value::Complex(first, second)) => json!([real(first), real(second)]),
    };
    json!({ "keyword": card.keyword(), "value": value, "comment": card.comment() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_type() {
        let value = |value: Value| members(&Card::new("A", value, "why").unwrap())["value"].to_string();
        assert_eq!(value(Value::Text("it's".to_owned())), "\"it's\"");
        assert_eq!(value(Value::Integer(i128::from(u64::MAX) + 1)), "18446744073709551616");
        assert_eq!(value(Value::Real(0.5)), "0.5");
        assert_eq!(value(Value::Logical(false)), "false");
        assert_eq!(value(Value::Complex(1.0, -2.5)), "[1.0,-2.5]");
        assert_eq!(value(Value::Undefined), "null");
        let history = Card::commentary("HISTORY", "made today").unwrap();
        assert_eq!(members(&history), json!({ "keyword": "HISTORY", "value": null, "comment": "made today" }));
    }
}
