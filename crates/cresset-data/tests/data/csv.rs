//! Tables in CSV files.

use cresset_data::{Column, Columns, CsvReader, Table, Target, save_csv};
use cresset_tensor::{DType, Tensor, attempt};

fn parse(text: &str, target: impl Into<Column>) -> Result<Table, String> {
    CsvReader::new().parse(text.as_bytes(), "t.csv", target).map_err(|e| e.to_string())
}

#[test]
fn headers_are_found() {
    let named = parse("a,b,kind\n1,2,x\n3,4,y\n5,6,x\n", "kind").unwrap();
    assert_eq!((named.feature_names.join(" "), named.len()), ("a b".to_string(), 3));
    assert_eq!(named.class_names().unwrap(), ["x", "y"]);
    // No header; the target is text.
    let bare = parse("1,2,x\n3,4,y\n", 2).unwrap();
    assert_eq!((bare.len(), bare.feature_names.join(" ")), (2, "0 1".to_string()));
    // Text as the target of a file with a header, chosen by number or name; a column called 1 goes before column number 1.
    assert_eq!(parse("a,b\n1,2\n", "-1").unwrap().target_name, "b");
    assert_eq!(parse("1,b\n1,2\n", "1").unwrap().target_name, "1");
    // Numbers of rows and features, and the classes' names.
    let counts = parse("4,2,oak,elm\n1,2,0\n3,4,1\n5,6,1\n7,8,0\n", -1).unwrap();
    assert_eq!((counts.class_names().unwrap().join(" "), counts.len()), ("oak elm".to_string(), 4));
    let short = parse("5,2,oak,elm\n1,2,0\n3,4,1\n5,6,1\n7,8,0\n", -1).unwrap_err();
    assert_eq!(short, "t.csv: line 1 announces 5 rows, found 4");
    // A row of numbers and text is no line of counts if the others look the same.
    assert_eq!(parse("2,2,x\n3,4,y\n", 2).unwrap().len(), 2);
    // Told, it does not guess; other delimiters, byte order mark, quotes, blank lines and line ends of another system.
    let told = CsvReader::new().header(true).delimiter(b';').parse(b"1;2\n3;4\n", "t", 0).unwrap();
    assert_eq!((told.len(), told.feature_names[0].as_str()), (1, "2"));
    let text = "\u{feff}\"size, in cm\"\ty\r\n1.5\t0.5\r\n\r\n 2.5\t1.25 \r\n";
    let tabs = parse(text, "y").unwrap();
    assert_eq!((tabs.feature_names[0].as_str(), tabs.features.to_vec::<f32>()), ("size, in cm", vec![1.5, 2.5]));
}

#[test]
fn targets_are_classes_or_numbers() {
    let numbers = parse("1,0.5\n2,1\n3,1.5\n4,1.0\n", 1).unwrap();
    let Target::Values(values) = &numbers.target else { panic!("{:?}", numbers.target) };
    assert_eq!(values.to_vec::<f32>(), [0.5, 1.0, 1.5, 1.0]);
    let sparse = parse("1,30\n2,7\n3,30.0\n4,7\n", 1).unwrap();
    assert_eq!(
        (sparse.targets().to_vec::<i64>(), sparse.class_names().unwrap().join(" ")),
        (vec![1, 0, 1, 0], "7 30".into())
    );
    assert_eq!(sparse.with_values().unwrap().targets().to_vec::<f32>(), [30.0, 7.0, 30.0, 7.0]);
    // Whole numbers that hardly repeat are quantities.
    let prices = parse("1,100\n2,250\n3,370\n4,100\n", 1).unwrap();
    assert!(matches!(prices.target, Target::Values(_)));
    // One word among numbers makes them names.
    let mixed = parse("1,1\n2,b\n3,1\n", 1).unwrap();
    assert_eq!(mixed.class_names().unwrap(), ["1", "b"]);
    assert!(mixed.with_values().is_none());
}

