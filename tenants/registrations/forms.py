"""A registration form as AWS describes it. Nothing here is known beforehand: forms change without notice."""

from typing import Final, Literal

from msgspec import Struct

FieldKind = Literal["TEXT", "SELECT", "ATTACHMENT"]
Requirement = Literal["REQUIRED", "CONDITIONAL", "OPTIONAL"]

BEFORE_SUBMIT: Final = "ASSOCIATE_BEFORE_SUBMIT"
AFTER_COMPLETE: Final = "ASSOCIATE_AFTER_COMPLETE"
_PHONE_NUMBER: Final = "PHONE_NUMBER"


class Choice(Struct, frozen=True, kw_only=True):
    """One option of a select."""

    value: str
    title: str = ""
    description: str = ""


class Field(Struct, frozen=True, kw_only=True):
    """One field, after DescribeRegistrationFieldDefinitions."""

    path: str
    """Such as `companyInfo.companyName`."""
    section: str
    kind: FieldKind
    requirement: Requirement
    title: str = ""
    description: str = ""
    hint: str = ""
    """AWS's words on what the text must look like."""
    example: str = ""
    documentation_url: str | None = None
    least: int = 0
    most: int = 0
    """Characters of a text, or choices of a select; `most` 0 for no limit."""
    pattern: str | None = None
    """Regular expression for a text, in AWS's dialect."""
    options: tuple[Choice, ...] = ()


class Section(Struct, frozen=True, kw_only=True):
    """One part of a form, after DescribeRegistrationSectionDefinitions."""

    path: str
    title: str = ""
    description: str = ""


class Association(Struct, frozen=True, kw_only=True):
    """A kind of resource that a registration is for, and when it is tied to it."""

    resource_type: str
    """PHONE_NUMBER, SENDER_ID or REGISTRATION."""
    country: str | None = None
    behavior: str
    disassociation: str = ""


class FormType(Struct, frozen=True, kw_only=True):
    """A registration type, after DescribeRegistrationTypeDefinitions."""

    type: str
    title: str = ""
    description: str = ""
    associations: tuple[Association, ...] = ()

    def needs_before_submit(self, resource_type: str) -> bool:
        """Whether a resource of a kind has to be tied to the registration before it is submitted."""
        return any(
            each.resource_type == resource_type and each.behavior == BEFORE_SUBMIT
            for each in self.associations
        )

    @property
    def number_after_complete(self) -> bool:
        """Whether a number is tied to the completed registration: a 10DLC campaign's."""
        return any(
            each.resource_type == _PHONE_NUMBER and each.behavior == AFTER_COMPLETE and each.country
            for each in self.associations
        )

    @property
    def sender_id_country(self) -> str | None:
        """The country in which approval makes a sender id, or None."""
        return next((each.country for each in self.associations if each.resource_type == "SENDER_ID"), None)

    @property
    def number_type(self) -> str | None:
        """The kind of number that the type registers, read from its name; None where it is for none."""
        if not any(each.resource_type == _PHONE_NUMBER for each in self.associations):
            return None
        return next((kind for mark, kind in _NUMBERS if mark in self.type), None)


class Form(Struct, frozen=True, kw_only=True):
    """A registration type with everything it asks."""

    type: FormType
    sections: tuple[Section, ...]
    fields: tuple[Field, ...]

    def field(self, path: str) -> Field | None:
        """Return the field of a path."""
        return next((each for each in self.fields if each.path == path), None)


_NUMBERS: Final = (
    ("TOLL_FREE", "TOLL_FREE"),
    ("TEN_DLC", "TEN_DLC"),
    ("SHORT_CODE", "SHORT_CODE"),
    ("LONG_CODE", "LONG_CODE"),
)
