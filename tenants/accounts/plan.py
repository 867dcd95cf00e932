"""What a tenant has bought: how it pays and how fast it may go. Pure data and rules."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, cast

import msgspec
from msgspec import Meta, Struct, inspect

from tenants.accounts.merging import merge_patch
from tenants.accounts.plan_names import check_names
from tenants.accounts.pumping_rules import Pumping
from tenants.accounts.sending_rules import CHANNELS, Channel, ContentScreen, QuietHours, Rollout
from tenants.complaints import Tried, complaint_of
from tenants.errors import InvalidInput
from tenants.rates import FASTEST, SLOWEST, check_rate

Pricing = Literal["dollars", "credits", "tiers"]
Burst = Literal["queue", "refuse"]
FreeText = Literal["open", "matching", "closed"]
MessageType = Literal["otp", "transactional", "promotional"]
Brand = Annotated[str, Meta(min_length=1, max_length=100)]
CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2")]
_PartsPerSecond = Annotated[
    float, Meta(gt=0, le=FASTEST, description=f"message parts per second (MPS), {SLOWEST:g} at least")
]
"""A plan that was stored before there was a least rate has to be read; `merge_plan` holds new ones to it."""
_RequestsPerSecond = Annotated[
    float, Meta(gt=0, le=FASTEST, description=f"requests per second, {SLOWEST:g} at least")
]

FREE_TEXT_MODELS = frozenset({1, 2, 3, 4})
"""Models 5 (template-restricted) and 6 (fully managed) may never send free text."""
_OWN_ACCOUNT_MODEL = 1
"""The tenant's own AWS account and its own answer for what is in the texts."""


Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", max_length=16)]
"""Decimal dollars, or whole credits, by the plan's pricing."""


class AutoTopUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the tenant's own systems are asked to pay in, by the event `credits.top_up_requested`."""

    below: Amount
    """Asked for when the available balance is at or below this."""
    amount: Amount
    """How much is asked for."""
    most_per_day: Annotated[int, Meta(ge=1, le=100)] = 3
    """Requests per day (UTC); a campaign that eats every top-up cannot draw without end."""


FeePolicy = Literal["pass", "absorb", "mark_up"]
TierCountry = Annotated[str, Meta(pattern=r"^([A-Z]{2}|\*)\Z")]
TierName = Annotated[str, Meta(min_length=1, max_length=40)]


