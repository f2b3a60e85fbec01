//! The text of a module, as Python prints it.

use crate::member::MemberRef;
use crate::module::Module;
use cresset_tensor::Scalar;
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

/// A float as Python prints it: `0.1`, `1e-05`, `2.0`.
pub(crate) fn float(x: f64) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.into();
    }
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    let (digits, exponent) = text.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a number");
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// A number as Python prints it: an integer stays one.
pub(crate) fn number(x: Scalar) -> String {
    match x {
        Scalar::Float(x) => float(x),
        other => other.to_string(),
    }
}

/// A bool as Python prints it.
pub(crate) fn boolean(x: bool) -> &'static str {
    if x { "True" } else { "False" }
}

/// Numbers as Python prints a tuple: `(3,)`, `(3, 4)`.
pub(crate) fn tuple<T: fmt::Display>(items: &[T]) -> String {
    match items {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(T::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_python_prints_them() {
        let have = [0.1, 1e-5, 2.0, 1e-12, 0.0001, 1e16, 1.5e-7, -3e20, 1.0 / 3.0].map(float);
        let want = ["0.1", "1e-05", "2.0", "1e-12", "0.0001", "1e+16", "1.5e-07", "-3e+20", "0.3333333333333333"];
        assert_eq!(have, want);
        assert_eq!((tuple(&[3]), tuple(&[3, 4]), boolean(true)), ("(3,)".into(), "(3, 4)".into(), "True"));
    }
}
