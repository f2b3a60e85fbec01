//! Tables in CSV files.

use cresset_data::{Column, CsvReader, Table, Target};

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
