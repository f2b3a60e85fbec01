//! How tensors print: `Display` is PyTorch's text, `Debug` a short form for logs.

use crate::array::Array;
use crate::dtype::{DType, Scalar};
use crate::tensor::Tensor;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How numbers are printed (`torch.set_printoptions`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrintOptions {
    /// Digits after the point.
    pub precision: usize,
    /// Tensors with more elements are shown by their edges.
    pub threshold: usize,
    /// Elements shown at each edge of a dimension.
    pub edgeitems: usize,
    /// Characters in a line.
    pub linewidth: usize,
    /// Scientific notation always or never; `None` decides by the numbers.
    pub sci_mode: Option<bool>,
}

impl PrintOptions {
    /// PyTorch's profile `default`.
    pub const DEFAULT: PrintOptions =
        PrintOptions { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sci_mode: None };
    /// PyTorch's profile `short`.
    pub const SHORT: PrintOptions = PrintOptions { precision: 2, edgeitems: 2, ..PrintOptions::DEFAULT };
    /// PyTorch's profile `full`: everything is shown.
    pub const FULL: PrintOptions = PrintOptions { threshold: usize::MAX, ..PrintOptions::DEFAULT };
}

static OPTIONS: Mutex<PrintOptions> = Mutex::new(PrintOptions::DEFAULT);

/// Sets how all tensors print from now on (`torch.set_printoptions`); gives the options that were set before.
pub fn set_printoptions(options: PrintOptions) -> PrintOptions {
    std::mem::replace(&mut OPTIONS.lock().unwrap_or_else(PoisonError::into_inner), options)
}
/// The options set now.
pub fn get_printoptions() -> PrintOptions {
    *OPTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Tensor({:?}", self.meta())?;
        if let Some((node, _)) = self.grad_fn() {
            write!(f, ", grad_fn=<{}>", node.name())?;
        } else if self.requires_grad() {
            write!(f, ", requires_grad=true")?;
        }
        write!(f, ")")
    }
}

impl fmt::Display for Tensor {
    /// The text that Python prints for the tensor.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.5]).to_string(), "tensor([1.0000, 2.5000])");
    /// assert_eq!(Tensor::from_slice(&[1i64, -2]).to_string(), "tensor([ 1, -2])");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&text(self, get_printoptions()))
    }
}

const PREFIX: &str = "tensor(";

fn text(t: &Tensor, options: PrintOptions) -> String {
    let a = t.array();
    let mut suffixes = Vec::new();
    let body = if a.numel() == 0 {
        if a.ndim() != 1 {
            let sizes: Vec<String> = a.shape().iter().map(usize::to_string).collect();
            suffixes.push(format!("size=({})", sizes.join(", ")));
        }
        if a.dtype() != DType::F32 {
            suffixes.push(format!("dtype={}", a.dtype()));
        }
        "[]".to_string()
    } else {
        if !matches!(a.dtype(), DType::F32 | DType::I64 | DType::Bool) {
            suffixes.push(format!("dtype={}", a.dtype()));
        }
        Numbers::new(&a, options).all()
    };
    if let Some((node, _)) = t.grad_fn() {
        suffixes.push(format!("grad_fn=<{}>", node.name()));
    } else if t.requires_grad() {
        suffixes.push("requires_grad=True".into());
    }
    with_suffixes(format!("{PREFIX}{body}"), &suffixes, options.linewidth)
}

fn with_suffixes(mut text: String, suffixes: &[String], linewidth: usize) -> String {
    let mut last_line = match text.rfind('\n') {
        Some(i) => text.len() - i + 1,
        None => text.len() + 2,
    };
    for suffix in suffixes {
        if last_line + suffix.len() + 2 > linewidth {
            text += &format!(",\n{}{suffix}", " ".repeat(PREFIX.len()));
            last_line = PREFIX.len() + suffix.len();
        } else {
            text += &format!(", {suffix}");
            last_line += suffix.len() + 2;
        }
    }
    text + ")"
}

/// The numbers of an array and the one format they share.
struct Numbers<'a> {
    values: Vec<Scalar>,
    shape: &'a [usize],
    options: PrintOptions,
    summarize: bool,
    style: Style,
    width: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// Integers and truth values.
    Plain,
    /// Floats that are all whole: `1.`
    Whole,
    Fixed,
    Scientific,
}

