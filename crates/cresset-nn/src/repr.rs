//! The text of a module, as Python prints it.

use crate::member::MemberRef;
use crate::module::Module;
use cresset_tensor::{Py, Scalar};
use std::fmt;

/// What the derived `Display` calls.
#[doc(hidden)]
pub fn display(module: &dyn Module, f: &mut fmt::Formatter) -> fmt::Result {
    f.pad(&module.repr())
}

impl fmt::Display for dyn Module {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        display(self, f)
    }
}
impl fmt::Debug for dyn Module {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        display(self, f)
    }
}

/// The text of a module with its `extra_repr` and its children.
pub(crate) fn standard(module: &dyn Module) -> String {
    let extra = module.describe();
    let extra: Vec<&str> = if extra.is_empty() { vec![] } else { extra.split('\n').collect() };
    let mut children = Vec::new();
    module.members(&mut |name, member| {
        if let MemberRef::Module(child) = member {
            children.push(format!("({name}): {}", indented(&child.repr())));
        }
    });
    let name = module.class_name();
    match (&extra[..], &children[..]) {
        ([], []) => format!("{name}()"),
        ([one], []) => format!("{name}({one})"),
        _ => {
            let lines: Vec<&str> = extra.into_iter().chain(children.iter().map(String::as_str)).collect();
            format!("{name}(\n  {}\n)", lines.join("\n  "))
        }
    }
}

/// A list in which neighbours with the same text stand once: `(0-3): 4 x Linear(...)`.
pub(crate) fn collapsed<'a>(name: &str, items: impl Iterator<Item = &'a dyn Module>) -> String {
    let mut runs: Vec<(usize, usize, String)> = Vec::new();
    for (i, item) in items.enumerate() {
        let text = item.repr();
        match runs.last_mut() {
            Some((_, last, same)) if *same == text => *last = i,
            _ => runs.push((i, i, text)),
        }
    }
    if runs.is_empty() {
        return format!("{name}()");
    }
    let line = |(first, last, text): &(usize, usize, String)| {
        indented(&match last - first {
            0 => format!("({first}): {text}"),
            more => format!("({first}-{last}): {} x {text}", more + 1),
        })
    };
    format!("{name}(\n  {}\n)", runs.iter().map(line).collect::<Vec<_>>().join("\n  "))
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

/// A number as Python prints it: an integer stays one.
pub(crate) fn number(x: Scalar) -> String {
    Py(x).to_string()
}

/// A bool as Python prints it.
pub(crate) fn boolean(x: bool) -> &'static str {
    if x { "True" } else { "False" }
}

/// Numbers as Python prints a tuple: `(3,)`, `(3, 4)`.
pub(crate) fn tuple<T: fmt::Display>(items: &[T]) -> String {
    Py(items).to_string()
}
