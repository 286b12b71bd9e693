//! Where a component's types leave the contract's, in the words of its author's WIT.
//!
//! For errors only: whether the types match, wasmtime has said.

use wit_component::{DecodedWasm, decode};
use wit_parser::{Function, InterfaceId, Resolve, Type, TypeDefKind, WorldId, WorldItem};

use super::contract;
use super::versions::Version;

/// The first difference between a component's imports and exports and the
/// contract's; none where its types cannot be read, or none is found.
pub(super) fn mismatch(component: &[u8], version: &Version) -> Option<String> {
    // The decoder takes for granted what tools write, and panics where a
    // component that nobody's tool wrote is otherwise.
    let decoded = std::panic::catch_unwind(|| decode(component)).ok()?.ok()?;
    let DecodedWasm::Component(theirs, world) = decoded else { return None };
    let (ours, contract) = contract::parsed(version);
    let find = |name: &str| ours.packages[contract].interfaces.get(name).copied();
    let comparison = Comparison { theirs: &theirs, ours: &ours };
    interfaces(&theirs, world)
        .into_iter()
        .find_map(|(name, id, exported)| comparison.interface(&name, id, find(&name)?, exported))
}

/// The interfaces of the contract's package: name, and whether it is exported. Exports come first.
fn interfaces(resolve: &Resolve, world: WorldId) -> Vec<(String, InterfaceId, bool)> {
    let world = &resolve.worlds[world];
    let exported = world.exports.values().map(|item| (item, true));
    let all = exported.chain(world.imports.values().map(|item| (item, false)));
    all.filter_map(|(item, exported)| {
        let WorldItem::Interface { id, .. } = item else { return None };
        let interface = &resolve.interfaces[*id];
        let package = &resolve.packages[interface.package?].name;
        let contract = package.namespace == "reprieve" && package.name == "policy";
        Some((interface.name.clone().filter(|_| contract)?, *id, exported))
    })
    .collect()
}

struct Comparison<'a> {
    theirs: &'a Resolve,
    ours: &'a Resolve,
}

/// How two types differ.
enum Difference {
    /// What is at this place is of another type.
    Type { place: String, found: String, expected: String },
    /// A record or a variant has other parts, in words.
    Parts(String),
}

/// The parts of a record, a variant or an enum.
struct Parts<'a> {
    called: &'static str,
    of: Vec<(&'a str, Option<Type>)>,
}

