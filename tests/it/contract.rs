//! The contract is documented throughout, and says of everything since when it is there.

use wit_parser::{Docs, Resolve, Stability, TypeDefKind, TypeOwner, WorldItem};

/// What lacks its documentation or its version.
#[derive(Default)]
struct Lacks(Vec<String>);

impl Lacks {
    fn docs(&mut self, path: &str, docs: &Docs) {
        if docs.contents.as_ref().is_none_or(|text| text.trim().is_empty()) {
            self.0.push(format!("{path}: no documentation"));
        }
    }

    fn since(&mut self, path: &str, stability: &Stability) {
        if !matches!(stability, Stability::Stable { .. }) {
            self.0.push(format!("{path}: no `@since`"));
        }
    }

    fn item(&mut self, path: &str, docs: &Docs, stability: &Stability) {
        self.docs(path, docs);
        self.since(path, stability);
    }

    /// The parts of a type, which cannot say since when.
    fn parts(&mut self, path: &str, kind: &TypeDefKind) {
        let parts: Vec<(&str, &Docs)> = match kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().map(|part| (&*part.name, &part.docs)).collect()
            }
            TypeDefKind::Enum(all) => all.cases.iter().map(|part| (&*part.name, &part.docs)).collect(),
            TypeDefKind::Variant(all) => all.cases.iter().map(|part| (&*part.name, &part.docs)).collect(),
            TypeDefKind::Flags(all) => all.flags.iter().map(|part| (&*part.name, &part.docs)).collect(),
            _ => Vec::new(),
        };
        for (name, docs) in parts {
            self.docs(&format!("{path}.{name}"), docs);
        }
    }
}

#[test]
fn every_item_says_what_it_is_and_since_when() {
    let mut resolve = Resolve::default();
    let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
    let (package, _) = resolve.push_dir(wit).expect("the contract parses");
    let mut lacks = Lacks::default();
    let mut seen = 0;
    for (name, id) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*id];
        lacks.item(name, &interface.docs, &interface.stability);
        for (function, item) in &interface.functions {
            lacks.item(&format!("{name}.{function}"), &item.docs, &item.stability);
            seen += 1;
        }
        for (_, ty) in resolve.types.iter().filter(|(_, ty)| ty.owner == TypeOwner::Interface(*id)) {
            let Some(type_name) = &ty.name else { continue };
            let path = format!("{name}.{type_name}");
            lacks.since(&path, &ty.stability);
            // A `use` repeats a type that is documented where it is from.
            let is_use = matches!(ty.kind, TypeDefKind::Type(wit_parser::Type::Id(from))
                if resolve.types[from].name.as_ref() == Some(type_name));
            if !is_use {
                lacks.docs(&path, &ty.docs);
            }
            lacks.parts(&path, &ty.kind);
            seen += 1;
        }
    }
    for (name, id) in &resolve.packages[package].worlds {
        let world = &resolve.worlds[*id];
        lacks.item(name, &world.docs, &world.stability);
        for (key, item) in world.imports.iter().chain(&world.exports) {
            if let WorldItem::Interface { stability, .. } = item {
                lacks.since(&format!("{name}: {}", resolve.name_world_key(key)), stability);
            }
        }
    }
    assert!(seen > 20, "only {seen} items were looked at");
    assert!(lacks.0.is_empty(), "{}", lacks.0.join("\n"));
}
