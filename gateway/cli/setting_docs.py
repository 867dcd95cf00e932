"""What each setting means, read from the docstrings beside the fields, so that it is written once."""

import ast
import inspect
from typing import get_type_hints

import msgspec
from msgspec import Struct

from gateway.settings import Settings, environment_name


class SettingDoc(Struct, frozen=True, kw_only=True):
    """One setting, for a person."""

    name: str
    """Of the environment variable."""
    kind: str
    default: str
    doc: str


def setting_docs() -> list[SettingDoc]:
    """Return every setting in the order of the class."""
    told = _docstrings()
    hints = get_type_hints(Settings)
    return [
        SettingDoc(
            name=environment_name(each.name),
            kind=getattr(hints[each.name], "__name__", str(hints[each.name])),
            default="required" if each.required else _shown(each.default),
            doc=told.get(each.name, ""),
        )
        for each in msgspec.structs.fields(Settings)
    ]


def _docstrings() -> dict[str, str]:
    """A docstring is the string that stands directly below its field."""
    body = ast.parse(inspect.getsource(Settings)).body[0]
    if not isinstance(body, ast.ClassDef):
        return {}
    return {
        field.target.id: inspect.cleandoc(doc.value.value)
        for field, doc in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    }


def _shown(value: object) -> str:
    if value is None or value == ():
        return "none"
    return str(value)
