"""What a template must look like, and from which state a version may go where. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from tenants.accounts.enrolment import check_countries
from tenants.errors import Conflict, InvalidInput
from tenants.templates.locales import is_locale
from tenants.templates.rendering import Template, TemplateFaults, check_declarations, parse_template
from tenants.templates.use_cases import OF_TYPE, USUAL, MessageType, UseCase
from tenants.templates.variables import DEFAULT, Declaration

VersionState = Literal["draft", "submitted", "approved", "rejected", "retired"]

MOVES: Final[dict[VersionState, frozenset[VersionState]]] = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"approved", "rejected"}),
    "approved": frozenset({"retired"}),
    "rejected": frozenset(),
    "retired": frozenset(),
}
"""Another wording is another version; what its own author retired comes back by `decisions.restore` alone."""

_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9 ._:-]{0,99}")
_DLT_ID: Final = re.compile("[A-Za-z0-9-]{1,100}")
_ID_PREFIX: Final = "tpl_"
_MOST_VARIANTS: Final = 30
_LOCALE_FORM: Final = "a locale is a BCP 47 tag such as de, pt-BR or zh-Hant"


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same text in another language, with the same variables."""

    locale: str
    """BCP 47: `de`, `pt-BR`."""
    body: str


class Wording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a template, as its author writes it."""

    body: str
    """Place-holders in braces: `Acme: your code is {code}`; a brace itself is written twice."""
    type: MessageType
    variables: dict[str, Declaration] = {}
    """By name; a variable that is not declared is text of up to 40 characters."""
    countries: list[str] = []
    """Where it may go; empty for every country of the tenant."""
    use_case: UseCase | None = None
    """What it is for, as senders are registered; the type's usual one where absent."""
    locale: str | None = None
    """Language of `body`, as a BCP 47 tag."""
    dlt_template_id: str | None = None
    """The wording's id in India's DLT registry, for sends to India that name none."""
    variants: list[Variant] = []
    """Other languages; a send picks by `template.locale`, else by the recipient's country, else `body`."""


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
    declared = _declared(wording.body, wording.variables)
    _check_locales(wording)
    for place, variant in enumerate(wording.variants):
        _check_variant(variant, f"/variants/{place}/body", declared)
    return Wording(
        body=wording.body,
        type=wording.type,
        variables=declared,
        countries=check_countries(wording.countries),
        use_case=_use_case(wording),
        locale=wording.locale,
        dlt_template_id=_dlt_template_id(wording),
        variants=wording.variants,
    )


def parsed(wording: Wording) -> Iterator[tuple[str | None, Template]]:
    """Yield the body, under None, and each variant, under its locale, of a checked wording."""
    yield None, _parse(wording.body, "/body")
    for place, variant in enumerate(wording.variants):
        yield variant.locale, _parse(variant.body, f"/variants/{place}/body")


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
    template = _parse(body, "/body")
    for fault in check_declarations(template, declarations):
        raise InvalidInput(fault.field, fault.code, fault.detail)
    return {name: declarations.get(name, DEFAULT) for name in template.variables}


def _parse(body: str, field: str) -> Template:
    template = parse_template(body)
    if isinstance(template, TemplateFaults):
        first = template.faults[0]
        raise InvalidInput(field, first.code, first.detail)
    return template


def _use_case(wording: Wording) -> UseCase:
    if wording.use_case is None:
        return USUAL[wording.type]
    fitting = OF_TYPE[wording.type]
    if wording.use_case not in fitting:
        detail = f"a template of type {wording.type} is for one of {', '.join(sorted(fitting))}"
        raise InvalidInput("/use_case", "invalid_use_case", detail)
    return wording.use_case


def _dlt_template_id(wording: Wording) -> str | None:
    given = wording.dlt_template_id
    if given is not None and _DLT_ID.fullmatch(given) is None:
        detail = "an id of the DLT registry is 1 to 100 letters, digits and hyphens, usually 19 digits"
        raise InvalidInput("/dlt_template_id", "invalid_dlt_template_id", detail)
    return given


def _check_locales(wording: Wording) -> None:
    if wording.locale is not None and not is_locale(wording.locale):
        raise InvalidInput("/locale", "invalid_locale", _LOCALE_FORM)
    if len(wording.variants) > _MOST_VARIANTS:
        raise InvalidInput("/variants", "too_many_variants", f"at most {_MOST_VARIANTS} variants")
    seen = {wording.locale}
    for place, variant in enumerate(wording.variants):
        field = f"/variants/{place}/locale"
        if not is_locale(variant.locale):
            raise InvalidInput(field, "invalid_locale", _LOCALE_FORM)
        if variant.locale in seen:
            raise InvalidInput(field, "repeated_locale", f"there are two texts for {variant.locale}")
        seen.add(variant.locale)


def _check_variant(variant: Variant, field: str, declared: Mapping[str, Declaration]) -> None:
    template = _parse(variant.body, field)
    if set(template.variables) != set(declared):
        names = ", ".join(declared) or "none"
        raise InvalidInput(field, "other_variables", f"every language has the same variables: {names}")