impl Comparison<'_> {
    /// What is exported must be all there; of what is imported, a part will do.
    fn interface(
        &self,
        name: &str,
        theirs: InterfaceId,
        ours: InterfaceId,
        exported: bool,
    ) -> Option<String> {
        let (theirs, ours) =
            (&self.theirs.interfaces[theirs].functions, &self.ours.interfaces[ours].functions);
        if let Some(missing) = ours.keys().find(|function| exported && !theirs.contains_key(*function)) {
            return Some(format!("its `{name}` has no `{missing}`"));
        }
        theirs.iter().find_map(|(function, theirs)| match ours.get(function) {
            Some(ours) => Some(format!("its `{name}.{function}` {}", self.function(theirs, ours)?)),
            None if exported => None,
            None => Some(format!("it imports `{name}.{function}`, which the contract does not have")),
        })
    }

    fn function(&self, theirs: &Function, ours: &Function) -> Option<String> {
        if theirs.params.len() != ours.params.len() {
            let list = |function: &Function| {
                let names: Vec<&str> = function.params.iter().map(|param| &*param.name).collect();
                names.join(", ")
            };
            return Some(format!("takes `({})`, the contract says `({})`", list(theirs), list(ours)));
        }
        let parameters = theirs.params.iter().zip(&ours.params);
        let taken = parameters.map(|(theirs, ours)| self.types(&ours.name, theirs.ty, ours.ty));
        let returned = self.optional("", theirs.result, ours.result);
        let taken = taken.into_iter().flatten().map(|difference| ("takes", difference));
        let (verb, difference) = taken.chain(returned.map(|difference| ("returns", difference))).next()?;
        Some(match difference {
            Difference::Parts(words) => format!("{verb} {words}"),
            Difference::Type { place, found, expected } if place.is_empty() => {
                format!("{verb} `{found}`, the contract says `{expected}`")
            }
            Difference::Type { place, found, expected } => {
                format!("{verb} `{place}` as `{found}`, the contract says `{expected}`")
            }
        })
    }

    fn types(&self, place: &str, theirs: Type, ours: Type) -> Option<Difference> {
        let (theirs, ours) = (aliased(self.theirs, theirs), aliased(self.ours, ours));
        let inside = match (kind(self.theirs, theirs), kind(self.ours, ours)) {
            (None, None) if theirs == ours => return None,
            (Some(TypeDefKind::Option(theirs)), Some(TypeDefKind::Option(ours)))
            | (Some(TypeDefKind::List(theirs)), Some(TypeDefKind::List(ours))) => {
                self.types(place, *theirs, *ours)?
            }
            (Some(TypeDefKind::Result(theirs)), Some(TypeDefKind::Result(ours))) => self
                .optional(place, theirs.ok, ours.ok)
                .or_else(|| self.optional(place, theirs.err, ours.err))?,
            (Some(their_kind), Some(our_kind)) => match (parts(their_kind), parts(our_kind)) {
                (Some(their_parts), Some(our_parts)) if their_parts.called == our_parts.called => {
                    return self.parts(&text(self.ours, ours), &their_parts, &our_parts);
                }
                _ => self.other(place, theirs, ours),
            },
            _ => self.other(place, theirs, ours),
        };
        // What is inside a list or an option is told with the list or the option.
        match inside {
            Difference::Type { place: inner, .. } if inner == place => Some(self.other(place, theirs, ours)),
            inside => Some(inside),
        }
    }

    fn parts(&self, name: &str, theirs: &Parts<'_>, ours: &Parts<'_>) -> Option<Difference> {
        let called = theirs.called;
        let lacks = |of: &Parts<'_>, part: &str| !of.of.iter().any(|(name, _)| *name == part);
        if let Some((part, _)) = ours.of.iter().find(|(part, _)| lacks(theirs, part)) {
            return Some(Difference::Parts(format!("`{name}` without its {called} `{part}`")));
        }
        if let Some((part, _)) = theirs.of.iter().find(|(part, _)| lacks(ours, part)) {
            let words = format!("`{name}` with the {called} `{part}`, which the contract does not have");
            return Some(Difference::Parts(words));
        }
        let pairs = || theirs.of.iter().zip(&ours.of);
        if let Some(((found, _), (expected, _))) = pairs().find(|(theirs, ours)| theirs.0 != ours.0) {
            let words = format!("`{name}` with its {called} `{found}` where the contract has `{expected}`");
            return Some(Difference::Parts(words));
        }
        pairs()
            .find_map(|((part, theirs), (_, ours))| self.optional(&format!("{name}.{part}"), *theirs, *ours))
    }

    fn optional(&self, place: &str, theirs: Option<Type>, ours: Option<Type>) -> Option<Difference> {
        let nothing = || "nothing".to_owned();
        match (theirs, ours) {
            (None, None) => None,
            (Some(theirs), Some(ours)) => self.types(place, theirs, ours),
            (theirs, ours) => Some(Difference::Type {
                place: place.to_owned(),
                found: theirs.map_or_else(nothing, |ty| text(self.theirs, ty)),
                expected: ours.map_or_else(nothing, |ty| text(self.ours, ty)),
            }),
        }
    }

    fn other(&self, place: &str, theirs: Type, ours: Type) -> Difference {
        let (mut found, mut expected) = (text(self.theirs, theirs), text(self.ours, ours));
        if found == expected {
            // The same name for a record and, say, an enum.
            for (text, kind) in
                [(&mut found, kind(self.theirs, theirs)), (&mut expected, kind(self.ours, ours))]
            {
                *text = format!("{} {text}", kind.map_or("type", TypeDefKind::as_str));
            }
        }
        Difference::Type { place: place.to_owned(), found, expected }
    }
}

/// The type that a name, which a `use` may have repeated, stands for.
fn aliased(resolve: &Resolve, ty: Type) -> Type {
    match ty {
        Type::Id(id) => match resolve.types[id].kind {
            TypeDefKind::Type(of) => aliased(resolve, of),
            _ => ty,
        },
        _ => ty,
    }
}

fn kind(resolve: &Resolve, ty: Type) -> Option<&TypeDefKind> {
    match ty {
        Type::Id(id) => Some(&resolve.types[id].kind),
        _ => None,
    }
}

fn parts(kind: &TypeDefKind) -> Option<Parts<'_>> {
    let (called, of) = match kind {
        TypeDefKind::Record(all) => {
            ("field", all.fields.iter().map(|field| (&*field.name, Some(field.ty))).collect())
        }
        TypeDefKind::Variant(all) => ("case", all.cases.iter().map(|case| (&*case.name, case.ty)).collect()),
        TypeDefKind::Enum(all) => ("value", all.cases.iter().map(|case| (&*case.name, None)).collect()),
        _ => return None,
    };
    Some(Parts { called, of })
}

/// A type as WIT writes it.
fn text(resolve: &Resolve, ty: Type) -> String {
    let inner = |ty: &Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| text(resolve, ty));
    let Type::Id(id) = aliased(resolve, ty) else { return primitive(aliased(resolve, ty)).to_owned() };
    let definition = &resolve.types[id];
    match (&definition.name, &definition.kind) {
        (Some(name), _) => name.clone(),
        (None, TypeDefKind::Option(of)) => format!("option<{}>", text(resolve, *of)),
        (None, TypeDefKind::List(of)) => format!("list<{}>", text(resolve, *of)),
        (None, TypeDefKind::Result(of)) => format!("result<{}, {}>", inner(&of.ok), inner(&of.err)),
        (None, TypeDefKind::Tuple(of)) => {
            let types: Vec<String> = of.types.iter().map(|ty| text(resolve, *ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        (None, kind) => kind.as_str().to_owned(),
    }
}

fn primitive(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => "type",
    }
}
