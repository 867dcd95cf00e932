"""What a gate's refusal says to a person."""

from gateway.admission.verdict import GateName, Refused
from gateway.intake.outcome import Declined
from gateway.intake.prepare import Draft


def declined(refused: Refused, draft: Draft) -> Declined:
    """Return the refusal of a gate with a sentence that names what stood in the way and the way out."""
    return Declined(code=refused.gate, detail=_detail(refused, draft), retry_after_ms=refused.retry_after_ms)


def _detail(refused: Refused, draft: Draft) -> str:
    text = _COUNTRY_RATE if refused.scope == "country" else _TEXTS[refused.gate]
    return text.format(country=draft.number.country, type=draft.type)


_COUNTRY_RATE = "the plan's message parts per second to {country} are used up"
_TEXTS: dict[GateName, str] = {
    "tenant_suspended": "the tenant is suspended; its operator can resume it",
    "not_live": "the tenant is not live yet; send with a test key, or let the operator provision it",
    "template_required": "this tenant sends approved templates only; give `template` instead of `body`",
    "template_not_allowed": "this version of the template is not approved (any more)",
    "country_not_allowed": "{country} is not among the countries this tenant may send to",
    "opted_out": "the recipient has opted out of {type} messages from this tenant",
    "rate_limited": "the plan's requests per second are used up",
    "queue_full": "the queue to this sender is longer than the message would live",
}
