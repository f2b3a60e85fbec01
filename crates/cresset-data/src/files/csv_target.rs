//! The target column of a table: classes or numbers, known when all of it was read.

use crate::table::Target;
use cresset_tensor::Tensor;
use std::collections::HashMap;

/// More different whole numbers than this are no classes.
const MAX_NUMBERED_CLASSES: usize = 100;

/// More different texts than this are no classes: then they are numbers.
const MAX_TEXTS: usize = 1 << 16;

/// The different texts of a column, and which one each row has.
#[derive(Default)]
pub(super) struct TargetColumn {
    texts: Vec<String>,
    index: HashMap<String, u32>,
    rows: Vec<u32>,
    /// The numbers of all rows, once there are too many different ones for classes.
    values: Option<Vec<f32>>,
}

impl TargetColumn {
    /// The next row. False if its text is one too many and no number.
    pub(super) fn push(&mut self, field: &str) -> bool {
        let number = |text: &str| text.parse().ok().filter(|x: &f64| x.is_finite());
        if self.values.is_none() && self.texts.len() == MAX_TEXTS && !self.index.contains_key(field) {
            let numbers: Option<Vec<f64>> = self.texts.iter().map(|text| number(text)).collect();
            let Some(numbers) = numbers else { return false };
            self.values = Some(self.rows.iter().map(|&r| numbers[r as usize] as f32).collect());
            *self = TargetColumn { values: self.values.take(), ..TargetColumn::default() };
        }
        if let Some(values) = &mut self.values {
            let Some(x) = number(field) else { return false };
            values.push(x as f32);
            return true;
        }
        let i = match self.index.get(field) {
            Some(&i) => i,
            None => {
                let i = self.texts.len() as u32;
                self.texts.push(field.to_string());
                self.index.insert(field.to_string(), i);
                i
            }
        };
        self.rows.push(i);
        true
    }
    pub(super) fn len(&self) -> usize {
        self.values.as_ref().map_or(self.rows.len(), Vec::len)
    }
    /// The target; `names` are the classes' names, if the file gave them and the classes are numbered from 0.
    pub(super) fn finish(self, names: Option<Vec<String>>) -> Target {
        if let Some(values) = self.values {
            return Target::Values(Tensor::from_slice(&values));
        }
        let numbers: Option<Vec<f64>> =
            self.texts.iter().map(|t| t.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        let Some(numbers) = numbers else {
            let mut sorted = self.texts.clone();
            sorted.sort();
            let rank: HashMap<&str, i64> = sorted.iter().enumerate().map(|(i, t)| (t.as_str(), i as i64)).collect();
            let of_text: Vec<i64> = self.texts.iter().map(|t| rank[t.as_str()]).collect();
            let labels: Vec<i64> = self.rows.iter().map(|&r| of_text[r as usize]).collect();
            return Target::Classes { labels: Tensor::from_slice(&labels), names: sorted };
        };
        let mut different = numbers.clone();
        different.sort_by(f64::total_cmp);
        different.dedup();
        let whole = different.iter().all(|x| x.fract() == 0.0 && x.abs() < 1e15);
        if !whole || different.len() > MAX_NUMBERED_CLASSES || different.len() * 2 > self.rows.len() {
            let values: Vec<f32> = self.rows.iter().map(|&r| numbers[r as usize] as f32).collect();
            return Target::Values(Tensor::from_slice(&values));
        }
        let of_text: Vec<i64> = numbers.iter().map(|x| different.partition_point(|d| d < x) as i64).collect();
        let labels: Vec<i64> = self.rows.iter().map(|&r| of_text[r as usize]).collect();
        let from_0 = different.iter().enumerate().all(|(i, &x)| x == i as f64);
        let names = match names {
            Some(names) if from_0 && names.len() == different.len() => names,
            _ => different.iter().map(|x| (*x as i64).to_string()).collect(),
        };
        Target::Classes { labels: Tensor::from_slice(&labels), names }
    }
}
