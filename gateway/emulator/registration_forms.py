"""
The registration forms: types, sections, fields, and what each type can be associated with.

The real forms change; clients must render them from the Describe actions. These are the public ones of the
United States (toll-free, 10DLC brand, vetting and campaign), of other long codes, and of sender ids in every
country that asks for a registration.
"""

import functools
import re
from importlib import resources
from typing import Any

import msgspec

from gateway.emulator.carrier.countries import countries
from gateway.emulator.state.registration_records import FieldValue

REQUIREMENTS = {"R": "REQUIRED", "C": "CONDITIONAL", "O": "OPTIONAL"}
SENDER_ID_SUFFIX = "_SENDER_ID_REGISTRATION"
ANYTHING = r"[\s\S]*"

SECTION_TITLES = {
    "companyInfo": "Company",
    "contactInfo": "Contact",
    "addressInfo": "Address",
    "messagingUseCase": "Use case",
    "messageSamples": "Message samples",
    "senderIdInfo": "Sender ID",
    "vettingInfo": "Vetting",
    "campaignInfo": "Campaign",
    "campaignUseCase": "Campaign use case",
}


class Association(msgspec.Struct, frozen=True, array_like=True):
    """A kind of resource that a registration is for."""

    resource_type: str
    """PHONE_NUMBER, SENDER_ID or REGISTRATION."""
    country: str | None
    behavior: str
    disassociation: str


class Field(msgspec.Struct, frozen=True):
    """One field of a form."""

    path: str
    kind: str
    """TEXT, SELECT or ATTACHMENT."""
    requirement: str
    title: str
    least: int = 0
    most: int = 0
    """Characters of a text, or choices of a select."""
    pattern: str = ANYTHING
    options: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """The section is the first part of the path."""
        return self.path.partition(".")[0]

    def refusal(self, value: FieldValue) -> str | None:
        """Return what is wrong with a value, or None."""
        if self.kind == "TEXT":
            return self._refused_text(value.text)
        if self.kind == "SELECT":
            return self._refused_choices(value.choices)
        return None if value.attachment_id is not None else "The field takes a RegistrationAttachmentId"

    def _refused_text(self, text: str | None) -> str | None:
        if text is None:
            return "The field takes a TextValue"
        if not self.least <= len(text) <= self.most:
            return f"The text must have {self.least} to {self.most} characters"
        return None if re.fullmatch(self.pattern, text) else f"The text must match {self.pattern}"

    def _refused_choices(self, choices: list[str] | None) -> str | None:
        if choices is None:
            return "The field takes SelectChoices"
        if not self.least <= len(choices) <= self.most:
            return f"Between {self.least} and {self.most} choices are needed"
        wrong = [choice for choice in choices if choice not in self.options]
        return f"No such choices: {wrong}" if wrong else None


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One registration type."""

    type: str
    title: str
    associations: tuple[Association, ...]
    number_types: frozenset[str]
    fields: dict[str, Field]

    @property
    def sections(self) -> list[str]:
        """Section paths in the order of the form."""
        return list(dict.fromkeys(field.section for field in self.fields.values()))

    @property
    def sender_id_country(self) -> str | None:
        """The country whose sender id this form is for."""
        return next((each.country for each in self.associations if each.resource_type == "SENDER_ID"), None)

    def accepts_number(self, number_type: str, country: str) -> bool:
        """Return whether numbers of a kind are registered with this form."""
        return number_type in self.number_types and any(
            each.resource_type == "PHONE_NUMBER" and each.country in {None, country}
            for each in self.associations
        )

    def association_of(self, resource_type: str) -> Association | None:
        """Return how resources of a kind are associated."""
        return next((each for each in self.associations if each.resource_type == resource_type), None)

    def missing(self, filled: dict[str, FieldValue]) -> list[str]:
        """Return the required fields that are not filled."""
        return [
            path
            for path, field in self.fields.items()
            if field.requirement == "REQUIRED" and path not in filled
        ]


@functools.cache
def forms() -> dict[str, Form]:
    """Return every form by registration type."""
    raw: dict[str, dict[str, Any]] = msgspec.json.decode(
        resources.files("gateway.emulator.data").joinpath("registration_forms.json").read_bytes()
    )
    sender_ids = raw.pop("*" + SENDER_ID_SUFFIX)
    plain = {name: _form(name, entry, entry["fields"]) for name, entry in raw.items()}
    return {**plain, **_sender_id_forms(sender_ids)}


def form_of(registration_type: str) -> Form | None:
    """Return the form of a registration type."""
    return forms().get(registration_type)


def _sender_id_forms(entry: dict[str, Any]) -> dict[str, Form]:
    built: dict[str, Form] = {}
    for country in countries().values():
        if country.sender_id == "registration":
            name = country.code + SENDER_ID_SUFFIX
            fields = entry["fields"] + entry["extra"].get(country.code, [])
            titled = {**entry, "title": f"Sender ID in {country.name}"}
            built[name] = _form(name, titled, fields, country.code)
    return built


def _form(name: str, entry: dict[str, Any], fields: list[list[Any]], country: str | None = None) -> Form:
    return Form(
        type=name,
        title=entry["title"],
        associations=tuple(
            Association(kind, country if where == "*" else where, behavior, disassociation)
            for kind, where, behavior, disassociation in entry["associations"]
        ),
        number_types=frozenset(entry["number_types"]),
        fields={row[0]: _field(row) for row in fields},
    )


def _field(row: list[Any]) -> Field:
    path, kind, requirement, title, *rest = row
    least, most = rest[:2] or (0, 0)
    extra: str | list[str] = rest[2] if len(rest) > 2 else []  # noqa: PLR2004 - after both bounds
    pattern = extra if isinstance(extra, str) else ANYTHING
    options = () if isinstance(extra, str) else tuple(extra)
    return Field(path, kind, REQUIREMENTS[requirement], title, least, most, pattern, options)
