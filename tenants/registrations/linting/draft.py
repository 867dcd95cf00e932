"""What the linter looks at, whether it was written as JSON or filled into a form. Pure."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tenants.registrations.checking import Value, Values

Kind = Literal["toll_free", "ten_dlc_brand", "ten_dlc_campaign", "sender_id", "short_code", "long_code"]
Severity = Literal["error", "warning"]
Line = Annotated[str, Meta(max_length=500)]
Paragraph = Annotated[str, Meta(max_length=10_000)]
Page = Annotated[str, Meta(max_length=100_000)]
Flag = Literal["Yes", "No"]


class Flags(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a 10DLC campaign says of its messages; null where it was not said."""

    opt_in: Flag | None = None
    opt_out: Flag | None = None
    help: Flag | None = None
    direct_lending: Flag | None = None
    embedded_link: Flag | None = None
    embedded_phone: Flag | None = None
    age_gated: Flag | None = None


class Draft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registration to be; a rule is quiet about what is null, unless its kind cannot do without."""

    kind: Kind
    company: Line
    """The registered name."""
    brands: Annotated[list[Line], Meta(max_length=20)] = []
    """Other names by which recipients know the sender."""
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")] | None = None
    """Where the messages go; the United States for US kinds."""
    website: Line | None = None
    support_email: Line | None = None
    legal_type: Line | None = None
    tax_id: Line | None = None
    tax_country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")] | None = None
    stock_symbol: Line | None = None
    stock_exchange: Line | None = None
    verification_email: Line | None = None
    sender_id: Annotated[str, Meta(max_length=20)] | None = None
    use_case: Line | None = None
    """The category, in the form's words."""
    sub_use_cases: Annotated[list[Line], Meta(max_length=10)] = []
    use_case_details: Paragraph | None = None
    opt_in: Paragraph | None = None
    """How recipients opt in, with what they read there."""
    opt_in_image: bool | None = None
    samples: Annotated[list[Paragraph], Meta(max_length=10)] = []
    confirm: Paragraph | None = None
    help: Paragraph | None = None
    stop: Paragraph | None = None
    terms: Page | None = None
    """The text of the terms and conditions."""
    privacy: Page | None = None
    """The text of the privacy policy."""
    flags: Flags | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which a text may say who sends it."""
        return (self.company, *self.brands)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing a reviewer would object to."""

    code: str
    severity: Severity
    """`error`: refused as a rule, and not submitted; `warning`: look again."""
    field: str
    """Member of the draft."""
    message: str
    fix: str


_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("TOLL_FREE", "toll_free"),
    ("TEN_DLC_BRAND_REGISTRATION", "ten_dlc_brand"),
    ("TEN_DLC_CAMPAIGN", "ten_dlc_campaign"),
    ("SENDER_ID", "sender_id"),
    ("SHORT_CODE", "short_code"),
    ("LONG_CODE", "long_code"),
)
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "company": ("companyName",),
    "website": ("website",),
    "support_email": ("supportEmail", "email"),
    "legal_type": ("legalType",),
    "tax_id": ("taxId",),
    "tax_country": ("taxIdIssuingCountry",),
    "stock_symbol": ("stockSymbol",),
    "stock_exchange": ("stockExchange",),
    "verification_email": ("businessContactEmail",),
    "sender_id": ("senderId",),
    "use_case": ("useCaseCategory", "useCase"),
    "use_case_details": ("useCaseDetails", "useCaseDescription", "campaignDescription"),
    "opt_in": ("optInDescription", "optInWorkflow"),
    "confirm": ("optInConfirmationMessage",),
    "help": ("helpMessage",),
    "stop": ("stopMessage",),
}
"""Members of a draft -> last parts of the field paths that fill them, the first that is there."""
_FLAGS: Final = {
    "opt_in": "subscriberOptIn",
    "opt_out": "subscriberOptOut",
    "help": "subscriberHelp",
    "direct_lending": "directLending",
    "embedded_link": "embeddedLink",
    "embedded_phone": "embeddedPhone",
    "age_gated": "ageGated",
}
_COUNTRY: Final = slice(0, 2)


def kind_of(registration_type: str) -> Kind | None:
    """Return what a registration type registers; None for one without texts, such as a vetting."""
    return next((kind for mark, kind in _KINDS if mark in registration_type), None)


def draft_of(registration_type: str, values: Values, *, brands: tuple[str, ...] = ()) -> Draft | None:
    """Return what a filled form says, or None where there is nothing to lint."""
    kind = kind_of(registration_type)
    if kind is None:
        return None
    by_name = {path.rpartition(".")[2]: value for path, value in values.items()}
    found = {
        member: text
        for member, names in FIELDS.items()
        if (text := next((_text(by_name[name]) for name in names if name in by_name), None)) is not None
    }
    flags = {member: _text(by_name[name]) for member, name in _FLAGS.items() if name in by_name}
    subs = by_name.get("subUseCases", [])
    samples = [_text(by_name[name]) for name in sorted(by_name) if name.startswith("messageSample")]
    company = found.pop("company", "")
    return Draft(
        kind=kind,
        company=company or (brands[0] if brands else ""),
        brands=list(brands),
        country=registration_type[_COUNTRY],
        sub_use_cases=[subs] if isinstance(subs, str) else subs,
        opt_in_image=any("optInImage" in name for name in by_name) if kind == "toll_free" else None,
        samples=samples,
        flags=Flags(**flags) if flags else None,  # type: ignore[arg-type] # the form's own choices
        **found,
    )


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ", ".join(value)
