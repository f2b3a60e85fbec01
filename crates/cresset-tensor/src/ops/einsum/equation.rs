//! The equation of an `einsum`: labels of every operand and of the output.

use crate::dims::Dims;

/// A letter, or a dimension of the ellipsis counted from its end (so that these broadcast from the right).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Letter(char),
    Further(usize),
}

/// Labels of a list of operands, and of the output.
type Parsed = (Vec<Vec<Label>>, Vec<Label>);

/// One part of an equation: letters, and where among them the ellipsis stands.
struct Term {
    letters: Vec<char>,
    ellipsis: Option<usize>,
}

fn term(text: &str, start: usize, whose: &str) -> Result<Term, String> {
    let mut term = Term { letters: Vec::new(), ellipsis: None };
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            ' ' => {}
            '.' => {
                if term.ellipsis.is_some() {
                    return Err(format!("found '.' for {whose} for which an ellipsis was already found"));
                }
                if chars[i..].len() < 3 || chars[i + 1] != '.' || chars[i + 2] != '.' {
                    return Err(format!("found '.' for {whose} that is not part of any ellipsis"));
                }
                term.ellipsis = Some(term.letters.len());
                i += 2;
            }
            c if c.is_ascii_alphabetic() => term.letters.push(c),
            _ => {
                return Err(format!(
                    "invalid subscript given at index {} in the equation string, subscripts must be in [a-zA-Z]",
                    start + i
                ));
            }
        }
        i += 1;
    }
    Ok(term)
}

impl Term {
    fn labels(&self, further: usize) -> Vec<Label> {
        let letters = |l: &[char]| l.iter().map(|&c| Label::Letter(c)).collect::<Vec<_>>();
        match self.ellipsis {
            None => letters(&self.letters),
            Some(at) => {
                let mut all = letters(&self.letters[..at]);
                all.extend((0..further).rev().map(Label::Further));
                all.extend(letters(&self.letters[at..]));
                all
            }
        }
    }
}

/// Reads the equation and checks it against the operands' shapes.
pub(super) fn parse(equation: &str, shapes: &[Dims]) -> Result<Parsed, String> {
    if shapes.is_empty() {
        return Err("must specify the equation string and at least one operand, or at least one operand and its subscripts list".into());
    }
    let (left, right) = match equation.find("->") {
        Some(i) => (&equation[..i], Some((&equation[i + 2..], i + 2))),
        None => (equation, None),
    };
    let mut terms = Vec::new();
    let mut start = 0;
    for (i, part) in left.split(',').enumerate() {
        terms.push(term(part, start, &format!("operand {i}"))?);
        start += part.len() + 1;
    }
    if terms.len() != shapes.len() {
        let how = if terms.len() > shapes.len() { "fewer" } else { "more" };
        return Err(format!("{how} operands were provided than specified in the equation"));
    }
    let mut inputs = Vec::new();
    let mut sizes: Vec<(Label, usize)> = Vec::new();
    let mut most = 0;
    for (i, (term, shape)) in terms.iter().zip(shapes).enumerate() {
        let (have, n) = (term.letters.len(), shape.len());
        if have > n || (term.ellipsis.is_none() && have != n) {
            let head = format!("the number of subscripts in the equation ({have})");
            return Err(match term.ellipsis {
                Some(_) => format!("{head} is more than the number of dimensions ({n}) for operand {i}"),
                None => format!(
                    "{head} does not match the number of dimensions ({n}) for operand {i} and no ellipsis was given"
                ),
            });
        }
        let labels = term.labels(n - have);
        most = most.max(if term.ellipsis.is_some() { n - have } else { 0 });
        for (d, label) in labels.iter().enumerate() {
            let size = shape[d];
            if let Some(first) = labels[..d].iter().position(|l| l == label) {
                if shape[first] != size {
                    return Err(format!(
                        "subscript {} is repeated for operand {i} but the sizes don't match, {size} != {}",
                        name(label),
                        shape[first]
                    ));
                }
                continue;
            }
            match sizes.iter_mut().find(|(l, _)| l == label) {
                None => sizes.push((*label, size)),
                Some((_, seen)) if *seen == 1 => *seen = size,
                Some((_, seen)) if *seen == size || size == 1 => {}
                Some((_, seen)) => {
                    return Err(format!(
                        "subscript {} has size {size} for operand {i} which does not broadcast with previously seen size {seen}",
                        name(label)
                    ));
                }
            }
        }
        inputs.push(labels);
    }
    let output = match right {
        Some((text, start)) => {
            let term = term(text, start, "the output")?;
            for (i, c) in term.letters.iter().enumerate() {
                if term.letters[..i].contains(c) {
                    return Err(format!("output subscript {c} appears more than once in the output"));
                }
                if !terms.iter().any(|t| t.letters.contains(c)) {
                    return Err(format!("output subscript {c} does not appear in the equation for any input operand"));
                }
            }
            term.labels(most)
        }
        None => {
            let mut letters: Vec<char> = terms.iter().flat_map(|t| t.letters.iter().copied()).collect();
            letters.sort_unstable();
            let once = letters.iter().filter(|c| letters.iter().filter(|d| d == c).count() == 1);
            let mut labels: Vec<Label> = (0..most).rev().map(Label::Further).collect();
            labels.extend(once.map(|&c| Label::Letter(c)));
            labels
        }
    };
    Ok((inputs, output))
}

fn name(label: &Label) -> String {
    match label {
        Label::Letter(c) => c.to_string(),
        Label::Further(_) => "...".into(),
    }
}
