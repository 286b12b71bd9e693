//! The contract is documented throughout, says of everything since when it is there, and goes on saying
//! what it has said since its release.

use std::collections::BTreeMap;

use wit_parser::{Docs, PackageId, Resolve, Stability, Type, TypeDefKind, TypeOwner, WorldItem};

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

/// What a package says, a line each function, type, and item of a world: its
/// form without documentation, and since when it is there.
fn said(dir: &str) -> BTreeMap<String, (String, String)> {
    let mut resolve = Resolve::default();
    let dir = format!("{}/../{dir}", env!("CARGO_MANIFEST_DIR"));
    let (package, _) = resolve.push_dir(&dir).unwrap_or_else(|error| panic!("{dir}: {error:#}"));
    let mut said = BTreeMap::new();
    let mut add = |name: String, form: String, stability: &Stability| {
        let since = match stability {
            Stability::Stable { since, .. } => since.to_string(),
            _ => "never".to_owned(),
        };
        said.insert(name, (form, since));
    };
    for (interface, id) in &resolve.packages[package].interfaces {
        for (name, function) in &resolve.interfaces[*id].functions {
            let parameters = function.params.iter().map(|p| format!("{}: {}", p.name, form(&resolve, &p.ty)));
            let result = function.result.map_or_else(|| "nothing".to_owned(), |ty| form(&resolve, &ty));
            let signature = format!("{} -> {result}", parameters.collect::<Vec<_>>().join(", "));
            add(format!("{interface}.{name}"), signature, &function.stability);
        }
        for (name, id) in &resolve.interfaces[*id].types {
            let ty = &resolve.types[*id];
            add(format!("{interface}.{name}"), definition(&resolve, &ty.kind), &ty.stability);
        }
    }
    worlds(&resolve, package, &mut add);
    said
}

fn worlds(resolve: &Resolve, package: PackageId, add: &mut impl FnMut(String, String, &Stability)) {
    for (world, id) in &resolve.packages[package].worlds {
        let world_of = &resolve.worlds[*id];
        let imports = world_of.imports.iter().map(|item| ("import", item));
        for (side, (key, item)) in imports.chain(world_of.exports.iter().map(|item| ("export", item))) {
            let WorldItem::Interface { id, stability, .. } = item else { panic!("{key:?} is no interface") };
            let name = resolve.interfaces[*id].name.as_deref().unwrap_or_default();
            add(format!("world {world}: {side} {name}"), String::new(), stability);
        }
    }
}

/// The parts of a type, in their order.
fn definition(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let part = |name: &str, ty: Option<&Type>| {
        format!("{name}: {}", ty.map_or_else(String::new, |ty| form(resolve, ty)))
    };
    let parts: Vec<String> = match kind {
        TypeDefKind::Record(all) => all.fields.iter().map(|f| part(&f.name, Some(&f.ty))).collect(),
        TypeDefKind::Variant(all) => all.cases.iter().map(|c| part(&c.name, c.ty.as_ref())).collect(),
        TypeDefKind::Enum(all) => all.cases.iter().map(|c| c.name.clone()).collect(),
        TypeDefKind::Type(ty) => vec![form(resolve, ty)],
        TypeDefKind::Option(ty) | TypeDefKind::List(ty) => vec![form(resolve, ty)],
        TypeDefKind::Result(of) => vec![part("ok", of.ok.as_ref()), part("err", of.err.as_ref())],
        other => panic!("the contract has no {other:?}"),
    };
    format!("{} {{ {} }}", kind.as_str(), parts.join(", "))
}

/// A type by its name; one without a name by its parts.
fn form(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => match &resolve.types[*id].name {
            Some(name) => name.clone(),
            None => definition(resolve, &resolve.types[*id].kind),
        },
        primitive => format!("{primitive:?}").to_lowercase(),
    }
}

#[test]
fn what_0_1_0_says_is_said_for_good_and_what_came_later_says_so() {
    let (released, now) = (said("tests/contract/0.1.0/wit"), said("wit"));
    assert!(released.len() > 60, "only {} items were looked at", released.len());
    for (name, (form, since)) in &released {
        let kept = now.get(name).unwrap_or_else(|| panic!("0.1.0 has `{name}`"));
        assert_eq!(kept, &(form.clone(), since.clone()), "`{name}` is as 0.1.0 has it");
    }
    let later = now.iter().filter(|(name, _)| !released.contains_key(*name));
    let unsaid: Vec<_> = later.filter(|(_, (_, since))| since == "0.1.0").map(|(name, _)| name).collect();
    assert_eq!(unsaid, [""; 0], "these are not in 0.1.0: they need a later `@since`");
}
