//! Profiles of a small training run: rows, tables, the trace, the flame chart.

use cresset_nn::*;
use cresset_optim::Adam;
use cresset_profile::{Limit, Profile, Profiler, SortBy, autograd_graph, profile, record_function};
use cresset_tensor::trace::Kind;
use cresset_tensor::{Tensor, attempt, manual_seed, no_grad};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

#[derive(Module, Clone)]
struct Net {
    base: Base,
    first: Linear,
    rest: Sequential,
}
impl Net {
    fn new() -> Net {
        Net {
            base: Base::new(),
            first: Linear::new(20, 16),
            rest: Sequential::new((ReLU::new(), Dropout::new(0.1), Linear::new(16, 5))),
        }
    }
}
impl Forward for Net {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.rest.call(&self.first.call(x))
    }
}

const STEPS: u64 = 3;

fn trained() -> Profile {
    manual_seed(0);
    let model = Net::new();
    let optimizer = Adam::new(model.parameters(), 0.01);
    let (x, y) = (Tensor::randn([8, 20]), Tensor::randn([8, 5]));
    let criterion = MSELoss::new();
    let ((), prof) = profile(|| {
        for _ in 0..STEPS {
            record_function("step", || {
                optimizer.zero_grad();
                criterion.call((&model.call(&x), &y)).backward();
                optimizer.step();
            });
        }
    });
    prof
}

#[test]
fn rows_of_ops_count_and_add_up() {
    let prof = trained();
    let rows = prof.key_averages();
    let row = |name: &str| rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no row {name}: {rows}"));
    assert_eq!(
        (row("linear").calls, row("linear").flops),
        (2 * STEPS, STEPS * 2 * 8 * (20 * 16 + 16 * 5) + STEPS * 8 * 21)
    );
    assert_eq!((row("AddmmBackward0").calls, row("AddmmBackward0").kind), (2 * STEPS, Kind::Backward));
    assert_eq!(row("AddmmBackward0").backward_time, row("AddmmBackward0").total_time);
    let step = row("Optimizer.step#Adam.step");
    // Parameters and gradients, and two tensors of state: 7 passes of 4 bytes over 20·16 + 16 + 16·5 + 5 numbers.
    assert_eq!((step.calls, step.bytes, step.kind), (STEPS, STEPS * 7 * 4 * 421, Kind::Optimizer));
    assert_eq!(row("Optimizer.zero_grad#Adam.zero_grad").calls, STEPS);
    assert_eq!(row("AccumulateGrad").calls, 4 * STEPS);
    let span = row("step");
    assert_eq!((span.calls, span.kind), (STEPS, Kind::Span));
    // All runs within the spans.
    assert_eq!(span.total_time, prof.self_cpu_time_total());
    assert!(span.flops >= row("linear").flops + row("AddmmBackward0").flops);
    assert!(span.total_time <= prof.duration() && span.self_time < span.total_time);
    assert!(rows.iter().all(|r| r.mean_time() <= r.total_time && r.floor <= Duration::from_secs(1)));
    assert!(prof.peak_bytes() >= 4 * 3 * 421);
}

#[test]
fn rows_of_modules_have_forward_and_backward() {
    let prof = trained();
    let rows = prof.modules();
    let row = |name: &str| rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no row {name}: {rows}"));
    let names: Vec<&str> = rows.iter().map(|r| &*r.name).collect();
    let all = [
        "(no module)",
        "Net",
        "first (Linear)",
        "rest (Sequential)",
        "rest.0 (ReLU)",
        "rest.1 (Dropout)",
        "rest.2 (Linear)",
        "MSELoss",
    ];
    assert_eq!(names, all);
    assert!(rows.iter().skip(1).all(|r| r.calls == STEPS && r.backward_time <= r.total_time));
    let linear = 2 * 8 * 20 * 16 + 8 * 16;
    // The input wants no gradient.
    assert_eq!(row("first (Linear)").flops, STEPS * 2 * linear);
    assert_eq!(row("rest.2 (Linear)").flops, STEPS * 3 * (2 * 8 * 16 * 5 + 8 * 5));
    for (outer, inner) in
        [("Net", "rest (Sequential)"), ("rest (Sequential)", "rest.2 (Linear)"), ("Net", "first (Linear)")]
    {
        assert!(row(outer).total_time >= row(inner).total_time && row(outer).flops >= row(inner).flops);
    }
    let total: Duration = rows.iter().map(|r| r.self_time).sum();
    assert_eq!(total, prof.self_cpu_time_total());
    let costly = prof.costliest_modules(3);
    assert_eq!(costly.len(), 3);
    assert!(
        costly.windows(2).all(|w| w[0].self_time >= w[1].self_time) && costly.iter().all(|r| r.name != "(no module)")
    );
    assert!(costly.iter().all(|r| r.verdict().starts_with("limited by ")));
    let both = prof.modules_and_ops();
    let relu = both.iter().find(|r| r.name == "ReluBackward0").unwrap();
    assert_eq!((relu.module.as_deref(), relu.calls), (Some("rest.0 (ReLU)"), STEPS));
}

