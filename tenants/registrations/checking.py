"""
Whether what was filled in fits the form, field by field. Pure.

AWS names a field CONDITIONAL without saying on what; the conditions its guides tell are in `conditions.json`
and count only where the live form has both fields.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from tenants.errors import InvalidId, InvalidInput
from tenants.ids import decode
from tenants.registrations.forms import Field, Form

Value: TypeAlias = str | list[str]
"""A text, the chosen options, or the id of an attachment."""
Values: TypeAlias = Mapping[str, Value]
"""By field path."""

_LONGEST_TEXT: Final = 10_000
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"is_": "is"}):
    """A field that becomes required by what another one says."""

    field: str
    when: str
    is_: list[str]
    why: str


@cache
def conditions() -> tuple[Condition, ...]:
    """Return the known conditions."""
    source = files("tenants.registrations").joinpath("conditions.json").read_bytes()
    return msgspec.json.decode(source, type=tuple[Condition, ...])


def checked(
    form: Form, changes: Mapping[str, Value | None]
) -> tuple[dict[str, Value | None], list[InvalidInput]]:
    """Return the changes in the form in which they are stored, and what is wrong with them."""
    stored: dict[str, Value | None] = {}
    faults: list[InvalidInput] = []
    for path, value in changes.items():
        field = form.field(path)
        if field is None:
            faults.append(_fault(path, "no_such_field", f"{form.type.type} has no field of this path"))
            continue
        if value is None:
            stored[path] = None
            continue
        plain = _plain(field, value)
        fault = _refusal(field, plain)
        if fault is None:
            stored[path] = plain
        else:
            faults.append(fault)
    return stored, faults


def incomplete(form: Form, values: Values) -> list[InvalidInput]:
    """Return what keeps a filled form from being submitted: wrong values and missing ones."""
    _, faults = checked(form, values)
    for field in form.fields:
        if values.get(field.path):
            continue
        if field.requirement == "REQUIRED":
            faults.append(_fault(field.path, "required", f"{field.title or field.path} is required"))
        elif (why := _demanded(form, field, values)) is not None:
            faults.append(_fault(field.path, "required_here", why))
    return faults


def attachment_ids(form: Form, values: Values) -> dict[str, str]:
    """Return the attachments that the values name, by field path."""
    return {
        field.path: value
        for field in form.fields
        if field.kind == "ATTACHMENT" and isinstance(value := values.get(field.path), str)
    }


def _demanded(form: Form, field: Field, values: Values) -> str | None:
    for condition in conditions():
        if condition.field == field.path and form.field(condition.when) is not None:
            given = values.get(condition.when, [])
            if set(condition.is_) & set([given] if isinstance(given, str) else given):
                return condition.why
    return None


def _plain(field: Field, value: Value) -> Value:
    """A single choice may be written as text; that is what forms and CSV files have."""
    return [value] if field.kind == "SELECT" and isinstance(value, str) else value


def _refusal(field: Field, value: Value) -> InvalidInput | None:
    if field.kind == "SELECT":
        return _of_choices(field, value if isinstance(value, list) else [value])
    if not isinstance(value, str):
        return _fault(field.path, "not_text", "this field takes a text, not a list")
    return _of_attachment(field, value) if field.kind == "ATTACHMENT" else _of_text(field, value)


def _of_text(field: Field, text: str) -> InvalidInput | None:
    most = field.most or _LONGEST_TEXT
    if not field.least <= len(text) <= most or not text.strip():
        least = max(field.least, 1)
        return _fault(field.path, "wrong_length", f"{least} to {most} characters; this has {len(text)}")
    if _UNSTORABLE.search(text):
        return _fault(field.path, "forbidden_character", "U+0000 and lone surrogates cannot be stored")
    pattern = None if field.pattern is None else _compiled(field.pattern)
    if pattern is not None and pattern.fullmatch(text) is None:
        wanted = field.hint or f"it must match {field.pattern}"
        example = f", such as {field.example}" if field.example else ""
        return _fault(field.path, "wrong_form", f"{wanted}{example}")
    return None


def _of_choices(field: Field, choices: list[str]) -> InvalidInput | None:
    known = {each.value for each in field.options}
    wrong = [each for each in choices if each not in known]
    if wrong:
        listed = ", ".join(each.value for each in field.options)
        return _fault(field.path, "no_such_choice", f"choose of: {listed}")
    most = field.most or len(known)
    if not max(field.least, 1) <= len(choices) <= most or len(set(choices)) != len(choices):
        return _fault(field.path, "wrong_count", f"{max(field.least, 1)} to {most} different choices")
    return None


def _of_attachment(field: Field, value: str) -> InvalidInput | None:
    try:
        decode("att", value)
    except InvalidId:
        detail = "give the att_… id of an uploaded file: POST /v1/registrations/{id}/attachments"
        return _fault(field.path, "not_an_attachment", detail)
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """AWS's dialect is Java's; what Python cannot read is left to AWS to judge."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _fault(path: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput(pointer(path), code, detail)


def pointer(path: str) -> str:
    """Return the JSON pointer of a field's value in a request."""
    printable = path[:100].encode("ascii", "backslashreplace").decode("ascii")
    return "/values/" + printable.replace("~", "~0").replace("/", "~1")
