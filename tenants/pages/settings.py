"""What the pages are written from. Pure."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from tenants.errors import InvalidInput

Language = Literal["en", "de", "es", "fr"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "de", "es", "fr")
Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Sentence = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Email = Annotated[str, Meta(pattern=r"^[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+\Z", max_length=254)]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}\Z")]
Https = Annotated[str, Meta(pattern=r"^https://[^\s/$.?#\x00][^\s\x00]*\Z", max_length=500)]
Origin = Annotated[str, Meta(pattern=r"^https://[a-z0-9.-]{1,253}(:[0-9]{1,5})?\Z")]


class PageProgramme(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One use case, with a consent of its own."""

    use_case: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}\Z")]
    type: Literal["otp", "transactional", "promotional"]
    name: Annotated[str, Meta(min_length=2, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    """What people call it, such as `Acme Offers`."""
    purpose: Sentence
    """What the messages are, to stand behind "text messages about": `weekly offers and new products`."""
    frequency: Line | None = None
    """Such as `Up to 4 messages a month`; null says that it varies."""


class PageSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the pages are written from."""

    brand: Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    legal_name: Line
    website: Https
    support_email: Email
    support_phone: Phone
    programmes: Annotated[list[PageProgramme], Meta(min_length=1, max_length=10)]
    language: Language = "en"
    """Of pages that are asked for in none; `?lang=` asks for another."""
    double_opt_in: bool = True
    """Whether a phone that was typed into the form has to answer a text itself."""
    allowed_origins: Annotated[list[Origin], Meta(max_length=20)] = msgspec.field(default_factory=list[str])
    """Sites that may show the form in a frame: `https://www.acme.example`."""


def check(settings: PageSettings) -> PageSettings:
    """
    Return settings whose use cases are each named once.

    Raises:
        InvalidInput: Two programmes share a use case: one box would stand for both.
    """
    names = [each.use_case for each in settings.programmes]
    for at, name in enumerate(names):
        if name in names[:at]:
            detail = "each programme has a use case of its own: one consent covers one use case"
            raise InvalidInput(f"/programmes/{at}/use_case", "use_case_twice", detail)
    return settings
