"""What a text would be on the wire and cost: the answer of `/v1/messages/estimate`. Pure."""

from gateway.admission.segments import gsm_rewrite, measure
from gateway.intake.channels import MMS_COUNTRIES
from gateway.intake.outcome import Estimate, EstimatedPrice, OffendingCharacter
from gateway.intake.prepare import Draft
from gateway.messages.view import price_view

_MMS_HINT_PARTS = 3
"""Above this many parts one MMS is usually cheaper."""


def estimate_of(draft: Draft, *, amount: int, included: int) -> Estimate:
    """
    Return the counts, the characters that force UNICODE, and the price of a draft.

    Args:
        amount: What it would be charged, in the unit of its quote.
        included: What of it the month's bundle covers, in parts or messages.
    """
    segments = draft.segments
    rewritten = gsm_rewrite(draft.text)
    price = price_view(unit=draft.quote.unit, estimated=amount, final=None)
    return Estimate(
        encoding=segments.encoding,
        parts=segments.parts,
        characters=len(draft.text),
        units=segments.units,
        units_left_in_part=segments.units_left_in_part,
        offending=tuple(
            OffendingCharacter(
                character=each.character, position=each.position, name=each.name, suggestion=each.suggestion
            )
            for each in (segments.offending if draft.channel == "sms" else ())
        ),
        gsm_rewrite=rewritten
        if draft.channel == "sms" and measure(rewritten).parts < segments.parts
        else None,
        country=draft.number.country,
        price=EstimatedPrice(estimated=price.estimated, currency=price.currency, credits=price.credits),
        included=included,
        mms_hint=segments.parts > _MMS_HINT_PARTS and draft.number.country in MMS_COUNTRIES,
    )
