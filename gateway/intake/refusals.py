"""What a gate's refusal says to a person."""

from datetime import datetime, timedelta

from gateway.admission.pumping import Hold
from gateway.admission.verdict import GateName, Refused
from gateway.intake.commit import NoCredit, OverBudget
from gateway.intake.outcome import Declined, RateState
from gateway.intake.prepare import Draft
from gateway.intake.rate_states import used_up
from gateway.messages.view import timestamp, timestamp_of_ms
from tenants.accounts.plan import Plan
from tenants.budgets.budget import PLATFORM, public_name
from tenants.credits.money import amount_text


def declined(refused: Refused, draft: Draft, plan: Plan, now: datetime) -> Declined:
    """Return the refusal of a gate with a sentence that names what stood in the way and the way out."""
    leaves_at = _leaves_at(refused, draft, now)
    return Declined(
        code=refused.gate,
        detail=_detail(refused, draft),
        retry_after_ms=refused.retry_after_ms,
        estimated_dispatch_at=leaves_at,
        rates=_used_up(refused, draft.number.country, plan),
    )


def _leaves_at(refused: Refused, draft: Draft, now: datetime) -> str | None:
    """The queue is full by `retry_after_ms` more than the message's life."""
    if refused.gate != "queue_full" or refused.retry_after_ms is None:
        return None
    return timestamp(now + timedelta(milliseconds=draft.ttl_ms + refused.retry_after_ms))


def requests_used_up(refused: Refused, plan: Plan) -> Declined:
    """Return the refusal of a request that carries many messages."""
    return Declined(
        code="rate_limited",
        detail=_TEXTS["rate_limited"],
        retry_after_ms=refused.retry_after_ms,
        rates=_used_up(refused, "", plan),
    )


def _used_up(refused: Refused, country: str, plan: Plan) -> tuple[RateState, ...]:
    state = used_up(refused, country, plan)
    return () if state is None else (state,)


def no_credit(short: NoCredit, unit: str, *, rates: tuple[RateState, ...]) -> Declined:
    """Return the refusal of a balance: what is missing, in the unit that the tenant pays in."""
    needed, available = amount_text(short.needed, unit), amount_text(short.available, unit)
    detail = f"the message needs {needed}, {available} are available"
    return Declined(code="insufficient_credits", detail=detail, rates=rates)


def over_budget(over: OverBudget, unit: str, now: datetime, *, rates: tuple[RateState, ...]) -> Declined:
    """Return the refusal of a monthly cap: which one, how far it is used, and when it begins anew."""
    budget, resets = over.budget, timestamp(over.resets_at)
    if budget.owner == PLATFORM:
        detail = f"the operator's budget for this month is used up; it begins anew at {resets}"
    else:
        sums = " of ".join(amount_text(amount, unit) for amount in (over.used, budget.cap))
        detail = (
            f"the monthly budget {public_name(budget.name)} has used {sums} and the message needs "
            f"{amount_text(budget.amount, unit)}; it begins anew at {resets}, or ask the operator to raise it"
        )
    wait_ms = max(0, int((over.resets_at - now).total_seconds() * 1000))
    return Declined(code="spend_limit_reached", detail=detail, retry_after_ms=wait_ms, rates=rates)


def _detail(refused: Refused, draft: Draft) -> str:
    if refused.hold is not None:
        return held(refused.hold)
    text = _BY_SCOPE.get(refused.scope or "", _TEXTS[refused.gate])
    return text.format(country=draft.number.country, type=draft.type)


_BY_SCOPE = {
    "country": "the plan's message parts per second to {country} are used up",
    "country_rule": (
        "a protect rule blocks {country}; GET /v1/protect/effective shows which configuration decides and why"
    ),
    "number_override": (
        "a protect override blocks this number; GET /v1/protect/overrides lists them, DELETE takes one away"
    ),
}


def held(hold: Hold) -> str:
    """Say which rule of pumping holds what, and until when."""
    until = timestamp_of_ms(hold.until_ms)
    if hold.rule == "resend":
        return f"the rule resend: the recipient had all the plan allows in 10 minutes; held until {until}"
    return f"the rule {hold.rule}: numbers that begin +{hold.scope} look like SMS pumping; held until {until}"


_TEXTS: dict[GateName, str] = {
    "tenant_suspended": "the tenant is suspended; its operator can resume it",
    "not_live": "the tenant is not live yet; send with a test key, or let the operator provision it",
    "template_required": "this tenant sends approved templates only; give `template` instead of `body`",
    "template_not_allowed": "this version of the template is not approved (any more)",
    "country_not_allowed": "{country} is not among the countries this tenant may send to",
    "opted_out": "the recipient has opted out of {type} messages from this tenant",
    "protect_blocked": "a protect rule blocks the destination",
    "pumping_suspected": "the messages look like SMS pumping",
    "rate_limited": "the plan's requests per second are used up",
    "daily_cap_reached": "the rollout's messages a day to {country} are used up; the next UTC day opens them",
    "queue_full": "what goes before it at this sender takes longer than the message would live",
}
