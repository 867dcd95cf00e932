"""What a template must look like, and from which state a version may go where. Pure."""

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from tenants.accounts.enrolment import check_countries
from tenants.errors import Conflict, InvalidInput
from tenants.templates.rendering import TemplateFaults, check_declarations, parse_template
from tenants.templates.variables import DEFAULT, Declaration

MessageType = Literal["otp", "transactional", "promotional"]
VersionState = Literal["draft", "submitted", "approved", "rejected", "retired"]

MOVES: Final[dict[VersionState, frozenset[VersionState]]] = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"approved", "rejected"}),
    "approved": frozenset({"retired"}),
    "rejected": frozenset(),
    "retired": frozenset(),
}
"""A version never comes back: another wording is another version."""

_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9 ._:-]{0,99}")
_ID_PREFIX: Final = "tpl_"


class Wording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a template, as its author writes it."""

    body: str
    """Place-holders in braces: `Acme: your code is {code}`; a brace itself is written twice."""
    type: MessageType
    variables: dict[str, Declaration] = {}
    """By name; a variable that is not declared is text of up to 40 characters."""
    countries: list[str] = []
    """Where it may go; empty for every country of the tenant."""


def check_name(name: str) -> str:
    """
    Return the name of a template, by which sends may call it instead of by its id.

    Raises:
        InvalidInput: Not 1 to 100 letters, digits, blanks and `._:-`, or it could be taken for an id.
    """
    if _NAME.fullmatch(name) is None or name.endswith(" ") or name.startswith(_ID_PREFIX):
        detail = "a name is 1 to 100 letters, digits, blanks and ._:- and does not look like an id"
        raise InvalidInput("/name", "invalid_name", detail)
    return name


def check_wording(wording: Wording) -> Wording:
    """
    Return the wording with a declaration for every variable of its body.

    Raises:
        InvalidInput: Names the first thing that its author has to change.
    """
    if wording.type not in get_args(MessageType):
        raise InvalidInput("/type", "invalid_type", f"a type is one of {', '.join(get_args(MessageType))}")
    return Wording(
        body=wording.body,
        type=wording.type,
        variables=_declared(wording.body, wording.variables),
        countries=check_countries(wording.countries),
    )


def check_move(present: str, wanted: VersionState) -> None:
    """
    Accept a move of the table.

    Raises:
        Conflict: The version's state does not lead there.
    """
    allowed: set[str] = {state for state, reachable in MOVES.items() if wanted in reachable}
    if present not in allowed:
        raise Conflict("template_state", f"a version that is {present} cannot become {wanted}")


def _declared(body: str, declarations: Mapping[str, Declaration]) -> dict[str, Declaration]:
    parsed = parse_template(body)
    if isinstance(parsed, TemplateFaults):
        first = parsed.faults[0]
        raise InvalidInput(first.field, first.code, first.detail)
    for fault in check_declarations(parsed, declarations):
        raise InvalidInput(fault.field, fault.code, fault.detail)
    return {name: declarations.get(name, DEFAULT) for name in parsed.variables}