class Fees(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What becomes of fees: `pass` charges them at cost, `absorb` not, `mark_up` at the book's sell price. In
    credits the first and the last both charge the book's `credits`.
    """

    carrier: FeePolicy = "pass"
    """The carriers' fee per message part, where the book names it apart from the part's price."""
    protect: FeePolicy = "absorb"
    """The fee per message part of AWS's protect features."""
    lease: FeePolicy = "pass"
    """The monthly lease of each sender."""
    registration: FeePolicy = "pass"
    """The one-time fee of each registration."""
    prorate: Literal["none", "start", "both"] = "start"
    """
    Whether a month that is not whole costs its days alone: never, where it begins with the sender or the
    tenant, or also where a sender is released, whose rest is then given back.
    """


class Bundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What a calendar month (UTC) includes, whatever the pricing; what goes beyond is charged by the pricing.

    What a month has used stays used when the bundle changes in the middle of it.
    """

    included: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    """Message parts, or messages, per month."""
    counts: Literal["parts", "messages"] = "parts"
    """
    What is counted; it changes only while the month has used none. Of a message whose parts are not all
    left, those beyond are overage.
    """
    countries: Annotated[list[CountryCode], Meta(max_length=300)] = []
    """Where it holds; everywhere if empty."""
    channels: Annotated[list[Literal["sms", "mms"]], Meta(min_length=1, max_length=2)] = msgspec.field(
        default_factory=lambda: ["sms"]
    )
    """What it holds for; a call is never part of a bundle."""

    def covers(self, *, country: str, channel: str) -> bool:
        """Return whether messages of this kind draw on it."""
        return channel in self.channels and (not self.countries or country in self.countries)

    def units(self, parts: int) -> int:
        """Return a message of so many parts in what the bundle counts."""
        return parts if self.counts == "parts" else 1


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits and pricing of one tenant; every limit is optional and absent means none of the tenant's own."""

    pricing: Pricing = "dollars"
    """
    `dollars` holds the price in micro-dollars; `credits` holds whole credits per message part; `tiers` holds
    the price of the country's tier, in micro-dollars.
    """
    price_book: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}\Z")] = "default"
    """The operator's price book that holds for the tenant."""
    margin_percent: Annotated[float, Meta(ge=0, le=1000)] | None = None
    """Pricing `dollars`: the book's cost with this on top, instead of the book's sell price."""
    credits_per_part: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    """
    Pricing `credits`: the same for every country, instead of the book's weight of the country and of the fees
    on a part.
    """
    tiers: Annotated[dict[TierName, Amount], Meta(max_length=100)] = {}
    """Pricing `tiers`: dollars per message part, by tier."""
    tier_of: Annotated[dict[TierCountry, TierName], Meta(max_length=400)] = {}
    """Pricing `tiers`: the tier of each country; `*` is that of every other one."""
    bundle: Bundle | None = None
    """What each month includes; absent, every message is charged."""
    fees: Fees = msgspec.field(default_factory=Fees)
    monthly_fee: Amount = "0"
    """What a live tenant pays per calendar month (UTC) beside its messages, in every model."""
    platform_fee: Amount = "0"
    """Model 1, the tenant's own AWS account: what a message part costs, and all that it costs."""
    country_mps: dict[CountryCode, _PartsPerSecond] = {}
    """
    Message parts per second the tenant may send to a country, whatever its senders could carry. Test
    keys have the same for themselves, as of every rate.
    """
    default_mps: _PartsPerSecond | None = None
    """The same for every country that `country_mps` does not name."""
    requests_per_second: _RequestsPerSecond | None = None
    """Send requests per second; over it the API answers 429. A batch is one, whatever it carries."""
    burst: Burst = "queue"
    """
    What a send over the country's MPS meets: a place in the queue, or 429 with the time. A scheduled send is
    queued when it is due, either way.
    """
    free_text: bool | Literal["matching"] = True
    """
    Whether a send may carry a `body`: any, none, or only one that an approved template gives, which is then
    sent as that template. Has no effect in models 5 and 6, which never may.
    """
    auto_approve_templates: bool = False
    """Approve a submitted template at once where the linter finds nothing for a person to decide."""
    brands: Annotated[list[Brand], Meta(max_length=20)] = []
    """Names under which recipients know the tenant; its templates have to say one. Its own name if empty."""
    one_text_per_recipient_second: bool = True
    """Whether a phone gets at most one text a second, whoever sends it; AWS's own limit."""
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1
    """Share of a crowded sender relative to other tenants, in message parts."""
    ttl_seconds: Annotated[int, Meta(ge=5, le=259_200)] = 259_200
    """Life of a message that names none; AWS's default is 72 h."""
    channels: list[Channel] = msgspec.field(default_factory=lambda: list(CHANNELS))
    """The channels switched on; over another one a send is refused with `channel_disabled`."""
    consent_required: Annotated[list[MessageType], Meta(max_length=3)] = []
    """Types of messages that go only to numbers with a granted consent in the ledger, `/v1/consents`."""
    quiet_hours: QuietHours = msgspec.field(default_factory=QuietHours)
    rollout: dict[CountryCode, Rollout] = {}
    """How far each country is; one that is not named is live. `countries` of the tenant comes first."""
    india_entity_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """The tenant's principal entity in India's DLT registry, for sends that name none."""
    content_screen: ContentScreen | None = None
    """
    What free text is screened for; by the model where absent: `off` in model 1, else `prohibited`. Approved
    templates were screened at their approval.
    """
    default_type: MessageType = "transactional"
    """Type of a send that names neither a type nor a template."""
    default_from: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """
    What a send's `from` may name, for sends that name none; where it cannot carry the message, the pool for
    the type does. A new tenant has no sender yet; a change has to name one that is there.
    """
    pumping: Pumping = msgspec.field(default_factory=Pumping)
    """How the tenant's traffic is watched for SMS pumping."""
    resend_unknown_transactional: bool = True
    """Whether a transactional send whose outcome stays unknown is tried once more, flagged."""

    bodies_kept_days: Annotated[int, Meta(ge=0, le=90)] | None = None
    """Days after a message's end at which its text is taken out; absent, the operator's. Not for OTPs."""

    auto_top_up: AutoTopUp | None = None
    """Ask for a top-up when the balance is low; absent, nothing is asked."""
    sticky_sender: bool = False
    """
    Whether a recipient keeps the sender of its last message, for eight days, among equals.

    Otherwise it is the one with the shortest line.
    """
    shared_routes: bool = False
    """Whether messages may leave by AWS's shared routes as the last resort; the route must allow it, too."""

    def __post_init__(self) -> None:
        """Refuse members that contradict each other; msgspec turns the ValueError into its own."""
        if self.pricing == "tiers":
            _check_tiers(self.tier_of, self.tiers)
        if self.pricing == "credits" and "." in self.platform_fee:
            raise ValueError("platform_fee counts whole credits where pricing is credits")
        if self.pricing == "credits" and "." in self.monthly_fee:
            raise ValueError("monthly_fee counts whole credits where pricing is credits")
        wish = self.auto_top_up
        if self.pricing == "credits" and wish is not None and "." in wish.below + wish.amount:
            raise ValueError("auto_top_up counts whole credits where pricing is credits")

    def mps(self, country: str) -> float | None:
        """Return the tenant's own limit in message parts per second to `country`."""
        return self.country_mps.get(country, self.default_mps)


