//! Options from a file (`cresset train --config FILE.toml`, and `cresset profile`).
//!
//! A key of the file is an option of the command line, so that both have one meaning, one default and one check: what the file says is put behind
//! what the command line says, unless that says it too.

use crate::args::Cli;
use crate::failure::{Failure, Result};
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    /// Text, or a whole number.
    Column,
    /// A path, from the folder that the file is in.
    Path,
    Number,
    Whole,
    /// A list of whole numbers.
    Sizes,
}

/// Sections, their keys, and the options that these are.
const SECTIONS: &[(&str, &[(&str, &str, Kind)])] = &[
    (
        "data",
        &[
            ("name", "data", Kind::Text),
            ("dir", "data-dir", Kind::Path),
            ("csv", "csv", Kind::Path),
            ("target", "target", Kind::Column),
            ("test_fraction", "test-fraction", Kind::Number),
        ],
    ),
    (
        "network",
        &[
            ("layers", "layers", Kind::Sizes),
            ("activation", "activation", Kind::Text),
            ("norm", "norm", Kind::Text),
            ("dropout", "dropout", Kind::Number),
        ],
    ),
    ("loss", &[("name", "loss", Kind::Text), ("label_smoothing", "label-smoothing", Kind::Number)]),
    (
        "optimizer",
        &[
            ("name", "optimizer", Kind::Text),
            ("lr", "lr", Kind::Number),
            ("weight_decay", "weight-decay", Kind::Number),
            ("momentum", "momentum", Kind::Number),
        ],
    ),
    ("schedule", &[("name", "schedule", Kind::Text)]),
    (
        "training",
        &[("epochs", "epochs", Kind::Whole), ("batch_size", "batch-size", Kind::Whole), ("seed", "seed", Kind::Whole)],
    ),
    (
        "early_stopping",
        &[
            ("patience", "patience", Kind::Whole),
            ("min_delta", "min-delta", Kind::Number),
            ("validation_fraction", "validation-fraction", Kind::Number),
        ],
    ),
    (
        "run",
        &[
            ("name", "name", Kind::Text),
            ("out", "out", Kind::Path),
            ("keep", "keep", Kind::Whole),
            ("threads", "threads", Kind::Whole),
        ],
    ),
];

/// Why there is nothing to run.
pub enum NotParsed {
    /// Clap's own words, which may be help.
    Clap(clap::Error),
    /// A config file that is none.
    Refused(Failure),
}
impl From<clap::Error> for NotParsed {
    fn from(e: clap::Error) -> NotParsed {
        NotParsed::Clap(e)
    }
}

impl Cli {
    /// What the command line says, and the file that it names.
    pub fn from_command_line(mut args: Vec<OsString>) -> std::result::Result<Cli, NotParsed> {
        let matches = Cli::command().try_get_matches_from(&args)?;
        let Some((name, command)) = matches.subcommand().filter(|(name, _)| ["train", "profile"].contains(name)) else {
            return Ok(Cli::from_arg_matches(&matches)?);
        };
        let Some(path) = command.get_one::<std::path::PathBuf>("config") else {
            return Ok(Cli::from_arg_matches(&matches)?);
        };
        let settings = read(path).map_err(NotParsed::Refused)?;
        // A profile has no use for where a run is written.
        let known = |option: &str| name == "train" || !["name", "out", "keep"].contains(&option);
        let said = |option: &str| command.value_source(&option.replace('-', "_")) == Some(ValueSource::CommandLine);
        args.extend(settings.into_iter().filter(|(option, _)| known(option) && !said(option)).map(|(_, arg)| arg));
        Ok(Cli::from_arg_matches(&Cli::command().try_get_matches_from(args)?)?)
    }
}

