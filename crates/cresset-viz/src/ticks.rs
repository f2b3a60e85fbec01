//! Where an axis has its ticks, and what they say.

/// Whether equal distances on an axis mean equal differences or equal ratios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios, base 10. Values that are not positive are gaps.
    Log,
}

impl Scale {
    /// Where `v` lies along [lo, hi], 0 at `lo` and 1 at `hi`; NaN where the scale has no place for it.
    pub(crate) fn place(self, v: f64, lo: f64, hi: f64) -> f64 {
        match self {
            Scale::Linear => (v - lo) / (hi - lo),
            Scale::Log if v > 0.0 => (v / lo).ln() / (hi / lo).ln(),
            Scale::Log => f64::NAN,
        }
    }
}

/// The ticks of one axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ticks {
    /// Value and label of each major tick, rising.
    pub major: Vec<(f64, String)>,
    /// Ticks without a label.
    pub minor: Vec<f64>,
    /// A factor that all labels share (`×10⁶`), written at the end of the axis.
    pub factor: Option<String>,
}

/// The room on an axis: its length, how much of it a label takes, and the gap wanted between labels, all in pixels.
pub(crate) struct Room<'a> {
    pub length: f64,
    pub label: &'a dyn Fn(&str) -> f64,
    pub gap: f64,
}

const MOST_TICKS: usize = 10;

/// Ticks over [lo, hi] in steps of 1, 2 or 5 times a power of ten: the finest step whose labels stand apart.
pub(crate) fn linear(lo: f64, hi: f64, integer: bool, room: &Room) -> Ticks {
    let span = hi - lo;
    let largest = lo.abs().max(hi.abs());
    // Neither a span that is no number nor one below what f64 can tell apart has ticks between its ends.
    if !(span.is_finite() && span > largest * 1e-13) {
        return Ticks { major: vec![(lo, general(lo))], ..Ticks::default() };
    }
    let mut exponent = (span / MOST_TICKS as f64).log10().floor() as i32;
    let mut mantissa = 0;
    loop {
        const MANTISSAS: [f64; 3] = [1.0, 2.0, 5.0];
        let step = Step { mantissa: MANTISSAS[mantissa], exponent };
        if !integer || exponent >= 0 {
            let ticks = step.ticks(lo, hi, largest);
            let widest = ticks.major.iter().map(|(_, s)| (room.label)(s)).fold(0.0, f64::max);
            let spacing = step.of(1.0) / span * room.length;
            if ticks.major.len() <= 2 || (ticks.major.len() <= MOST_TICKS && spacing >= widest + room.gap) {
                return ticks;
            }
        }
        mantissa += 1;
        if mantissa == MANTISSAS.len() {
            (mantissa, exponent) = (0, exponent + 1);
        }
    }
}

#[derive(Clone, Copy)]
struct Step {
    mantissa: f64,
    exponent: i32,
}

impl Step {
    /// `k` steps, exact where a decimal fraction has a nearest f64.
    fn of(self, k: f64) -> f64 {
        let power = 10f64.powi(self.exponent.abs());
        if self.exponent < 0 { k * self.mantissa / power } else { k * self.mantissa * power }
    }

    fn ticks(self, lo: f64, hi: f64, largest: f64) -> Ticks {
        let size = self.of(1.0);
        let (first, last) = ((lo / size - 1e-9).ceil(), (hi / size + 1e-9).floor());
        let shared = largest.log10().floor() as i32;
        let shared = if (-3..6).contains(&shared) { 0 } else { shared };
        let decimals = (shared - self.exponent).max(0) as usize;
        let mut ticks =
            Ticks { factor: (shared != 0).then(|| format!("×10{}", superscript(shared))), ..Ticks::default() };
        let mut k = first;
        while k <= last && ticks.major.len() <= MOST_TICKS {
            let shown = self.of(k) / 10f64.powi(shared);
            ticks.major.push((self.of(k), fixed(shown, decimals)));
            k += 1.0;
        }
        ticks
    }
}

