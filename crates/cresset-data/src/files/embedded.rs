//! Small data sets that come with the library.

use super::csv::CsvReader;
use crate::table::Table;
use flate2::read::GzDecoder;
use std::io::Read;

/// 1,797 handwritten digits of 8 x 8 pixels with values 0 to 16, as rows of 64 numbers, and their classes 0 to 9, in the order of
/// `sklearn.datasets.load_digits`. Reading them takes a few milliseconds.
///
/// Source: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0.
///
/// ```
/// let digits = cresset_data::digits();
/// assert_eq!(&digits.features.shape()[..], [1797, 64]);
/// assert_eq!(digits.targets().to_vec::<i64>()[..4], [0, 1, 2, 3]);
/// ```
pub fn digits() -> Table {
    let mut text = Vec::new();
    let unpacked = GzDecoder::new(&include_bytes!("../../data/digits.csv.gz")[..]).read_to_end(&mut text);
    if let Err(e) = unpacked {
        unreachable!("the embedded digits: {e}");
    }
    embedded(&text, "the embedded digits")
}

/// 150 iris flowers of three kinds: length and width of sepal and petal in centimetres.
///
/// Source: R. A. Fisher (1936), UCI Machine Learning Repository, CC BY 4.0.
///
/// ```
/// let iris = cresset_data::iris();
/// assert_eq!(iris.class_names().unwrap(), ["setosa", "versicolor", "virginica"]);
/// assert_eq!(iris.features.to_vec::<f32>()[..4], [5.1, 3.5, 1.4, 0.2]);
/// ```
pub fn iris() -> Table {
    let mut iris = embedded(include_bytes!("../../data/iris.csv"), "the embedded iris");
    iris.feature_names = ["sepal length", "sepal width", "petal length", "petal width"].map(String::from).into();
    iris.target_name = "species".into();
    iris
}

fn embedded(text: &[u8], name: &str) -> Table {
    match CsvReader::new().parse(text, name, -1) {
        Ok(table) => table,
        Err(e) => unreachable!("{e}"),
    }
}