/// What went wrong and what may have been meant, without the usage that clap adds.
pub fn first_paragraph(e: &clap::Error) -> String {
    let text = e.render().to_string();
    let mut lines = text.lines().map(str::trim);
    let sentence = lines.by_ref().take_while(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
    match lines.find_map(|l| l.strip_prefix("tip: a similar ")) {
        Some(tip) => format!("{sentence}; a similar {tip}"),
        None => sentence,
    }
}

/// A config file says some dozens of words. Larger ones are refused, so that reading takes little memory whatever is in them.
const LONGEST: u64 = 64 * 1024;

/// The options of a file, each with its argument (`--lr=0.1`).
fn read(path: &Path) -> Result<Vec<(&'static str, OsString)>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|e| Failure::new(format!("{}: the config file cannot be read: {e}", path.display())))?;
    parse(bytes, path)
}

/// The same from the bytes of the file.
pub fn parse(bytes: Vec<u8>, path: &Path) -> Result<Vec<(&'static str, OsString)>> {
    let shown = path.display();
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::new(format!("{shown}: a config file has at most {LONGEST} bytes, this one has more")));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::new(format!("{shown}: expected a text file in UTF-8, found another byte at offset {at}"))
    })?;
    let line = |at: usize| 1 + text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count();
    let fault = |at: usize, what: String| Failure::new(format!("{shown}, line {}: {what}", line(at)));
    let table = DeTable::parse(&text).map_err(|e| {
        fault(e.span().map_or(0, |span| span.start), format!("it is not TOML: {}", e.message().replace('\n', ", ")))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut settings = Vec::new();
    let mut places = Vec::new();
    for (section, entries) in table.get_ref() {
        let name = section.get_ref().as_ref();
        let at = section.span().start;
        let Some((_, keys)) = SECTIONS.iter().find(|(s, _)| *s == name) else {
            return Err(fault(at, unknown_section(name)));
        };
        let Some(entries) = entries.get_ref().as_table() else {
            return Err(fault(at, format!("{name} is a section: write [{name}], and its keys below")));
        };
        for (key, value) in entries {
            let at = key.span().start;
            let Some((key, option, kind)) = keys.iter().find(|(k, ..)| *k == key.get_ref().as_ref()) else {
                return Err(fault(at, unknown_key(section.get_ref(), key.get_ref())));
            };
            let name = format!("{name}.{key}");
            let words = words(value, *kind).ok_or_else(|| fault(at, wrong_type(&name, *kind, value, &text)))?;
            let mut argument = OsString::from(format!("--{option}="));
            match kind {
                Kind::Path => argument.push(folder.join(words)),
                _ => argument.push(words),
            }
            settings.push((*option, argument));
            places.push((at, name));
        }
    }
    // One look at all of them, and only if that fails the search for the one to blame.
    if check(settings.iter().map(|(_, argument)| argument)).is_err() {
        for ((_, argument), (at, name)) in settings.iter().zip(&places) {
            check([argument]).map_err(|why| fault(*at, format!("{name}: {why}")))?;
        }
    }
    Ok(settings)
}

/// What the options' own checks say of arguments.
fn check<'a>(arguments: impl IntoIterator<Item = &'a OsString>) -> std::result::Result<(), String> {
    let command = crate::args::Train::augment_args(clap::Command::new("train").no_binary_name(true));
    match command.try_get_matches_from(arguments) {
        Ok(_) => Ok(()),
        Err(e) => {
            let text = first_paragraph(&e);
            Err(text.strip_prefix("error: ").unwrap_or(&text).to_string())
        }
    }
}

/// A value as it stands on a command line, if it is of the kind.
fn words(value: &Spanned<DeValue>, kind: Kind) -> Option<String> {
    let whole = |v: &DeValue| {
        let n = v.as_integer()?;
        i128::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n.to_string())
    };
    let value = value.get_ref();
    match kind {
        Kind::Text | Kind::Path => value.as_str().map(str::to_string),
        Kind::Column => value.as_str().map(str::to_string).or_else(|| whole(value)),
        Kind::Whole => whole(value),
        Kind::Number => value.as_float().map(|x| x.as_str().to_string()).or_else(|| whole(value)),
        Kind::Sizes => {
            let sizes: Vec<String> = value.as_array()?.iter().map(|v| whole(v.get_ref())).collect::<Option<_>>()?;
            Some(if sizes.is_empty() { "0".into() } else { sizes.join(",") })
        }
    }
}

fn wrong_type(name: &str, kind: Kind, value: &Spanned<DeValue>, text: &str) -> String {
    let wanted = match kind {
        Kind::Text | Kind::Path => "text in quotes",
        Kind::Column => "text in quotes or a whole number",
        Kind::Number => "a number",
        Kind::Whole => "a whole number",
        Kind::Sizes => "a list of whole numbers, like [256, 128]",
    };
    let found = text.get(value.span()).unwrap_or_default();
    // A long value says no more than its kind.
    let found = if found.len() <= 40 && !found.contains('\n') { found } else { value.get_ref().type_str() };
    format!("{name}: expected {wanted}, found {found}")
}

/// What other programs call it.
fn synonym(key: &str) -> &str {
    match key {
        "learning_rate" => "lr",
        "hidden" | "hidden_sizes" | "hidden_layers" => "layers",
        "dropout_rate" => "dropout",
        "normalization" => "norm",
        other => other,
    }
}

