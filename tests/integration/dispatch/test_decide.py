"""What an attempt's result does to its message: the table of `record.decide`, pure."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from msgspec import structs

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.dispatch.mark import MarkedMessage
from gateway.dispatch.record import Expired, Recorded, decide
from gateway.messages.state import MessageState
from gateway.messages.status import FINALS, STATUSES

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WRITTEN = NOW + timedelta(seconds=7)
WAIT = timedelta(seconds=90)
ID = uuid4()

SENT = Sent(provider_message_id="aws-1")
REFUSED = Refused(code="opted_out", detail="The recipient is on a list.")
NOT_SENT = NotSent(reason="throttled", retry_after_ms=1500)
UNKNOWN = Unknown(reason="ReadTimeoutError")


def state_of(**changes):
    """A message that is being sent for the first time."""
    blank = dict.fromkeys(MessageState.__struct_fields__)
    return MessageState(
        **blank
        | {
            "tenant_id": ID,
            "id": ID,
            "created_at": NOW,
            "test": False,
            "type": "otp",
            "unit": "credits",
            "price_estimated": 1,
            "price_excess": 0,
            "cost_micros": 0,
            "cost_revision": 0,
            "expires_at": NOW + timedelta(hours=72),
            "status": "queued",
            "attempts": 0,
            "sequence": 1,
            "receipt_rank": 0,
            "resend_of_unknown": False,
        }
        | changes
    )


def decided(result, *, attempt=1, **state):
    """The message and its queue row after `result`."""
    marked = MarkedMessage(
        message_id=ID,
        tenant_id=ID,
        route="r",
        attempt=attempt,
        leased_until=NOW,
        type="otp",
        to_sealed=b"",
        body_sealed=b"",
        sender_arn=None,
        configuration_set=None,
        max_price_micros=1,
        expires_at=NOW,
        context=None,
    )
    recorded = Recorded(message=marked, result=result, at=NOW)
    return decide(recorded, state_of(**state), unknown_wait=WAIT, now=WRITTEN)


def test_a_send_is_recorded_with_awss_id_and_leaves_the_queue():
    """An id from AWS is the proof of a send."""
    state, queue = decided(SENT)
    assert (state.status, state.provider_message_id, state.attempts) == ("sent", "aws-1", 1)
    assert state.dispatched_at == NOW
    assert queue.state is None


def test_a_refusal_ends_the_message_with_its_reason():
    """What AWS refuses for good is not asked again."""
    state, queue = decided(REFUSED)
    assert (state.status, state.reason_code, queue.state) == ("failed", "opted_out", None)


def test_a_throttle_waits_and_does_not_count_as_an_attempt():
    """AWS took nothing: the next try is the first again."""
    state, queue = decided(NOT_SENT)
    assert state == state_of()
    assert (queue.state, queue.due_at) == ("scheduled", NOW + timedelta(milliseconds=1500))
    assert queue.next_attempt == 0


def test_what_may_not_be_tried_again_in_its_life_ends_with_it():
    """A night is longer than many lives: its money is not held till the morning."""
    _, queue = decided(NotSent(reason="quiet_hours", retry_after_ms=36_000_000), expires_at=NOW + WAIT)
    assert queue.due_at == NOW + WAIT


def test_a_throttled_resend_stays_the_resend():
    """The second attempt that was throttled is the second again, never a third."""
    _, queue = decided(NOT_SENT, attempt=2, status="dispatching", attempts=1, resend_of_unknown=True)
    assert queue.next_attempt == 1


def test_an_unknown_waits_for_a_receipt():
    """It may have been sent: nothing but time or a receipt decides, from when the store can take one."""
    state, queue = decided(UNKNOWN)
    assert (state.status, state.attempts) == ("dispatching", 1)
    assert (queue.state, queue.due_at, queue.next_attempt) == ("unknown", WRITTEN + WAIT, 1)


def test_a_message_that_expired_in_the_queue_made_no_attempt():
    """No call was made, so none is counted and none is charged."""
    state, queue = decided(Expired())
    assert (state.status, state.reason_code, state.attempts) == ("expired", "ttl_expired", 0)
    assert queue.state is None


@pytest.mark.parametrize("status", ["sent", *sorted(FINALS - {"canceled", "failed", "unknown"})])
@pytest.mark.parametrize(
    "result", [SENT, REFUSED, UNKNOWN, NOT_SENT, Expired()], ids=lambda r: type(r).__name__
)
def test_no_result_takes_back_what_a_receipt_said(status, result):
    """A receipt may be faster than the record; the record adds only what it alone knows."""
    state, _ = decided(result, status=status, provider_message_id="aws-1", final_at=NOW)
    assert state.status == status


def test_a_late_record_of_a_send_does_not_count_the_attempt_twice():
    """The receipt said attempt 1 already."""
    state, _ = decided(SENT, status="sent", attempts=1, dispatched_at=NOW - timedelta(seconds=1))
    assert (state.attempts, state.dispatched_at) == (1, NOW - timedelta(seconds=1))


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("result", [SENT, REFUSED, UNKNOWN, NOT_SENT], ids=lambda r: type(r).__name__)
def test_every_result_is_decided_in_every_status(status, result):
    """No combination may raise: the recorder has nobody to tell."""
    state, queue = decided(result, status=status)
    assert structs.replace(state, status="queued").id == queue.message_id