/// Ticks over [lo, hi], both positive: at powers of ten, or over less than two of them at 1, 2 and 5 times powers of ten.
pub(crate) fn log(lo: f64, hi: f64, room: &Room) -> Ticks {
    let (l, h) = (lo.log10(), hi.log10());
    let (first, last) = ((l - 1e-9).ceil() as i32, (h + 1e-9).floor() as i32);
    let minor = |k: i32| (2..10).map(move |m| f64::from(m) * 10f64.powi(k));
    let inside = |v: &f64| *v >= lo * (1.0 - 1e-9) && *v <= hi * (1.0 + 1e-9);
    if last > first {
        let label = |k: i32| format!("10{}", superscript(k));
        let widest = (first..=last).map(|k| (room.label)(&label(k))).fold(0.0, f64::max);
        let decade = room.length / (h - l);
        let fit = ((widest + room.gap) / decade).ceil().max(1.0) as i32;
        let few = (last - first + 1 + MOST_TICKS as i32 - 1) / MOST_TICKS as i32;
        let stride = fit.max(few).min(last - first);
        let major = (first..=last).filter(|k| k.rem_euclid(stride) == first.rem_euclid(stride));
        let minor = if stride > 1 {
            (first..=last).map(|k| 10f64.powi(k)).collect()
        } else {
            (first - 1..=last).flat_map(minor).filter(inside).collect()
        };
        return Ticks { major: major.map(|k| (10f64.powi(k), label(k))).collect(), minor, factor: None };
    }
    let minor: Vec<f64> = (first - 1..=last).flat_map(minor).filter(inside).collect();
    let wanted = (first - 1..=last).flat_map(|k| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(k))).filter(inside);
    let mut major: Vec<(f64, String)> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for v in wanted {
        let (at, text) = (Scale::Log.place(v, lo, hi) * room.length, general(v));
        let half = (room.label)(&text) / 2.0;
        if at - half >= end + room.gap {
            end = at + half;
            major.push((v, text));
        }
    }
    match major.len() {
        0 | 1 => Ticks { minor, ..linear(lo, hi, false, room) },
        _ => Ticks { major, minor, factor: None },
    }
}

/// `v` with that many decimals and a true minus sign; no negative zero.
pub(crate) fn fixed(v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| b == b'0' || b == b'.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// `v` with up to six significant digits, no trailing zeros, and a power of ten where it is far from 1 (C's `%g`).
pub(crate) fn general(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return format!("{}", v.abs());
    }
    let scientific = format!("{v:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim =
        |s: &str| if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s.to_owned() };
    let text = if (-4..6).contains(&exponent) {
        trim(&format!("{v:.0$}", (5 - exponent) as usize))
    } else {
        format!("{}×10{}", trim(digits), superscript(exponent))
    };
    text.replace('-', "−")
}

fn superscript(k: i32) -> String {
    let raised = |c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => char::from_u32(0x2070 + c as u32 - '0' as u32).unwrap_or(c),
    };
    k.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<&str> {
        ticks.major.iter().map(|(_, s)| s.as_str()).collect()
    }

    fn room(length: f64) -> Room<'static> {
        Room { length, label: &|s| 7.0 * s.chars().count() as f64, gap: 10.0 }
    }

    #[test]
    fn linear_steps_are_1_2_5() {
        assert_eq!(labels(&linear(0.0, 1.0, false, &room(300.0))), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(-5.2, 5.2, false, &room(200.0))), ["−4", "−2", "0", "2", "4"]);
        assert_eq!(labels(&linear(0.0, 1234.0, false, &room(150.0))), ["0", "500", "1000"]);
        assert_eq!(linear(0.3, 0.7, false, &room(400.0)).major[0], (0.3, "0.30".to_owned()));
    }

    #[test]
    fn labels_never_overlap() {
        for (lo, hi) in [(0.0, 1e-7), (-3e9, 4e9), (1e5, 1.0001e5), (-1.0, 1.0), (0.12345, 0.12349), (0.0, 97.0)] {
            for length in [20.0, 60.0, 150.0, 400.0, 2000.0] {
                let ticks = linear(lo, hi, false, &room(length));
                assert!(!ticks.major.is_empty() || length < 100.0, "{lo} {hi} {length}");
                assert!(ticks.major.len() <= MOST_TICKS);
                for pair in ticks.major.windows(2).skip(1) {
                    let at = |i: usize| (pair[i].0 - lo) / (hi - lo) * length;
                    let half = |i: usize| (room(length).label)(&pair[i].1) / 2.0;
                    assert!(at(1) - half(1) >= at(0) + half(0), "{lo} {hi} {length} {ticks:?}");
                }
            }
        }
    }

    #[test]
    fn shared_factor_and_integers() {
        let ticks = linear(0.0, 3e7, false, &room(300.0));
        assert_eq!(ticks.factor.as_deref(), Some("×10⁷"));
        assert_eq!(labels(&ticks)[1], "0.5");
        assert_eq!(labels(&linear(0.9, 3.1, true, &room(900.0))), ["1", "2", "3"]);
    }

    #[test]
    fn log_decades() {
        assert_eq!(labels(&log(1e-3, 1e2, &room(400.0))), ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²"]);
        let many = log(1e-20, 1e20, &room(300.0));
        assert!(many.major.len() >= 4 && many.major.len() <= MOST_TICKS, "{many:?}");
        assert_eq!(labels(&log(1.5, 60.0, &room(300.0))), ["2", "5", "10", "20", "50"]);
        assert!(log(3.0, 4.0, &room(300.0)).major.len() >= 3);
    }

    #[test]
    fn degenerate_ranges() {
        assert_eq!(linear(1.0, 1.0, false, &room(100.0)).major.len(), 1);
        assert_eq!(linear(f64::NAN, 1.0, false, &room(100.0)).major.len(), 1);
        assert_eq!(general(-0.001), "−0.001");
        assert_eq!(general(2.5e-7), "2.5×10⁻⁷");
        assert_eq!(fixed(-0.0001, 2), "0.00");
    }
}