fn unknown_section(name: &str) -> String {
    if let Some((section, _)) = section_of(name) {
        return format!("there is no {name} outside the sections; did you mean {name} below [{section}]?");
    }
    let sections: Vec<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
    let known = || format!("there are {}", listed(&sections));
    let hint = closest(name, &sections).map_or_else(known, |section| format!("did you mean [{section}]?"));
    format!("there is no section [{name}]; {hint}")
}

fn unknown_key(section: &str, key: &str) -> String {
    let keys: Vec<&str> =
        SECTIONS.iter().filter(|(s, _)| *s == section).flat_map(|(_, keys)| keys.iter().map(|k| k.0)).collect();
    let likely = |key: &str| {
        let all = SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(move |k| (*section, k.0)));
        all.filter(|(_, known)| *known != "name").find(|(_, known)| closest(key, &[known]).is_some())
    };
    let meant = synonym(key);
    let elsewhere = || section_of(meant).filter(|(other, _)| *other != section);
    let hint = match closest(meant, &keys).map(|own| (section, own)).or_else(elsewhere).or_else(|| likely(key)) {
        Some((place, known)) if place == section => format!("did you mean {known}?"),
        Some((place, known)) => format!("did you mean {known} below [{place}]?"),
        None if keys.len() == 1 => format!("there is {}", keys[0]),
        None => format!("there are {}", listed(&keys)),
    };
    format!("there is no {key} in [{section}]; {hint}")
}

/// Where a key belongs that stands in the wrong place. (`optimizer = "adam"` is `name` below `[optimizer]`.)
fn section_of(key: &str) -> Option<(&'static str, &'static str)> {
    let key = synonym(key);
    let named = |keys: &[(&str, &str, Kind)]| keys.iter().any(|k| k.0 == "name");
    SECTIONS.iter().find_map(|(section, keys)| {
        let own = keys.iter().find(|k| k.0 == key && key != "name").map(|k| k.0);
        let itself = (*section == key && named(keys)).then_some("name");
        own.or(itself).map(|key| (*section, key))
    })
}

/// The name that someone who wrote `word` may have meant.
fn closest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    let likely = |name: &&'a str| {
        // A quarter of the letters may be wrong; or one name begins with the other (`smoothing`, `label_smoothing` by its end).
        let part = word.len() >= 3 && (name.starts_with(&word) || name.ends_with(&word) || word.starts_with(*name));
        let most = 1 + word.len() / 4;
        // What is much longer is not compared letter by letter: it may be a file's worth of text.
        let away = if word.len() > 4 * (name.len() + 2) { word.len() } else { distance(&word, name) };
        (away <= most || part).then_some((away, *name))
    };
    names.iter().filter_map(likely).min_by_key(|(away, _)| *away).map(|(_, name)| name)
}

/// How many letters must be changed, added, dropped or swapped with their neighbour to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let best = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if swapped { best.min(table[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    table[a.len()][b.len()]
}

/// `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_an_option() {
        let command = crate::args::Train::augment_args(clap::Command::new("train"));
        let options: Vec<&str> = command.get_arguments().filter_map(|a| a.get_long()).collect();
        let keys: Vec<&str> = SECTIONS.iter().flat_map(|(_, keys)| keys.iter().map(|k| k.1)).collect();
        assert!(keys.iter().all(|key| options.contains(key)), "{options:?}");
        let others = ["config", "resume", "stop-after-batches", "help"];
        let missing: Vec<_> = options.iter().filter(|o| !keys.contains(o) && !others.contains(o)).collect();
        assert!(missing.is_empty(), "no key for {missing:?}");
    }

    #[test]
    fn unknown_names_are_guessed() {
        assert_eq!(distance("activaton", "activation"), 1);
        assert_eq!(distance("nrom", "norm"), 1);
        for (section, key, hint) in [
            ("network", "activaton", "did you mean activation?"),
            ("network", "batch_size", "did you mean batch_size below [training]?"),
            ("network", "lr", "did you mean lr below [optimizer]?"),
            ("training", "learning_rate", "did you mean lr below [optimizer]?"),
            ("training", "colour", "there are epochs, batch_size and seed"),
            ("schedule", "colour", "there is name"),
            ("training", "optimizer", "did you mean name below [optimizer]?"),
            ("loss", "smoothing", "did you mean label_smoothing?"),
            ("training", "dropuot", "did you mean dropout below [network]?"),
        ] {
            let said = unknown_key(section, key);
            assert!(said.ends_with(hint), "{said}");
        }
        assert!(unknown_section("netwrok").ends_with("did you mean [network]?"));
        assert!(unknown_section("lr").ends_with("did you mean lr below [optimizer]?"));
        assert!(unknown_section("colours").contains("there are data, network"));
    }
}
