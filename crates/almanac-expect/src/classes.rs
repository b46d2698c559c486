//! Names of types, as NumPy, pandas, Python and data contracts have them.

use crate::rule::Class;

/// The classes that a name of a type stands for in NumPy, pandas and Python.
pub(crate) fn classes(names: &[String]) -> Result<Vec<Class>, String> {
    let mut classes = Vec::new();
    for name in names {
        let both = |numpy: &str, python: &str| vec![Class::Numpy(numpy.into()), Class::Python(python.into())];
        classes.extend(match name.as_str() {
            "int" | "integer" => both("int64", "int"),
            "float" => both("float64", "float"),
            "number" => ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
                .iter()
                .map(|name| Class::Numpy((*name).into()))
                .collect(),
            "bool" | "boolean" => both("bool", "bool"),
            "bool_" => both("bool", "bool_"),
            "str" | "string" | "text" => both("str", "str"),
            "object" | "object_" | "O" => both("object", "object"),
            "double" => both("float64", "float"),
            "single" => both("float32", "float32"),
            "datetime" | "timestamp" => both("datetime64", "datetime"),
            "date" => vec![Class::Python("date".into())],
            "Timestamp" => vec![Class::Python("Timestamp".into())],
            "datetime64" => vec![Class::Numpy("datetime64".into())],
            other if other.starts_with("datetime64[") || other == "M8[ns]" => vec![Class::Numpy("datetime64".into())],
            "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64" | "float16" | "float32" => {
                vec![Class::Numpy(name.clone())]
            }
            "float64" => both("float64", "float64"),
            "Decimal" | "timedelta64" | "timedelta64[ns]" | "complex" | "complex128" | "bytes" | "list" | "dict" | "tuple" | "set"
            | "category" => {
                vec![Class::Python(name.clone())]
            }
            other => return Err(format!("`{other}` is no type of NumPy, pandas or Python that is known here")),
        });
    }
    Ok(classes)
}
