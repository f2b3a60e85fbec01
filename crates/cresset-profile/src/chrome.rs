//! A profile in the Trace Event Format: a list of complete events (`"ph":"X"`) with times in microseconds, after events that name the process and the
//! thread.

use crate::tree::Names;
use cresset_tensor::Meta;
use cresset_tensor::trace::{Kind, Trace};
use std::fmt::Write;

pub(crate) fn json(trace: &Trace) -> String {
    let names = Names::of(trace);
    let pid = std::process::id();
    let mut out = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    // Writing to a String cannot fail.
    for (what, name) in [("process_name", "cresset"), ("thread_name", &*trace.thread)] {
        let name = quoted(name);
        let _ = writeln!(
            out,
            "{{\"name\":\"{what}\",\"ph\":\"M\",\"ts\":0,\"pid\":{pid},\"tid\":1,\"args\":{{\"name\":{name}}}}},"
        );
    }
    let counter = |out: &mut String, at: u64, bytes: u64| {
        let _ = write!(
            out,
            "{{\"name\":\"tensors\",\"ph\":\"C\",\"ts\":{},\"pid\":{pid},\"args\":{{\"bytes\":{bytes}}}}}",
            micros(at)
        );
    };
    counter(&mut out, 0, trace.live);
    for e in &trace.events {
        let name = match e.kind {
            Kind::Module => format!("nn.Module: {}", names.event(trace, e)),
            _ => e.name.to_string(),
        };
        let category = match e.kind {
            Kind::Op => "cpu_op",
            Kind::Backward => "backward",
            Kind::Module => "module",
            Kind::Optimizer => "optimizer",
            Kind::Span => "user_annotation",
        };
        out.push_str(",\n");
        counter(&mut out, e.begin, e.live);
        let _ = write!(
            out,
            ",\n{{\"name\":{},\"cat\":\"{category}\",\"ph\":\"X\",\"ts\":{},\"dur\":{},\"pid\":{pid},\"tid\":1,\"args\":{{",
            quoted(&name),
            micros(e.begin),
            micros(e.total())
        );
        let mut args = vec![];
        if e.kind != Kind::Module && e.scope != 0 {
            args.push(format!("\"Module\":{}", quoted(names.module(trace.scopes[e.scope as usize].module))));
        }
        for (what, metas) in [("Input", trace.inputs(e)), ("Output", trace.outputs(e))] {
            if !metas.is_empty() {
                let dims: Vec<String> = metas.iter().map(dims).collect();
                let types: Vec<String> = metas.iter().map(|m| quoted(m.dtype.name())).collect();
                args.push(format!("\"{what} Dims\":[{}],\"{what} type\":[{}]", dims.join(","), types.join(",")));
            }
        }
        if e.cost != Default::default() {
            args.push(format!("\"flops\":{},\"bytes\":{}", e.cost.flops, e.cost.bytes));
        }
        args.push(format!("\"Allocated bytes\":{},\"Peak bytes\":{}", e.allocated, e.peak));
        out.push_str(&args.join(","));
        out.push_str("}}");
    }
    out + "\n]}\n"
}

/// Nanoseconds as microseconds, exactly.
fn micros(ns: u64) -> String {
    format!("{}.{:03}", ns / 1000, ns % 1000)
}

fn dims(meta: &Meta) -> String {
    let sizes: Vec<String> = meta.shape.iter().map(usize::to_string).collect();
    format!("[{}]", sizes.join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
