"""What a tenant is asked, and what an answer has to look like. Lengths are those of the carriers' forms."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tenants.templates.use_cases import MessageType, UseCase

Line = Annotated[str, Meta(min_length=1, max_length=100)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
Https = Annotated[str, Meta(pattern=r"^https://[^\s/$.?#][^\s]*\Z", max_length=500)]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+\Z", max_length=254)]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}\Z")]


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the company is registered."""

    line1: Line
    line2: Annotated[str, Meta(max_length=100)] = ""
    city: Line
    region: Line
    """State or province."""
    postal_code: Annotated[str, Meta(min_length=1, max_length=20)]
    country: Country


class Contact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person carriers may ask."""

    first_name: Line
    last_name: Line
    email: Email
    phone: Phone


class Support(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What recipients are told in answers to HELP."""

    email: Email
    phone: Phone


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the tenant is."""

    legal_name: Line
    brand: Annotated[str, Meta(min_length=2, max_length=40)]
    """The name that recipients know; it stands in every text."""
    website: Https
    tax_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{2,30}\Z")]
    """US EIN, Canadian BN, or VAT number."""
    legal_form: Literal["private_profit", "public_profit", "non_profit", "government", "sole_proprietor"]
    vertical: Line
    address: Address
    contact: Contact
    support: Support


class Relationship(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom recipients believe they are dealing with."""

    brand_seen: Literal["tenant", "operator", "neither"]
    """Whose name recipients read and agreed to; `neither` where it is not one of the two alone."""
    opt_in_through: Literal["tenant", "operator"]
    """Whose form, app or paper takes the consent."""
    opt_in_shared: bool
    """Whether consents that the operator takes are handed to the tenant."""


class Programme(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One use case."""

    use_case: UseCase
    type: MessageType
    description: Annotated[str, Meta(min_length=40, max_length=500)]
    """Who sends what to whom and why."""
    samples: Annotated[
        list[Annotated[str, Meta(min_length=20, max_length=306)]], Meta(min_length=1, max_length=5)
    ]


class UseCases(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the tenant wants to send; one consent each."""

    programmes: Annotated[list[Programme], Meta(min_length=1, max_length=10)]


class Reach(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to, how much, how fast."""

    countries: Annotated[list[Country], Meta(min_length=1, max_length=100)]
    messages_per_month: Annotated[int, Meta(ge=1, le=10_000_000_000)]
    parts_per_second: Annotated[float, Meta(gt=0, le=10_000)] = 1.0
    two_way: bool = False


class SenderChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sender to get."""

    country: Country
    type: Literal["SHORT_CODE", "TEN_DLC", "LONG_CODE", "TOLL_FREE", "SENDER_ID"]
    value: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    """The sender id wanted; null lets AWS pick a number."""


class Senders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    At least one for each country of the reach that has senders of one's own; `/v1/senders/advice` ranks them.

    Countries that only AWS's shared routes reach need none.
    """

    choices: Annotated[list[SenderChoice], Meta(max_length=100)]


class Legal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where recipients read the terms and the privacy policy."""

    hosted: bool
    """Whether the gateway's pages are used, which are written from the profile."""
    terms_url: Https | None = None
    privacy_url: Https | None = None


class OptIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How recipients agree."""

    mode: Literal["hosted_page", "web_form", "keyword", "verbal", "paper"]
    wording: Annotated[str, Meta(min_length=40, max_length=1000)]
    """What recipients read or hear before they agree."""
    url: Https | None = None
    """Where the form can be seen without a login; a picture is attached to the registration otherwise."""
    double_opt_in: bool = False
