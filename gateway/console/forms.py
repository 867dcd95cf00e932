"""
Answers as fields and fields as answers. Pure.

A field's name is the path of its value: `address.city`, `programmes.0.samples.1`. The API names faults by the
same paths, so each is shown at its field.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, cast

from msgspec import Struct

from gateway.console.ports import Problem
from gateway.plain_numbers import whole_number

Kind = Literal[
    "text", "area", "email", "tel", "url", "number", "check", "choice", "radio", "countries", "hidden", "file"
]
_NOTHING: Final = ("", None)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
"""As browsers send what is written into a number's field, but for powers of ten."""


class Option(Struct, frozen=True, kw_only=True):
    """One thing to choose."""

    value: str
    label: str
    note: str = ""
    """What speaks for or against it."""


class Field(Struct, frozen=True, kw_only=True):
    """One field of a form."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    wrong: str = ""
    """What to say when the API does not take the value; empty for the API's own words."""
    options: tuple[Option, ...] = ()
    required: bool = True
    most: int = 0
    """Characters; 0 for no limit."""
    least: int = 0
    autocomplete: str = ""
    counts: Literal["whole", "any"] = "whole"
    """Which numbers."""


class Group(Struct, frozen=True, kw_only=True):
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]
    note: str = ""
    optional: bool = False
    """Whether leaving all of it empty leaves it out."""


class Filled(Struct, frozen=True, kw_only=True):
    """What a form said."""

    answer: dict[str, Any]
    errors: dict[str, str]
    """By field name."""


def read(groups: Iterable[Group], sent: Mapping[str, str]) -> Filled:
    """Return the answer that the fields make, and what is missing."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for group in groups:
        for field in () if _left_out(group, sent) else group.fields:
            _take(field, sent, values, errors)
    return Filled(answer=nested(values), errors=errors)


def moved_up(groups: Sequence[Group], sent: Mapping[str, str]) -> dict[str, str]:
    """Return what a form said with lists closed up over what was left empty, as they are stored."""
    names = {field.name for group in groups for field in group.fields}
    said = {
        field.name: field.name
        for group in groups
        if not _left_out(group, sent)
        for field in group.fields
        if sent.get(field.name)
    }
    others = {name: text for name, text in sent.items() if name not in names}
    return others | {place: sent[name] for place, name in flattened(nested(said)).items()}


def shown(groups: Iterable[Group], answer: Any) -> dict[str, str]:
    """Return what stands in each field for an answer."""
    flat = flattened(answer)
    texts = {field.name: _text(flat.get(field.name)) for group in groups for field in group.fields}
    for group in groups:
        for field in group.fields:
            if field.kind == "countries":
                listed = [_text(value) for path, value in flat.items() if path.startswith(f"{field.name}.")]
                texts[field.name] = ", ".join(listed)
    return texts


def labels_of(groups: Sequence[Group]) -> dict[str, str]:
    """Return what each field is called; where two have one label, with what its group is called."""
    fields = [(group, field) for group in groups for field in group.fields]
    often = Counter(field.label for _, field in fields)
    return {
        field.name: field.label if often[field.label] == 1 else f"{group.title}, {field.label}"
        for group, field in fields
    }


def kept(groups: Iterable[Group], sent: Mapping[str, str]) -> dict[str, str]:
    """Return what stands in each field after a form that was not taken."""
    return {field.name: sent.get(field.name, "") for group in groups for field in group.fields}


def faults_of(problem: Problem, prefix: str, groups: Sequence[Group]) -> dict[str, str]:
    """
    Return the API's faults by field name; those that belong to no field stand under the empty name.

    Args:
        prefix: What stands before the fields' paths in the API's, such as `/profile/`.
    """
    fields = {field.name: field for group in groups for field in group.fields}
    errors: dict[str, str] = {}
    for fault in problem.errors:
        name = fault.field.removeprefix(prefix).strip("/").replace("/", ".")
        while name and name not in fields:
            name = name.rpartition(".")[0]
        field = fields.get(name)
        text = field.wrong if field is not None and field.wrong else fault.detail
        errors.setdefault(name, text)
    if not errors:
        errors[""] = problem.detail
    return errors


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted paths as objects and lists; lists close up over what was left out."""
    root: dict[str, Any] = {}
    for path, value in flat.items():
        here, steps = root, path.split(".")
        for step in steps[:-1]:
            here = here.setdefault(step, {})
        here[steps[-1]] = value
    return cast("dict[str, Any]", _listed(root))


def flattened(value: Any, path: str = "") -> dict[str, Any]:
    """Return objects and lists as values by dotted paths."""
    items: Iterable[tuple[object, Any]]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        items = enumerate(cast("Sequence[Any]", value))
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for key, each in items:
        found |= flattened(each, f"{path}.{key}" if path else str(key))
    return found


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {key: _listed(each) for key, each in cast("dict[str, Any]", value).items()}
    if members and all(key.isdigit() for key in members):
        return [members[key] for key in sorted(members, key=int)]
    return members


def _left_out(group: Group, sent: Mapping[str, str]) -> bool:
    return group.optional and not any(_given(field, sent) for field in group.fields)


def _given(field: Field, sent: Mapping[str, str]) -> bool:
    return field.kind not in {"hidden", "check"} and sent.get(field.name, "") not in _NOTHING


def _take(field: Field, sent: Mapping[str, str], values: dict[str, Any], errors: dict[str, str]) -> None:
    text = sent.get(field.name, "")
    if field.kind == "check":
        values[field.name] = bool(text)
    elif not text:
        if field.required:
            errors[field.name] = "Choose one." if field.kind in {"radio", "choice"} else "Fill this in."
    elif field.kind == "countries":
        values[field.name] = [part.upper() for part in text.replace(",", " ").split()]
    elif field.kind == "number":
        _take_number(field, text, values, errors)
    else:
        values[field.name] = text


def _take_number(field: Field, text: str, values: dict[str, Any], errors: dict[str, str]) -> None:
    if field.counts == "whole":
        if (number := whole_number(text)) is None:
            errors[field.name] = "Give a whole number."
        else:
            values[field.name] = number
    elif _DECIMAL.fullmatch(text):
        values[field.name] = float(text)
    else:
        errors[field.name] = "Give a number."


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "on"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
