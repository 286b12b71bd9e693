"""Holds what an author builds to the types of its fields, where it is built: there its line is known."""

import dataclasses


class Typed:
    """A dataclass whose fields hold what their annotations say."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, field.type):
                article = "an" if field.type.__name__[0] in "aeiou" else "a"
                raise TypeError(f"`{field.name}` is `{value!r}`, expected {article} {field.type.__name__}")