#[test]
fn faults_are_named_with_their_line() {
    let refused = |text: &str, target: &str, want: &str| {
        assert_eq!(parse(text, target).unwrap_err(), want);
    };
    refused("", "0", "t.csv: the file is empty, expected rows of numbers");
    refused("a,b\n", "0", "t.csv: there are no rows under the header");
    refused("a,b\n1,2\n3\n", "b", "t.csv, line 3: expected 2 fields, found 1");
    refused("1,2\n3,4,5\n", "0", "t.csv, line 2: expected 2 fields, found 3");
    refused("a,b\n1,2\n,4\n", "b", "t.csv, line 3: the value in column 0 (a) is missing");
    refused("1,2\n3,NA\n", "1", "t.csv, line 2: the value in column 1 is missing");
    refused("a,b\n1,2\nx,4\n", "b", "t.csv, line 3: expected a number in column 0 (a), found \"x\"");
    refused("a,b\n1,2\n1e60,4\n", "b", "t.csv, line 3: 1e60 in column 0 (a) is too large for float32");
    refused("a,b\n1,2\n", "c", "t.csv: there is no column \"c\"; the columns are a, b");
    refused("1,2\n3,4\n", "2", "t.csv: there is no column 2; expected 0 to 1, or -1 for the last");
    let no_header =
        "t.csv: there is no header, so no column \"c\"; choose the target by its number, 0 to 1, or -1 for the last";
    refused("1,2\n3,4\n", "c", no_header);
    refused("1\n2\n", "0", "t.csv: expected at least two columns, features and the target, found 1");
    let latin = CsvReader::new().parse(b"a,b\n1,2\n3,\xe4\n", "t.csv", "b").unwrap_err();
    assert_eq!(latin.to_string(), "t.csv, line 3: expected text in UTF-8");
    let missing = Table::load_csv("no/such/file.csv", 0).unwrap_err();
    assert!(missing.to_string().starts_with("no/such/file.csv: "), "{missing}");
}

#[test]
fn damaged_text_never_panics() {
    let good = include_bytes!("../../data/iris.csv");
    let mut random = 12345u32;
    for _ in 0..300 {
        let mut bytes = good.to_vec();
        for _ in 0..4 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = random as usize % bytes.len();
            bytes[at] = (random >> 24) as u8;
        }
        bytes.truncate(bytes.len() - (random >> 8) as usize % 50);
        let _ = CsvReader::new().parse(&bytes, "t", -1);
    }
}

fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("cresset-data-csv-{}-{name}", std::process::id()))
}

