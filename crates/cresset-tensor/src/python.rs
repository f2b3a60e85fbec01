//! Plain values as Python prints them.

use crate::dtype::Scalar;
use std::fmt;

/// A value that is printed as Python prints it: `True`, `0.1`, `1e-05`, `None`, `(3, 4)`.
///
/// For texts that should read as PyTorch's, the `extra_repr` of a layer above all.
///
/// ```
/// use cresset_tensor::Py;
/// assert_eq!(format!("p={}, inplace={}", Py(0.5), Py(false)), "p=0.5, inplace=False");
/// assert_eq!(Py(1e-5).to_string(), "1e-05");
/// assert_eq!(Py(2.0).to_string(), "2.0");
/// assert_eq!(Py(None::<f64>).to_string(), "None");
/// assert_eq!((Py(&[3][..]).to_string(), Py(&[3, 4][..]).to_string()), ("(3,)".into(), "(3, 4)".into()));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Py<T>(pub T);

impl fmt::Display for Py<bool> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(if self.0 { "True" } else { "False" })
    }
}
impl fmt::Display for Py<f64> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let x = self.0;
        if x.is_nan() {
            return f.pad("nan");
        }
        if x.is_infinite() {
            return f.pad(if x > 0.0 { "inf" } else { "-inf" });
        }
        if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
            return f.pad(&format!("{x:?}"));
        }
        let text = format!("{x:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
        f.pad(&format!("{digits}e{sign}{exponent:0>2}"))
    }
}
impl fmt::Display for Py<Scalar> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            Scalar::Float(x) => Py(x).fmt(f),
            Scalar::Bool(b) => Py(b).fmt(f),
            Scalar::Int(i) => i.fmt(f),
        }
    }
}
impl<T: Copy> fmt::Display for Py<Option<T>>
where
    Py<T>: fmt::Display,
{
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            Some(x) => Py(x).fmt(f),
            None => f.pad("None"),
        }
    }
}
/// A tuple.
impl<T: fmt::Display> fmt::Display for Py<&[T]> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            [one] => f.pad(&format!("({one},)")),
            many => f.pad(&format!("({})", many.iter().map(T::to_string).collect::<Vec<_>>().join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Py;

    #[test]
    fn numbers_as_python_prints_them() {
        let have = [0.1, 1e-5, 2.0, 1e-12, 0.0001, 1e16, 1.5e-7, -3e20, 1.0 / 3.0, 1e100].map(|x| Py(x).to_string());
        let want =
            ["0.1", "1e-05", "2.0", "1e-12", "0.0001", "1e+16", "1.5e-07", "-3e+20", "0.3333333333333333", "1e+100"];
        assert_eq!(have, want);
    }
}