def _check_tiers(tier_of: dict[str, str], tiers: dict[str, str]) -> None:
    if not tiers:
        raise ValueError("pricing by tiers needs `tiers`, a price per message part for each")
    if "*" not in tier_of:
        raise ValueError("`tier_of` needs `*`, the tier of every country that it does not name")
    if unknown := sorted(set(tier_of.values()) - tiers.keys()):
        raise ValueError(f"`tier_of` names a tier that `tiers` does not price: {unknown[0]}")


def free_text_of(model: int, plan: Plan) -> FreeText:
    """Return what a tenant of this model and plan may send that is not by a template's name."""
    if model not in FREE_TEXT_MODELS or plan.free_text is False:
        return "closed"
    return "matching" if plan.free_text == "matching" else "open"


def may_send_free_text(model: int, plan: Plan) -> bool:
    """Return whether a tenant of this model and plan may send text that is not a template's."""
    return free_text_of(model, plan) == "open"


def content_screen_of(model: int, plan: Plan) -> ContentScreen:
    """Return what free text of a tenant of this model and plan is screened for."""
    if plan.content_screen is not None:
        return plan.content_screen
    return "off" if model == _OWN_ACCOUNT_MODEL else "prohibited"


_PLAN: Final = inspect.type_info(Plan)


def merge_plan(current: Plan, changes: dict[str, object]) -> Plan:
    """
    Return `current` changed as a PATCH does: a JSON merge patch (RFC 7396), see `merge_patch`.

    Raises:
        InvalidInput: A member is unknown, out of range or names nothing; the field is its JSON pointer.
    """
    _check_rates(changes)
    merged = merge_patch(_PLAN, msgspec.to_builtins(current), changes)
    check_names(changes, cast("dict[str, object]", merged))
    try:
        plan = _read(merged)
    except msgspec.ValidationError as error:
        wrong = complaint_of(str(error), Tried(merged, _read))
        raise InvalidInput(f"/plan{wrong.field}", wrong.code, wrong.detail) from error
    if (current.pricing == "credits") != (plan.pricing == "credits"):
        _check_amounts_named(current, changes)
    return plan


def _check_amounts_named(current: Plan, changes: Mapping[str, object]) -> None:
    """Amounts count in the pricing's unit: where that changes, ten dollars are not ten credits."""
    set_ones = {
        "monthly_fee": bool(Decimal(current.monthly_fee)),
        "platform_fee": bool(Decimal(current.platform_fee)),
        "auto_top_up": current.auto_top_up is not None,
    }
    for name, is_set in set_ones.items():
        if is_set and not _is_named_whole(changes, name):
            detail = f"{name} counts in the pricing's unit, which changes: give it anew in the same change"
            raise InvalidInput(f"/plan/{name}", "other_unit", detail)


def _is_named_whole(changes: Mapping[str, object], name: str) -> bool:
    change = changes.get(name)
    return name in changes and (not isinstance(change, dict) or {"below", "amount"} <= change.keys())


def _read(value: object) -> Plan:
    return msgspec.convert(value, Plan)


def _check_rates(changes: Mapping[str, object]) -> None:
    """What is no number is msgspec's to refuse; rates that stand already are not looked at."""
    named = {name: changes.get(name) for name in ("default_mps", "requests_per_second")}
    if isinstance(changes.get("country_mps"), dict):
        by_country = cast("dict[str, object]", changes["country_mps"])
        named |= {f"country_mps/{country}": rate for country, rate in by_country.items()}
    for name, rate in named.items():
        if isinstance(rate, (int, float)):
            check_rate(f"/plan/{name}", rate)
