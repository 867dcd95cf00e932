"""The starter library: templates that need only a brand. A test holds every one of them to the linter."""

from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from tenants.errors import InvalidInput
from tenants.templates.authoring import Variant, Wording
from tenants.templates.use_cases import MessageType, UseCase
from tenants.templates.variables import Declaration

_BRAND = "{brand}"


class LibraryTemplate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text to start from; `{brand}` is filled in when it is taken, the other places with every send."""

    id: str
    title: str
    type: MessageType
    use_case: UseCase
    locale: str
    body: str
    variables: dict[str, Declaration] = {}
    variants: list[Variant] = []


@cache
def library() -> tuple[LibraryTemplate, ...]:
    """Return every template of the library, in the order in which it is shown."""
    source = files("tenants.templates").joinpath("library.json").read_bytes()
    return msgspec.json.decode(source, type=tuple[LibraryTemplate, ...])


def wording_of(library_id: str, *, brand: str, countries: list[str]) -> Wording:
    """
    Return a template of the library as a tenant's own wording.

    Raises:
        InvalidInput: The library has no such template.
    """
    chosen = next((each for each in library() if each.id == library_id), None)
    if chosen is None:
        names = ", ".join(each.id for each in library())
        raise InvalidInput("/from_library", "not_in_library", f"the library has {names}")
    name = brand.replace("{", "{{").replace("}", "}}")
    return Wording(
        body=chosen.body.replace(_BRAND, name),
        type=chosen.type,
        variables=chosen.variables,
        countries=countries,
        use_case=chosen.use_case,
        locale=chosen.locale,
        variants=[
            Variant(locale=each.locale, body=each.body.replace(_BRAND, name)) for each in chosen.variants
        ],
    )
