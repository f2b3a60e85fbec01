//! The goldens kept in the project: what cresset has must agree with PyTorch, kind by kind.

use cresset_testing::conformance::args::{Row, row};
use cresset_testing::conformance::op_cases::run_with;
use cresset_testing::conformance::ops::Call;
use cresset_testing::conformance::{Options, Outcome, Report, run};
use cresset_testing::golden::Container;
use std::path::PathBuf;

fn goldens() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../goldens")
}

fn none_fails(kind: &str) {
    let options = Options { goldens: goldens(), kind: Some(kind.into()), filter: None, list_unsupported: false };
    let mut report = Report::quiet();
    run(&options, &mut report);
    let [passed, _, unsupported] = report.totals();
    let failures = &report.failures;
    assert!(failures.is_empty(), "{kind}: {} failed\n{failures:#?}", failures.len());
    assert!(passed + unsupported > 0, "no goldens of kind {kind}");
}

#[test]
fn ops_agree() {
    none_fails("ops");
}
#[test]
fn errors_agree() {
    none_fails("errors");
}
#[test]
fn modules_agree() {
    none_fails("modules");
}
#[test]
fn optimizers_agree() {
    none_fails("optim");
}
#[test]
fn initialisers_agree() {
    none_fails("init");
}
#[test]
fn random_streams_agree() {
    none_fails("rng");
}
#[test]
fn files_agree() {
    none_fails("files");
}
#[test]
fn texts_and_tables_agree() {
    none_fails("api");
}

/// The variance as it is often written by mistake: divided by n instead of n - 1.
static BIASED: Row = row("var", "input", |a| {
    let x = a.tensor("input")?;
    a.rest("input");
    for name in ["dim", "unbiased", "keepdim", "correction"] {
        a.raw(name);
    }
    let mean = x.mean();
    let off = &x - &mean;
    Ok((&off * &off).mean().into())
});

#[test]
fn a_variance_with_the_wrong_divisor_is_caught() {
    let file = Container::read(&goldens().join("ops/var.unbiased.safetensors")).unwrap();
    let call = Call { row: &BIASED, inplace: false };
    let unbiased = |case: &serde_json::Value| case["args"][1] == true;
    let cases: Vec<_> = file.cases.iter().filter(|c| unbiased(c)).collect();
    assert!(!cases.is_empty());
    for case in cases {
        assert!(matches!(run_with(&call, &file, case), Outcome::Failed(_)), "{case}");
    }
}