#[test]
fn the_jobs_of_a_compiled_model_stand_in_their_modules() {
    manual_seed(0);
    let model = Net::new();
    let (x, y) = (Tensor::randn([8, 20]), Tensor::randn([8, 5]));
    let criterion = MSELoss::new();
    // Recorded here, outside of all modules; recorded by the second call, within two; run by the third.
    let fast = cresset_compile::compile(&model, &x);
    let outer = Sequential::new((
        Identity::new(),
        Lambda::new({
            let fast = fast.clone();
            move |x| fast.call(x)
        }),
    ));
    outer.call(&Tensor::randn([4, 20])).sum().backward();
    for (x, y) in [(&x, &y), (&Tensor::randn([4, 20]), &Tensor::randn([4, 5]))] {
        let ((), prof) = profile(|| (0..STEPS).for_each(|_| criterion.call((&fast.call(x), y)).backward()));
        let rows = prof.modules();
        let row = |name: &str| rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no row {name}: {rows}"));
        let n = x.shape()[0] as u64;
        // The last layer, forward and both gradients, is a job of its own.
        let last = row("rest.2 (Linear)");
        assert_eq!((last.calls, last.flops), (0, STEPS * 3 * (2 * n * 16 * 5 + n * 5)), "{rows}");
        assert!(last.backward_time > Duration::ZERO && last.backward_time < last.total_time);
        assert!(row("rest.1 (Dropout)").flops > 0);
        // What was made of ops of two modules is the work of the module that has both.
        assert!(row("Net").calls == STEPS && row("Net").total_time > row("rest (Sequential)").total_time);
        assert!(row("rest (Sequential)").total_time >= last.total_time);
        let total: Duration = rows.iter().map(|r| r.self_time).sum();
        assert_eq!(total, prof.self_cpu_time_total());
        assert!(prof.to_svg().contains("rest.2 (Linear)"));
    }
}

#[test]
fn limits_follow_from_the_shares() {
    let mut row = trained().key_averages()[0].clone();
    let mut limit = |compute: f64, memory: f64| {
        (row.compute_share, row.memory_share) = (compute, memory);
        (row.limit(), row.verdict())
    };
    assert_eq!(limit(0.8, 0.3).0, Limit::Compute);
    assert_eq!(
        limit(0.1, 0.6),
        (Limit::Memory, "limited by memory: it moves numbers at 60 % of the speed of copying".into())
    );
    assert_eq!(limit(0.1, 0.2).0, Limit::Overhead);
    assert_eq!(limit(0.0, 0.0).0, Limit::Overhead);
}

#[test]
fn tables_are_sorted_and_cut() {
    let prof = trained();
    let table = prof.key_averages().table(SortBy::Count, 2);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("Name ") && lines[1].contains("Self CPU %") && lines[1].contains("# of Calls"));
    assert!(lines[3].starts_with("AccumulateGrad"));
    assert_eq!(lines.len(), 3 + 2 + 1 + 2);
    assert!(lines[6].ends_with(" more rows") && lines[7].starts_with("Self CPU time total: "));
    let flops = prof.modules().sorted(SortBy::Flops);
    assert!(flops.windows(2).all(|w| w[0].flops >= w[1].flops));
    let text = prof.to_string();
    assert!(text.contains("rest.0 (ReLU)") && text.contains("Wall time: ") && text.contains("GFLOP/s"), "{text}");
    // Nothing ran: a table without rows.
    let ((), empty) = profile(|| ());
    assert!(empty.key_averages().is_empty() && empty.to_string().contains("Self CPU time total: 0.000us"));
}

