"""
What one receipt does to a message. Pure, and a join: any order and any number of copies end the same.

Status follows the maximum under the total order of `messages.status`; the other fields are kept as the
greatest value any receipt named, so an absent field never wipes one that was there.
"""

from typing import TypeVar

from msgspec import structs

from gateway.messages.state import MessageState
from gateway.messages.status import Outcome, Projection, advance, outcome_of, project
from gateway.receipts.event import Receipt

_Ordered = TypeVar("_Ordered", int, str)


def fold(state: MessageState, receipt: Receipt) -> MessageState:
    """Return the message after one receipt."""
    before = _projection(state)
    after = project(before, receipt)
    price = _greatest(state.provider_price_micros, receipt.price_micros)
    fee = _greatest(state.provider_fee_micros, receipt.carrier_fee_micros)
    kept = structs.replace(
        state,
        provider_message_id=state.provider_message_id or receipt.provider_message_id,
        other_ids=state.has_another_id(receipt.provider_message_id),
        attempts=max(state.attempts, receipt.attempt or 0),
        dispatched_at=state.dispatched_at or receipt.requested_at or receipt.at,
        carrier=_greatest(state.carrier, receipt.carrier),
        mcc=_greatest(state.mcc, receipt.mcc),
        mnc=_greatest(state.mnc, receipt.mnc),
        provider_price_micros=price,
        provider_fee_micros=fee,
        # Never less than was known; of a message that became several texts it is read from all its events.
        cost_micros=max(state.cost_micros, (price or 0) + (fee or 0)),
        provider_parts=_greatest(state.provider_parts, receipt.parts),
        provider_encoding=_greatest(state.provider_encoding, receipt.encoding),
        call_seconds=_greatest(state.call_seconds, receipt.call_duration_s if receipt.is_final else None),
    )
    return kept if after == before else _moved(kept, after)


def _moved(state: MessageState, projection: Projection) -> MessageState:
    outcome = outcome_of(projection)
    seen = structs.replace(
        state,
        receipt_rank=projection.rank,
        receipt_at=projection.at,
        receipt_name=projection.name,
        provider_status=projection.name,
    )
    if not isinstance(outcome, Outcome):
        # Whatever it means: AWS has the message, so it must not be sent again.
        return structs.replace(seen, status=advance(state.status, "sent"))
    status = advance(state.status, outcome.status)
    if status != outcome.status:
        return seen
    return structs.replace(
        seen,
        status=status,
        reason_code=outcome.reason.code if outcome.reason else None,
        reason_detail=outcome.reason.detail if outcome.reason else None,
    )


def standing(before: MessageState, after: MessageState, projection: Projection) -> MessageState:
    """Return `after` as this projection has it, and not the one that its receipts came to."""
    moved_from = structs.replace(
        after, status=before.status, reason_code=before.reason_code, reason_detail=before.reason_detail
    )
    return _moved(moved_from, projection)


def _projection(state: MessageState) -> Projection | None:
    if state.receipt_at is None or state.receipt_name is None:
        return None
    return Projection(state.receipt_rank, state.receipt_at, state.receipt_name)


def _greatest(one: _Ordered | None, other: _Ordered | None) -> _Ordered | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