impl<'a> Numbers<'a> {
    fn new(a: &'a Array, options: PrintOptions) -> Numbers<'a> {
        let summarize = a.numel() > options.threshold;
        let values = crate::kernels::scalars(a);
        let mut n = Numbers { values, shape: a.shape(), options, summarize, style: Style::Plain, width: 1 };
        let mut shown = Vec::new();
        n.collect_shown(0, 0, &mut shown);
        if a.dtype().is_floating_point() {
            n.choose_float_style(&shown);
        } else {
            n.width = shown.iter().map(|v| n.format_raw(*v).len()).max().unwrap_or(1).max(1);
        }
        n
    }

    /// The indices along a dimension that are shown; `None` stands for the gap.
    fn indices(&self, dim: usize) -> Vec<Option<usize>> {
        let (n, e) = (self.shape[dim], self.options.edgeitems);
        if self.summarize && n > 2 * e {
            let mut all: Vec<Option<usize>> = (0..e).map(Some).collect();
            all.push(None);
            all.extend((n - e..n).map(Some));
            return all;
        }
        (0..n).map(Some).collect()
    }

    fn step(&self, dim: usize) -> usize {
        self.shape[dim + 1..].iter().product()
    }

    fn collect_shown(&self, dim: usize, at: usize, shown: &mut Vec<Scalar>) {
        if dim == self.shape.len() {
            shown.push(self.values[at]);
            return;
        }
        for i in self.indices(dim).into_iter().flatten() {
            self.collect_shown(dim + 1, at + i * self.step(dim), shown);
        }
    }

    fn choose_float_style(&mut self, shown: &[Scalar]) {
        let finite: Vec<f64> = shown.iter().map(|v| v.f64()).filter(|v| v.is_finite() && *v != 0.0).collect();
        self.style = Style::Whole;
        if finite.is_empty() {
            return;
        }
        let largest = finite.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let smallest = finite.iter().fold(f64::INFINITY, |m, v| m.min(v.abs()));
        let wide = largest / smallest > 1000.0 || largest > 1e8 || smallest < 1e-4;
        if self.options.sci_mode.unwrap_or(wide) {
            self.style = Style::Scientific;
        } else if finite.iter().any(|v| *v != v.ceil()) {
            self.style = Style::Fixed;
        }
        self.width = finite.iter().map(|v| self.format_raw(Scalar::Float(*v)).len()).max().unwrap_or(1).max(1);
    }

    fn format_raw(&self, value: Scalar) -> String {
        let precision = self.options.precision;
        match (self.style, value) {
            (Style::Plain, Scalar::Bool(b)) => if b { "True" } else { "False" }.to_string(),
            (Style::Plain, v) => v.i64().to_string(),
            (_, v) if v.f64().is_nan() => "nan".into(),
            (_, v) if v.f64().is_infinite() => if v.f64() > 0.0 { "inf" } else { "-inf" }.into(),
            (Style::Whole, v) => format!("{:.0}.", v.f64()),
            (Style::Fixed, v) => format!("{:.precision$}", v.f64()),
            (Style::Scientific, v) => scientific(v.f64(), precision),
        }
    }

    fn format(&self, value: Scalar) -> String {
        let text = self.format_raw(value);
        format!("{text:>width$}", width = self.width)
    }

    fn all(&self) -> String {
        self.block(0, 0, PREFIX.len())
    }

    fn block(&self, dim: usize, at: usize, indent: usize) -> String {
        let left = self.shape.len() - dim;
        match left {
            0 => self.format(self.values[at]),
            1 => self.row(dim, at, indent),
            _ => {
                let parts: Vec<String> = self
                    .indices(dim)
                    .into_iter()
                    .map(|i| match i {
                        Some(i) => self.block(dim + 1, at + i * self.step(dim), indent + 1),
                        None => "...".into(),
                    })
                    .collect();
                let between = format!(",{}{}", "\n".repeat(left - 1), " ".repeat(indent + 1));
                format!("[{}]", parts.join(&between))
            }
        }
    }

    fn row(&self, dim: usize, at: usize, indent: usize) -> String {
        let items: Vec<String> = if self.summarize && self.options.edgeitems == 0 {
            vec!["...".into()]
        } else {
            let one = |i: Option<usize>| i.map_or(" ...".to_string(), |i| self.format(self.values[at + i]));
            self.indices(dim).into_iter().map(one).collect()
        };
        let per_line = (self.options.linewidth.saturating_sub(indent) / (self.width + 2)).max(1);
        let lines: Vec<String> = items.chunks(per_line).map(|line| line.join(", ")).collect();
        format!("[{}]", lines.join(&format!(",\n{}", " ".repeat(indent + 1))))
    }
}

/// `1.2346e-05`, with at least two digits in the exponent as Python writes it.
fn scientific(v: f64, precision: usize) -> String {
    let text = format!("{v:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(d) => ('-', d),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}