#[test]
fn the_trace_is_in_the_trace_event_format() {
    let prof = trained();
    let json: Value = serde_json::from_str(&prof.to_chrome_trace()).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let mut named = HashMap::new();
    let mut open: Vec<(f64, &str)> = Vec::new();
    let mut last = 0.0;
    let mut complete = 0;
    for e in events {
        let name = e["name"].as_str().expect("a name");
        assert!(e["pid"].is_u64() && e["ts"].is_number(), "{e}");
        match e["ph"].as_str().unwrap() {
            "M" => drop(named.insert(name, e["args"]["name"].as_str().unwrap().to_string())),
            "C" => assert!(e["args"]["bytes"].is_u64()),
            "X" => {
                complete += 1;
                assert!(e["tid"].is_u64() && e["cat"].is_string() && e["args"].is_object(), "{e}");
                let (ts, dur) = (e["ts"].as_f64().unwrap(), e["dur"].as_f64().unwrap());
                // In order, and each ends before the one around it.
                assert!(ts >= last && dur >= 0.0, "{e} begins before {last}");
                last = ts;
                while open.last().is_some_and(|(end, _)| *end < ts + 1e-4) {
                    open.pop();
                }
                if let Some((end, outer)) = open.last() {
                    assert!(ts + dur <= end + 1e-4, "{name} ends after {outer}");
                }
                open.push((ts + dur, name));
            }
            other => panic!("an event of kind {other}"),
        }
    }
    assert_eq!(named["process_name"], "cresset");
    assert!(named.contains_key("thread_name"));
    assert_eq!(complete, prof.events().len());
    let find = |name: &str| events.iter().find(|e| e["name"] == name).unwrap();
    let linear = find("linear");
    assert_eq!(linear["args"]["Input Dims"], serde_json::json!([[8, 20], [16, 20], [16]]));
    assert_eq!(linear["args"]["Output Dims"], serde_json::json!([[8, 16]]));
    assert_eq!((&linear["cat"], &linear["args"]["Module"]), (&"cpu_op".into(), &"first (Linear)".into()));
    assert_eq!(find("nn.Module: rest.2 (Linear)")["cat"], "module");
    assert_eq!(find("AddmmBackward0")["args"]["Module"], "rest.2 (Linear)");
    assert_eq!(
        (&find("step")["cat"], &find("Optimizer.step#Adam.step")["cat"]),
        (&"user_annotation".into(), &"optimizer".into())
    );
}

/// The boxes of a picture: x, y, width, height, and what stands under the mouse.
fn boxes(svg: &str) -> Vec<([f64; 4], String)> {
    let number = |text: &str, key: &str| -> f64 {
        let at = text.find(&format!(" {key}=\"")).unwrap() + key.len() + 3;
        text[at..].split('"').next().unwrap().parse().unwrap()
    };
    let part = |g: &str| {
        let title = g[..g.find("</title>")?].to_string();
        let rect = &g[g.find("<rect")?..];
        Some((["x", "y", "width", "height"].map(|k| number(rect, k)), title))
    };
    svg.split("<g><title>").skip(1).filter_map(part).collect()
}

#[test]
fn the_flame_chart_nests_modules() {
    let svg = trained().to_svg();
    let all = boxes(&svg);
    let find = |name: &str| {
        &all.iter().find(|(_, t)| t.starts_with(&format!("{name}\n"))).unwrap_or_else(|| panic!("no {name}")).0
    };
    let (root, step, net, first) = (find("all"), find("step"), find("Net"), find("first (Linear)"));
    for (outer, inner) in [(root, step), (step, net), (net, first)] {
        assert!(inner[0] >= outer[0] - 0.1 && inner[0] + inner[2] <= outer[0] + outer[2] + 0.6 && inner[1] > outer[1]);
    }
    assert!(all.iter().any(|(_, t)| t.starts_with("AddmmBackward0\n") && t.contains("GFLOP/s")));
    // Boxes of one row do not overlap, and all lie within the picture.
    for (i, (a, _)) in all.iter().enumerate() {
        assert!(a[0] >= 0.0 && a[0] + a[2] <= 1200.0);
        for (b, _) in all.iter().skip(i + 1).filter(|(b, _)| b[1] == a[1]) {
            assert!(a[0] + a[2] <= b[0] + 0.02 || b[0] + b[2] <= a[0] + 0.02, "{a:?} and {b:?}");
        }
    }
}

