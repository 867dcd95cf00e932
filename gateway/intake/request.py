"""What a tenant asks for: the body of `POST /v1/messages`, held to its shapes by msgspec."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from gateway.messages.content import TextType

MessageType = Literal["otp", "transactional", "promotional"]
Channel = Literal["sms", "mms", "voice"]
VoiceId = Literal[
    "AMY", "ASTRID", "BIANCA", "BRIAN", "CAMILA", "CARLA", "CARMEN", "CELINE", "CHANTAL",
    "CONCHITA", "CRISTIANO", "DORA", "EMMA", "ENRIQUE", "EWA", "FILIZ", "GERAINT", "GIORGIO",
    "GWYNETH", "HANS", "INES", "IVY", "JACEK", "JAN", "JOANNA", "JOEY", "JUSTIN", "KARL", "KENDRA",
    "KIMBERLY", "LEA", "LIV", "LOTTE", "LUCIA", "LUPE", "MADS", "MAJA", "MARLENE", "MATHIEU",
    "MATTHEW", "MAXIM", "MIA", "MIGUEL", "MIZUKI", "NAJA", "NICOLE", "PENELOPE", "RAVEENA",
    "RICARDO", "RUBEN", "RUSSELL", "SALLI", "SEOYEON", "TAKUMI", "TATYANA", "VICKI", "VITORIA",
    "ZEINA", "ZHIYU",
]  # fmt: skip
"""Amazon Polly's voices as AWS's model of SendVoiceMessage names them."""
ContextKey = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^\S+\Z")]
ContextValue = Annotated[str, Meta(min_length=1, max_length=800)]
Money = Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,6})?\Z", description="decimal USD")]

MAX_CONTEXT_PAIRS = 3
"""AWS takes five; two carry our message id and attempt."""
OUR_CONTEXT = "tg_"
"""What their names begin with; a pair of the tenant's by such a name would be lost behind ours."""


class TemplateRef(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names an approved template, by id or by name, and fills it."""

    id: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    version: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    """The newest approved version where absent."""
    locale: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?\Z")] | UnsetType = UNSET
    """BCP 47 tag of the variant to send; that of the recipient's country where absent, else the body."""
    variables: dict[str, str | int | float | bool | None] = {}


class CountryParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a destination country demands beside the text; today India's DLT ids."""

    entity_id: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    template_id: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET


class VoiceOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a call reads its text."""

    id: VoiceId = "MATTHEW"
    """A voice of Amazon Polly; it speaks one language."""
    text_type: TextType = "text"
    """`ssml` where the body is a `<speak>` document."""


class SendRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message to one recipient; exactly one of `body` and `template`, or for MMS `media` alone."""

    to: Annotated[str, Meta(max_length=40, description="E.164, for example +14155550123")]
    body: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    template: TemplateRef | UnsetType = UNSET
    type: MessageType | UnsetType = UNSET
    """The template's type where absent, else the plan's `default_type`."""
    from_: Annotated[str, Meta(max_length=64)] | UnsetType = field(name="from", default=UNSET)
    """
    A number, a sender id, an `idn_…` or a pool id of the tenant; where absent the plan's `default_from`, or
    the pool for the type.
    """
    channel: Channel = "sms"
    media: Annotated[list[Annotated[str, Meta(max_length=2048)]], Meta(max_length=10)] | UnsetType = UNSET
    """For MMS: one `med_…` of `POST /v1/media`, or one https address of a file."""
    voice: VoiceOptions | UnsetType = UNSET
    """For calls."""
    send_at: datetime | UnsetType = UNSET
    ttl_seconds: Annotated[int, Meta(ge=5, le=259_200)] | UnsetType = UNSET
    max_price: Money | UnsetType = UNSET
    """The most in dollars that the tenant pays for the whole message; what a bundle covers costs nothing."""
    country_parameters: CountryParameters | UnsetType = UNSET
    protect_configuration: Annotated[str, Meta(max_length=256)] | UnsetType = UNSET
    feedback: bool = False
    context: Annotated[dict[ContextKey, ContextValue], Meta(max_length=MAX_CONTEXT_PAIRS)] = {}
    client_reference: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