#[test]
fn numbers_come_back_bit_by_bit() {
    let path = file("bits.csv");
    // Numbers of all sizes, subnormal ones, and what is not finite.
    let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut doubles =
        vec![0.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 0.1, 1e23, f64::NAN];
    while doubles.len() < 3000 {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        doubles.extend(Some(f64::from_bits(bits ^ (bits >> 29))).filter(|x| !x.is_nan()));
    }
    let same = |got: &[f64], want: &[f64]| {
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(want).all(|(g, w)| g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan())));
    };
    for header in [None, Some(&["a", "b, \"c\"", "d\te"][..])] {
        save_csv(&Tensor::from_vec(doubles.clone(), [1000, 3]), header, &path).unwrap();
        let read = Columns::load_csv(&path).unwrap();
        assert_eq!(
            read.names.as_ref().map(|n| n.iter().map(String::as_str).collect::<Vec<_>>()),
            header.map(<[_]>::to_vec)
        );
        assert_eq!(read.matrix().shape(), [1000, 3]);
        same(&read.matrix().to_vec::<f64>(), &doubles);
    }
    // The other dtypes, after they are brought back; a vector is a column; any strides.
    let numbers = Tensor::from_vec(doubles.clone(), [1500, 2]);
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let narrow = numbers.to_dtype(dtype);
        save_csv(&narrow.t().contiguous().t(), None, &path).unwrap();
        let read = Columns::load_csv(&path).unwrap().matrix();
        assert_eq!(read.dtype(), DType::F64);
        same(&read.to_dtype(dtype).to_dtype(DType::F64).to_vec::<f64>(), &narrow.to_dtype(DType::F64).to_vec::<f64>());
    }
    let whole = [i64::MIN, -1, 0, (1 << 53) + 1, i64::MAX];
    save_csv(&Tensor::from_slice(&whole), None, &path).unwrap();
    let read = Columns::load_csv(&path).unwrap();
    assert_eq!((read.tensors.len(), read.tensors[0].to_vec::<i64>()), (1, whole.to_vec()));
    save_csv(&Tensor::from_slice(&[true, false]), Some(&["yes"]), &path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "yes\n1\n0\n");
    // Columns of several dtypes, and of no rows.
    let mixed = Columns {
        names: Some(vec!["n".into(), "x".into()]),
        tensors: vec![Tensor::from_slice(&[1i64, 2]), Tensor::from_slice(&[1.0f64, f64::NAN])],
    };
    mixed.save_csv(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "n,x\n1,1.0\n2,nan\n");
    let read = Columns::load_csv(&path).unwrap();
    assert_eq!((read.tensors[0].dtype(), read.tensors[1].dtype()), (DType::I64, DType::F64));
    save_csv(&Tensor::zeros([0, 2]), Some(&["a", "b"]), &path).unwrap();
    assert_eq!(Columns::load_csv(&path).unwrap().matrix().shape(), [0, 2]);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn columns_are_refused_with_their_place() {
    let refused = |text: &str, want: &str| {
        assert_eq!(CsvReader::new().parse_columns(text.as_bytes(), "t.csv").unwrap_err().to_string(), want);
    };
    refused("", "t.csv: the file is empty, expected rows of numbers");
    refused("a,b\n1,2\n3,\n", "t.csv, line 3: the value in column 1 (b) is missing");
    refused("1,2\n3,x\n", "t.csv, line 2: expected a number in column 1, found \"x\"");
    refused("1,2\n3\n", "t.csv, line 2: expected 2 fields, found 1");
    let wide = vec!["1"; (1 << 20) + 5].join(",");
    refused(&wide, "t.csv, line 1: more than 1048576 fields");
    let wide = vec!["1"; (1 << 16) + 1].join(",");
    refused(&wide, "t.csv: 65537 columns, but at most 65536 are read as tensors");
    let counts = CsvReader::new().parse_columns(b"2,1,oak,elm\n1,0\n2.5,1\n", "t").unwrap();
    assert_eq!(counts.matrix().to_vec::<f64>(), [1.0, 0.0, 2.5, 1.0]);

    let path = file("kept.csv");
    std::fs::write(&path, "old").unwrap();
    let cube = Tensor::zeros([2, 2, 2]);
    let sentence = attempt(|| save_csv(&cube, None, &path)).unwrap_err();
    assert!(sentence.message().contains("expected a vector or a matrix"), "{sentence}");
    assert!(attempt(|| save_csv(&Tensor::zeros([2, 2]), Some(&["a"]), &path)).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert!(
        save_csv(&Tensor::zeros([2]), None, path.join("x.csv")).unwrap_err().to_string().contains("cannot be written")
    );
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_target_of_very_many_different_texts_is_numbers_or_refused() {
    let rows = |word: &str| (0..70_000).map(|i| format!("{},{word}{i}.5\n", i % 9)).collect::<String>();
    let table = parse(&rows(""), 1).unwrap();
    let Target::Values(values) = &table.target else { panic!("numbers") };
    assert_eq!((values.numel(), values.to_vec::<f32>()[69_999]), (70_000, 69_999.5));
    let refused = parse(&rows("w"), 1).unwrap_err();
    assert_eq!(refused, "t.csv, line 65537: \"w65536.5\" in column 1: too many different texts for classes");
}
