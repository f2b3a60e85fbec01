//! The trees in which calls and results are written.

use cresset_tensor::DType;
use serde_json::Value as Json;

/// A value of a golden file. Tensors are references by name.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`: an optional argument that is absent.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Str(String),
    /// A tensor.
    Tensor(TensorRef),
    /// A list.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A shape.
    Size(Vec<usize>),
    /// A dtype.
    DType(DType),
    /// A device.
    Device(String),
    /// A layout.
    Layout(String),
    /// A memory format.
    MemoryFormat(String),
    /// `start:stop:step`.
    Slice(Option<i64>, Option<i64>, Option<i64>),
    /// `...`.
    Ellipsis,
    /// A dictionary with text keys, in order.
    Dict(Vec<(String, Value)>),
    /// A dictionary with other keys.
    Pairs(Vec<(Value, Value)>),
    /// A function, by its name in PyTorch.
    Fn(String),
    /// A module, to be built by calling its class.
    Module(Spec),
    /// A packed sequence: data, batch sizes, sorted and unsorted indices.
    Packed(Box<[Value; 4]>),
    /// A result with undefined contents.
    Empty(DType, Vec<usize>),
    /// A lazy parameter before its first use.
    Uninitialized,
    /// Something of another kind, as it is written.
    Other(Json),
}

/// A reference to a tensor of the file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TensorRef {
    /// Its name.
    pub name: String,
    /// Does it require grad?
    pub grad: bool,
    /// Is it a parameter?
    pub param: bool,
    /// Its strides, if it is not contiguous.
    pub stride: Option<Vec<usize>>,
    /// The input whose memory it shares (of a result).
    pub alias: Option<String>,
    /// The number of its storage (in saved files).
    pub storage: Option<i64>,
    /// Where it begins in its storage.
    pub offset: usize,
}

/// How a module is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The class: `torch.nn.Linear`.
    pub class: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Vec<(String, Value)>,
}

impl Spec {
    /// Reads a module's entry.
    pub fn parse(json: &Json) -> Result<Spec, String> {
        Ok(Spec {
            class: json["module"].as_str().ok_or("a module without a class")?.to_string(),
            args: Value::parse_list(&json["args"])?,
            kwargs: Value::parse_dict(&json["kwargs"])?,
        })
    }
}

impl Value {
    /// The items of a JSON array; absent means none.
    pub fn parse_list(json: &Json) -> Result<Vec<Value>, String> {
        match json {
            Json::Null => Ok(Vec::new()),
            Json::Array(items) => items.iter().map(Value::parse).collect(),
            other => Err(format!("expected a list, got {other}")),
        }
    }
    /// The entries of a JSON object; absent means none.
    pub fn parse_dict(json: &Json) -> Result<Vec<(String, Value)>, String> {
        match json {
            Json::Null => Ok(Vec::new()),
            Json::Object(map) => map.iter().map(|(k, v)| Ok((k.clone(), Value::parse(v)?))).collect(),
            other => Err(format!("expected an object, got {other}")),
        }
    }
    /// Reads a tree.
    pub fn parse(json: &Json) -> Result<Value, String> {
        Ok(match json {
            Json::Null => Value::None,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Value::Int(i),
                (None, Some(f)) => Value::Float(f),
                _ => return Err(format!("cannot read the number {n}")),
            },
            Json::String(s) => Value::Str(s.clone()),
            Json::Array(_) => Value::List(Value::parse_list(json)?),
            Json::Object(map) => {
                let Some((key, item)) = map.iter().next() else { return Ok(Value::Other(json.clone())) };
                parse_object(json, key, item)?
            }
        })
    }

    /// The references to tensors in the tree, in order.
    pub fn tensors(&self) -> Vec<&TensorRef> {
        match self {
            Value::Tensor(t) => vec![t],
            Value::List(v) | Value::Tuple(v) => v.iter().flat_map(Value::tensors).collect(),
            Value::Dict(v) => v.iter().flat_map(|(_, v)| v.tensors()).collect(),
            Value::Pairs(v) => v.iter().flat_map(|(k, v)| k.tensors().into_iter().chain(v.tensors())).collect(),
            Value::Packed(parts) => parts[0].tensors(),
            Value::Module(spec) => {
                spec.args.iter().chain(spec.kwargs.iter().map(|(_, v)| v)).flat_map(Value::tensors).collect()
            }
            _ => Vec::new(),
        }
    }

    /// All references, the packing of packed sequences included.
    pub fn all_tensors(&self) -> Vec<&TensorRef> {
        match self {
            Value::Packed(parts) => parts.iter().flat_map(Value::tensors).collect(),
            Value::List(v) | Value::Tuple(v) => v.iter().flat_map(Value::all_tensors).collect(),
            other => other.tensors(),
        }
    }
}

fn parse_object(json: &Json, key: &str, item: &Json) -> Result<Value, String> {
    let text = || item.as_str().map(str::to_string).ok_or_else(|| format!("expected a text: {json}"));
    let sizes = |v: &Json| -> Result<Vec<usize>, String> {
        v.as_array()
            .and_then(|v| v.iter().map(|n| n.as_u64().map(|n| n as usize)).collect())
            .ok_or_else(|| format!("expected sizes: {json}"))
    };
    let dtype = |v: &Json| {
        v.as_str().and_then(DType::from_name).ok_or_else(|| format!("a dtype that is not known here: {json}"))
    };
    // A tensor may have its fields in any order.
    if json.get("t").is_some_and(Json::is_string) {
        return Ok(Value::Tensor(TensorRef {
            name: json["t"].as_str().unwrap_or_default().to_string(),
            grad: json["grad"] == true,
            param: json["param"] == true,
            stride: json.get("stride").map(sizes).transpose()?,
            alias: json["alias"].as_str().map(str::to_string),
            storage: json["storage"].as_i64(),
            offset: json["offset"].as_u64().unwrap_or(0) as usize,
        }));
    }
    Ok(match key {
        "f" => Value::Float(match item.as_str() {
            Some("nan") => f64::NAN,
            Some("inf") => f64::INFINITY,
            Some("-inf") => f64::NEG_INFINITY,
            _ => return Err(format!("cannot read the number {json}")),
        }),
        "tuple" => Value::Tuple(Value::parse_list(item)?),
        "size" => Value::Size(sizes(item)?),
        "dtype" => Value::DType(dtype(item)?),
        "device" => Value::Device(text()?),
        "layout" => Value::Layout(text()?),
        "memory_format" => Value::MemoryFormat(text()?),
        "slice" => Value::Slice(item[0].as_i64(), item[1].as_i64(), item[2].as_i64()),
        "ellipsis" => Value::Ellipsis,
        "dict" => Value::Dict(Value::parse_dict(item)?),
        "pairs" => Value::Pairs(
            item.as_array()
                .ok_or("pairs is no list")?
                .iter()
                .map(|p| Ok((Value::parse(&p[0])?, Value::parse(&p[1])?)))
                .collect::<Result<_, String>>()?,
        ),
        "fn" => Value::Fn(text()?),
        "module" => Value::Module(Spec::parse(json)?),
        "packed" => {
            let part = |name: &str| Value::parse(&item[name]);
            Value::Packed(Box::new([
                part("data")?,
                part("batch_sizes")?,
                part("sorted_indices")?,
                part("unsorted_indices")?,
            ]))
        }
        "empty" => Value::Empty(dtype(&item["dtype"])?, sizes(&item["shape"])?),
        "uninitialized" => Value::Uninitialized,
        _ => Value::Other(json.clone()),
    })
}
