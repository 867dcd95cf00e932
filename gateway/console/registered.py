"""A registration's form, generated from what AWS describes, with what the onboarding knows already. Pure."""

from typing import Any, Final

from msgspec import Struct

from gateway.console.forms import Option

_KNOWN: Final = {
    "companyName": "legal_name",
    "legalName": "legal_name",
    "website": "website",
    "address1": "address.line1",
    "address2": "address.line2",
    "street": "address.line1",
    "city": "address.city",
    "state": "address.region",
    "zipCode": "address.postal_code",
    "postalCode": "address.postal_code",
    "isoCountryCode": "address.country",
    "taxId": "tax_id",
    "firstName": "contact.first_name",
    "lastName": "contact.last_name",
    "supportEmail": "support.email",
    "email": "contact.email",
    "supportPhoneNumber": "support.phone",
    "phoneNumber": "contact.phone",
    "brandName": "brand",
    "vertical": "vertical",
}
"""By the last word of a field's path, the answer of the profile that it asks for again."""


_ATTACHMENT: Final = "ATTACHMENT"


class Entry(Struct, frozen=True, kw_only=True):
    """One field as the page shows it."""

    path: str
    label: str
    hint: str
    kind: str
    """AWS's FieldType: TEXT, TEXTAREA, SELECT, ATTACHMENT."""
    many: bool
    required: bool
    most: int
    options: tuple[Option, ...]
    value: Any
    suggested: bool
    """Whether the value is the profile's, and not stored in the registration yet."""


class Part(Struct, frozen=True, kw_only=True):
    """One section of the form."""

    title: str
    note: str
    entries: tuple[Entry, ...]


def parts_of(form: Any, values: dict[str, Any], profile: dict[str, Any] | None) -> tuple[Part, ...]:
    """Return the sections with their fields; what is not filled in yet stands as the profile has it."""
    known = profile or {}
    return tuple(
        Part(
            title=section["title"] or section["path"],
            note="" if section["description"] == section["title"] else section["description"],
            entries=tuple(
                _entry(field, values, known)
                for field in form["fields"]
                if field["section"] == section["path"]
            ),
        )
        for section in form["sections"]
    )


def given(form: Any, sent: dict[str, str]) -> dict[str, Any]:
    """Return the values that a form brought, by path; an emptied field is None, files come by themselves."""
    values: dict[str, Any] = {}
    for field in form["fields"]:
        path = field["path"]
        if field["kind"] == _ATTACHMENT:
            continue
        if _many(field):
            chosen = [each["value"] for each in field["options"] if sent.get(f"{path}[{each['value']}]")]
            values[path] = chosen or None
        else:
            values[path] = sent.get(path) or None
    return values


def attachments(form: Any) -> list[str]:
    """Return the paths of the fields that take files."""
    return [field["path"] for field in form["fields"] if field["kind"] == _ATTACHMENT]


def is_news(values: dict[str, Any], stored: dict[str, Any]) -> bool:
    """Return whether what a form brought differs from what is stored."""
    return any(stored.get(path) != value for path, value in values.items())


def fitting(forms: list[dict[str, Any]], choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the registration types that the chosen senders may need."""
    starts = tuple(f"{each['country']}_{each['type']}_" for each in choices)
    return [each for each in forms if each["type"].startswith(starts)]


def _entry(field: Any, values: dict[str, Any], profile: dict[str, Any]) -> Entry:
    path = field["path"]
    value = values.get(path)
    known = _known(path, profile) if value is None else None
    example = f"Example: {field['example']}" if field["example"] else ""
    return Entry(
        path=path,
        label=field["title"] or path,
        hint=" ".join(
            text for text in (field["description"], field["hint"], example) if text and text != field["title"]
        ),
        kind=field["kind"],
        many=_many(field),
        required=field["requirement"] == "REQUIRED",
        most=field["most"] if field["kind"] in {"TEXT", "TEXTAREA"} else 0,
        options=tuple(
            Option(
                value=each["value"],
                label=each.get("title") or each["value"],
                note=each.get("description", ""),
            )
            for each in field["options"]
        ),
        value=known if value is None else value,
        suggested=bool(known),
    )


def _many(field: Any) -> bool:
    return bool(field["kind"] == "SELECT" and field["most"] != 1)


def _known(path: str, profile: dict[str, Any]) -> Any:
    value: Any = profile
    for step in _KNOWN.get(path.rpartition(".")[2], "-").split("."):
        value = value.get(step) if value else None
    return value
