"""A policy's settings: the fields of its dataclass, read, held to their types, and told as a JSON Schema.

Types are `int`, `float`, `bool`, `str`, an `Enum` of texts, and `List` and
`Optional` of these. A policy with a field of another type is refused.
"""

import dataclasses
import json
import math
import types
from enum import Enum
from typing import Any, Optional, Union, get_args, get_origin, get_type_hints

_UNIONS = (Union, types.UnionType)


def setting(default, about: str = "", *, at_least: float = 0) -> Any:
    """A field that is a setting: its default, what it is about in one line, and the least that a number may be.

    >>> @dataclasses.dataclass
    ... class Patient:
    ...     minutes: float = setting(10, "How long it waits.")
    >>> read(Patient, '{ "minutes": 0.5 }')
    {'minutes': 0.5}
    >>> read(Patient, '{ "minutes": -1 }')
    Traceback (most recent call last):
    ValueError: `minutes`: `-1`, expected a number, 0 or more
    """
    told = {"about": about, "at_least": at_least}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=told)
    return dataclasses.field(default=default, metadata=told)


def check(policy: type):
    """Raises `TypeError` where a field has a type that no setting has."""
    hints = get_type_hints(policy)
    for name in _fields(policy):
        if not _is_setting(hints[name]):
            hint = hints[name].__name__ if isinstance(hints[name], type) else hints[name]
            expected = "int, float, bool, str, an Enum of texts, or a List[…] or Optional[…] of one of these"
            raise TypeError(f"`{policy.__name__}.{name}` is declared as `{hint}`, expected {expected}")


def read(policy: type, settings: str) -> dict:
    """The values that a JSON object gives to the fields of a policy."""
    given, known = json.loads(settings), _fields(policy)
    for name in given:
        if name not in known:
            expected = "expected one of " + ", ".join(f"`{name}`" for name in known) if known else "there are none"
            raise ValueError(f"unknown setting `{name}`, {expected}")
    hints = get_type_hints(policy)
    return {name: _read(known[name], hints[name], value) for name, value in given.items()}


def schema(policy: type) -> Optional[str]:
    """A JSON Schema of a policy's settings, or `None` where it has none."""
    hints, properties = get_type_hints(policy), {}
    for name, field in _fields(policy).items():
        factory = field.default_factory
        default = field.default if factory is dataclasses.MISSING else factory()
        about = {"description": field.metadata["about"]} if field.metadata.get("about") else {}
        properties[name] = {**about, **_type(hints[name], _least(field))}
        if default is not dataclasses.MISSING:
            properties[name]["default"] = default
    if not properties:
        return None
    return json.dumps({"type": "object", "additionalProperties": False, "properties": properties})


def _fields(policy: type) -> dict:
    fields = dataclasses.fields(policy) if dataclasses.is_dataclass(policy) else ()
    return {field.name: field for field in fields if field.init}


def _least(field) -> float:
    return field.metadata.get("at_least", 0)


def _is_setting(hint) -> bool:
    inner = get_args(hint)
    if get_origin(hint) in _UNIONS:
        return len(inner) == 2 and type(None) in inner and _is_setting(_some(hint))
    if get_origin(hint) is list:
        return len(inner) == 1 and _is_setting(inner[0])
    return hint in (int, float, bool, str) or (isinstance(hint, type) and issubclass(hint, Enum))


def _read(field, hint, value):
    try:
        return _fit(hint, value, _least(field))
    except ValueError:
        wrong, expected = json.dumps(value), _expected(hint, _least(field))
        raise ValueError(f"`{field.name}`: `{wrong}`, expected {expected}") from None


def _fit(hint, value, least):
    """The value as one of this type, or a `ValueError`."""
    if get_origin(hint) in _UNIONS:
        return None if value is None else _fit(_some(hint), value, least)
    if get_origin(hint) is list:
        if isinstance(value, list):
            return [_fit(get_args(hint)[0], item, least) for item in value]
        raise ValueError
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint in (bool, str):
        fits = isinstance(value, hint)
    else:
        number = int if hint is int else (int, float)
        fits = isinstance(value, number) and not isinstance(value, bool) and math.isfinite(value) and value >= least
    if fits:
        return value
    raise ValueError


def _expected(hint, least) -> str:
    """What a value of this type is, for those who mistype one."""
    if get_origin(hint) in _UNIONS:
        return f"{_expected(_some(hint), least)}, or null"
    if get_origin(hint) is list:
        return f"a list, each {_expected(get_args(hint)[0], least)}"
    if issubclass(hint, Enum):
        return "one of " + ", ".join(f"`{case.value}`" for case in hint)
    if hint in (int, float):
        return f"a {'whole ' if hint is int else ''}number, {least} or more"
    return {bool: "true or false", str: "a text"}[hint]


def _type(hint, least) -> dict:
    """The JSON Schema of a type."""
    if get_origin(hint) in _UNIONS:
        return {"anyOf": [_type(_some(hint), least), {"type": "null"}]}
    if get_origin(hint) is list:
        return {"type": "array", "items": _type(get_args(hint)[0], least)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [case.value for case in hint]}
    if hint in (int, float):
        return {"type": "integer" if hint is int else "number", "minimum": least}
    return {"type": {bool: "boolean", str: "string"}[hint]}


def _some(hint):
    """The type of an optional value that is there."""
    return next(one for one in get_args(hint) if one is not type(None))
