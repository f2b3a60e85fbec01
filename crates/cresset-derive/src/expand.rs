//! What the derive writes.

use crate::{attributes, library};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use std::collections::HashSet;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Data, DeriveInput, Error, Field, Fields, Generics, Ident, Result, Type, parse_quote};

pub fn module(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input)?;
    let base = fields.clone().find(|f| f.ident.as_ref().is_some_and(|i| i == "base"));
    if base.is_none() {
        return Err(Error::new(
            input.ident.span(),
            format!("the module `{}` needs a field `base: Base`: its training flag and its hooks", input.ident),
        ));
    }
    let of_struct = attributes::of_struct(&input.attrs)?;
    let lib = of_struct.library.map_or_else(library::path, |path| path.to_token_stream());
    let lib = quote!(#lib::__derive);
    let ident = &input.ident;
    let class_name = of_struct.name.map_or_else(|| ident.to_string(), |name| name.value());

    let mut visits = Vec::new();
    let mut copies = Vec::new();
    let mut types = Vec::new();
    for field in fields {
        let name = field.ident.as_ref().expect("a named field");
        let of_field = attributes::of_field(&field.attrs)?;
        let ty = &field.ty;
        if name == "base" {
            copies.push(quote!(#name: #lib::Base::deep_copy_with(&self.#name, copier)));
        } else if of_field.skip {
            copies.push(quote!(#name: ::core::clone::Clone::clone(&self.#name)));
        } else {
            let shown = of_field.name.map_or_else(|| plain_name(name), |name| name.value());
            let span = ty.span();
            visits.push(quote_spanned!(span=> <#ty as #lib::Member>::visit(&self.#name, #shown, f);));
            copies.push(quote_spanned!(span=> #name: <#ty as #lib::Member>::deep_copy_with(&self.#name, copier)));
            types.push(ty);
        }
    }

    let generics = bounded(&input.generics, &types, &lib);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #lib::Member for #ident #type_generics #where_clause {
            fn visit<'__m>(&'__m self, name: &str, f: &mut dyn FnMut(&str, #lib::MemberRef<'__m>)) {
                f(name, #lib::MemberRef::Module(self))
            }
            fn deep_copy_with(&self, copier: &mut #lib::Copier) -> Self {
                #ident { #(#copies),* }
            }
        }
        #[automatically_derived]
        impl #impl_generics #lib::Module for #ident #type_generics #where_clause {
            fn base(&self) -> &#lib::Base {
                &self.base
            }
            #[allow(unused_variables)]
            fn members<'__m>(&'__m self, f: &mut dyn FnMut(&str, #lib::MemberRef<'__m>)) {
                #(#visits)*
            }
            fn class_name(&self) -> &str {
                #class_name
            }
            fn describe(&self) -> ::std::string::String {
                #[allow(unused_imports)]
                use #lib::NoExtraRepr as _;
                ::std::string::String::from(self.extra_repr())
            }
            fn as_module(&self) -> &dyn #lib::Module {
                self
            }
            fn share(&self) -> ::std::sync::Arc<dyn #lib::Module> {
                ::std::sync::Arc::new(::core::clone::Clone::clone(self))
            }
            fn deep_copy_module(&self, copier: &mut #lib::Copier) -> ::std::sync::Arc<dyn #lib::Module> {
                ::std::sync::Arc::new(#lib::Member::deep_copy_with(self, copier))
            }
        }
        #[automatically_derived]
        impl #impl_generics ::core::fmt::Display for #ident #type_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter) -> ::core::fmt::Result {
                #lib::display(self, f)
            }
        }
    })
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field> + Clone> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter()),
            _ => Err(Error::new(
                input.ident.span(),
                "a module is a struct with named fields: `struct Net { base: Base, fc: Linear }`",
            )),
        },
        _ => Err(Error::new(input.ident.span(), "#[derive(Module)] is for structs with named fields")),
    }
}

/// The name without `r#`.
fn plain_name(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_string).unwrap_or(text)
}

/// The generics, with the bound that a module must be `Clone` and live as long as it wants, and each field of a generic type a member.
fn bounded(generics: &Generics, fields: &[&Type], lib: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    let parameters: HashSet<Ident> = generics.type_params().map(|p| p.ident.clone()).collect();
    if parameters.is_empty() {
        return generics;
    }
    let clause = generics.make_where_clause();
    for ty in fields {
        let mut search = Search { parameters: &parameters, found: false };
        search.visit_type(ty);
        if search.found {
            clause.predicates.push(parse_quote!(#ty: #lib::Member + ::core::clone::Clone + Send + Sync + 'static));
        }
    }
    generics
}

struct Search<'a> {
    parameters: &'a HashSet<Ident>,
    found: bool,
}
impl Visit<'_> for Search<'_> {
    fn visit_ident(&mut self, ident: &Ident) {
        self.found |= self.parameters.contains(ident);
    }
}