#[test]
fn files_are_written_by_their_ending() {
    let folder = std::env::temp_dir().join(format!("cresset-profile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let prof = trained();
    prof.save(folder.join("a.json")).unwrap();
    prof.save(folder.join("a.svg")).unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("a.json")).unwrap(), prof.to_chrome_trace());
    assert!(std::fs::read_to_string(folder.join("a.svg")).unwrap().starts_with("<svg"));
    assert!(prof.save(folder.join("a.png")).unwrap_err().to_string().ends_with("(a trace) or .svg (a flame chart)"));
    assert!(prof.save(folder.join("none").join("a.svg")).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn models_of_one_kind_are_told_apart() {
    let (a, b) = (Net::new(), Sequential::new((Linear::new(20, 4), ReLU::new())));
    let x = Tensor::randn([2, 20]);
    let (_, prof) = profile(|| no_grad(|| (a.first.call(&x), a.call(&x), b.call(&x))));
    let names: Vec<String> = prof.modules().iter().map(|r| r.name.clone()).collect();
    for name in ["Net.first (Linear)", "Net.rest.0 (ReLU)", "Sequential.0 (Linear)"] {
        assert!(names.iter().any(|n| n == name), "{name} is not in {names:?}");
    }
    // First called by itself, then in its model: one module.
    assert_eq!(prof.modules().iter().find(|r| r.name == "Net.first (Linear)").unwrap().calls, 2);
}

#[test]
fn a_profiler_is_one_at_a_time_and_ends_with_a_panic() {
    let profiler = Profiler::start();
    assert!(
        attempt(|| profile(|| ())).err().unwrap().to_string().contains("a profile is under way on this thread already")
    );
    let _ = Tensor::ones([2]) + 1.0;
    assert_eq!(profiler.stop().key_averages().len(), 1);
    assert!(attempt(|| profile(|| Net::new().call(&Tensor::ones([2, 3])))).is_err());
    let (_, prof) = profile(|| Tensor::ones([2]) * 2.0);
    assert_eq!(prof.events().len(), 1);
}

#[test]
fn the_graph_of_autograd_has_functions_and_named_leaves() {
    let model = Net::new();
    let x = Tensor::randn([8, 20]);
    let loss = model.eval().call(&x).mean();
    let graph = autograd_graph(&loss, model.named_parameters());
    assert_eq!(graph.functions(), ["MeanBackward0", "AddmmBackward0", "ReluBackward0", "AddmmBackward0"]);
    let dot = graph.to_dot();
    for text in ["first.weight\\n(16, 20)", "rest.2.bias\\n(5)", "output\\n()"] {
        assert!(dot.contains(text), "{text} is not in {dot}");
    }
    // Four leaves with what fills their gradients, four functions, the output; an edge into each but the leaves.
    assert_eq!((dot.matches("[label=").count(), dot.matches(" -> ").count()), (13, 12));
    assert_eq!(dot.matches("AccumulateGrad").count(), 4);
    assert_eq!(graph.to_svg().matches("<rect").count(), 13 + 1);

    // A value that is used twice is one node; leaves without a name stand with their shape; no graph is one node.
    let w = Tensor::ones([3]).requires_grad_(true);
    let y = &w * 2.0;
    let twice = autograd_graph(&(&y * &y).sum(), [("w", w.clone())]);
    assert_eq!(twice.functions(), ["SumBackward0", "MulBackward0", "MulBackward0"]);
    let none: [(&str, &Parameter); 0] = [];
    assert!(autograd_graph(&y.sum(), none).to_dot().contains("\"(3)\""));
    assert_eq!(autograd_graph(&y.detach(), none).to_dot().matches("[label=").count(), 1);
    assert_eq!(autograd_graph(&w, none).to_dot().matches("[label=").count(), 3);
    // A deep graph is walked without recursion.
    let mut deep = w.clone();
    for _ in 0..3000 {
        deep = &deep + 1.0;
    }
    assert_eq!(autograd_graph(&deep, none).functions().len(), 3000);
}
