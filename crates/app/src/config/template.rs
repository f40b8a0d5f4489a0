//! The `holotype.toml` that a new home starts with: every key, explained and commented out.

use super::KEYS;

/// A file that sets nothing and shows everything that can be set.
pub(crate) fn template() -> String {
    let mut text = String::from(
        "# Holotype's configuration. Every key can also be set by an environment variable (HOLOTYPE_ and the key, in capitals,\n\
         # with _ for a point) and by a flag of `holotype serve`. `holotype config show` says where each value came from.\n\
         # Secrets do not belong here: keys that end in _env name the environment variable that holds one.\n",
    );
    for key in KEYS {
        let value = match key.default_value() {
            Some(default) => format!("\"{default}\""),
            None => format!("\"\"  # {}", key.default),
        };
        text.push_str(&format!("\n# {}. Form: {}\n# {} = {value}\n", key.help, key.form, key.name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_sets_nothing_and_names_every_key() {
        let text = template();
        assert!(text.parse::<toml::Table>().unwrap().is_empty());
        let set: String = text
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| KEYS.iter().any(|key| line.starts_with(&format!("{} = ", key.name))))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(set.lines().count(), KEYS.len());
        set.parse::<toml::Table>().unwrap();
    }
}
