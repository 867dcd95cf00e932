"""What a gate's refusal says to a person."""

from gateway.admission.verdict import Refused
from gateway.intake.outcome import Declined
from gateway.intake.prepare import Draft


def declined(refused: Refused, draft: Draft) -> Declined:
    """Return the refusal of a gate with a sentence that names what stood in the way and the way out."""
    return Declined(
        code=refused.gate, detail=_detail(refused, draft), retry_after_ms=refused.retry_after_ms
    )


def _detail(refused: Refused, draft: Draft) -> str:
    country = draft.number.country
    match refused.gate:
        case "tenant_suspended":
            return "the tenant is suspended; its operator can resume it"
        case "not_live":
            return "the tenant is not live yet; send with a test key, or let the operator provision it"
        case "template_required":
            return "this tenant sends approved templates only; give `template` instead of `body`"
        case "template_not_allowed":
            return "this version of the template is not approved (any more)"
        case "country_not_allowed":
            return f"{country} is not among the countries this tenant may send to"
        case "opted_out":
            return f"the recipient has opted out of {draft.type} messages from this tenant"
        case "rate_limited" if refused.scope == "country":
            return f"the plan's message parts per second to {country} are used up"
        case "rate_limited":
            return "the plan's requests per second are used up"
        case "queue_full":
            return "the queue to this sender is longer than the message would live"
        case _:
            return f"refused by the gate {refused.gate}"
