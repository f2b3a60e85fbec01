//! `#[module(...)]` on structs and fields.

use syn::{Attribute, LitStr, Path, Result};

/// On the struct.
#[derive(Default)]
pub struct OfStruct {
    pub name: Option<LitStr>,
    pub library: Option<Path>,
}

/// On a field.
#[derive(Default)]
pub struct OfField {
    pub name: Option<LitStr>,
    pub skip: bool,
}

pub fn of_struct(attributes: &[Attribute]) -> Result<OfStruct> {
    let mut found = OfStruct::default();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                found.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("crate") {
                found.library = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            } else {
                return Err(meta.error("a struct takes #[module(name = \"...\")] and #[module(crate = \"...\")]"));
            }
            Ok(())
        })?;
    }
    Ok(found)
}

pub fn of_field(attributes: &[Attribute]) -> Result<OfField> {
    let mut found = OfField::default();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                found.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("skip") {
                found.skip = true;
            } else {
                return Err(meta.error("a field takes #[module(skip)] and #[module(name = \"...\")]"));
            }
            Ok(())
        })?;
    }
    Ok(found)
}
