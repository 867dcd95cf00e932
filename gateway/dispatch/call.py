"""
One marked message: opened, called once at its instant, its outcome put on record.

The mark is a lease. Whatever held this process up since it was made (a stop, a full machine), the call is
made only while the lease has more life left than a call can take.
"""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import structlog
from msgspec import structs

from gateway.admission.rules.quiet_hours import quiet_until
from gateway.carrier.ports import Carrier, Fault, NotSent, OutboundText, Outcome, Refused, Sent, Voice
from gateway.clock import Clock
from gateway.db.faults import DATABASE_FAULTS
from gateway.dispatch.backoff import Backoff
from gateway.dispatch.failover import DISABLED, OFF_ROUTE, SHARED_OFF
from gateway.dispatch.lateness import Lateness
from gateway.dispatch.mark import MarkedMessage
from gateway.dispatch.record import Expired, NotOpened, Recorder
from gateway.dispatch.turns import GrantedMessage, StaticTurns
from gateway.faultpoints import FaultPoint, fp
from gateway.lanes.entry import ClaimedMessage
from gateway.lanes.lanes import Lanes
from gateway.lanes.release import released
from gateway.messages.content import Media, Speech, from_column
from gateway.messages.held import SUSPENDED
from gateway.messages.keys import DataKeys, body_context, number_context
from gateway.routing.health import Illness
from gateway.telemetry import metrics
from tenants.accounts.sending_rules import QuietHours
from tenants.errors import KeyUnwrapFailed, NotFound
from tenants.ids import created_at

Ill = Callable[[], Mapping[UUID, Illness]]
"""What is not healthy now, by id of sender and of account; from memory."""

OptedOut = Callable[[MarkedMessage], Awaitable[bool]]
"""Asks Postgres whether the recipient has opted out by now."""

_log = structlog.get_logger(__name__)
_queue_wait = lru_cache(maxsize=16)(metrics.QUEUE_WAIT_SECONDS.labels)

_MIN_TTL_S = 5
"""AWS's least TimeToLive; a message with less life left is sent with that."""
_MAX_TTL_S = 259_200
_NO_KEY_MS = 30_000
_DISABLED_MS = 30_000
_SUSPENDED_MS = 600_000
"""A resume makes them due; one that came between the mark and its record is noticed after this."""
_NOT_ASKED_MS = 1_000
_MARK_IS_FRESH_S = 5.0
"""A worker that was stopped for longer than this after its mark must not send: the lease may be over."""


_STILL_TRUE_S = 0.5
"""What the mark said of opt-outs is asked again after this."""
_HEARD_WITHIN_S = 1.0
"""So long after the last look at the opt-outs a text may still be written to the carrier, and no longer."""
_OPTED_OUT = Refused(
    code="opted_out",
    detail="The recipient opted out while the message waited; it did not leave, and costs nothing.",
)
_HELD = NotSent(reason=SUSPENDED, retry_after_ms=_SUSPENDED_MS)
_NOT_STAGED = Refused(
    code="media_inaccessible",
    detail="The file does not lie in the AWS account that the message was moved to; send it again.",
)


class Caller:
    """Makes one route's calls."""

    def __init__(
        self,
        *,
        route: str,
        carrier: Carrier,
        lanes: Lanes,
        turns: StaticTurns,
        keys: DataKeys,
        recorder: Recorder,
        backoff: Backoff,
        clock: Clock,
        ill: Ill,
        opted_out: OptedOut,
    ) -> None:
        self._ill = ill
        self._opted_out = opted_out
        self._carrier = carrier
        self._lanes = lanes
        self._turns = turns
        self._keys = keys
        self._recorder = recorder
        self._backoff = backoff
        self._lateness = Lateness(lanes)
        self._clock = clock
        self._in_flight = metrics.DISPATCH_IN_FLIGHT_CALLS.labels(route)
        self._seconds = metrics.DISPATCH_CALL_SECONDS.labels(route)

    async def call(self, message: MarkedMessage, claimed: ClaimedMessage, marked_at: float) -> None:
        """
        Send one message, or say why not, and put the outcome on record.

        Args:
            marked_at: `time.monotonic()` of an instant before the mark was made.
        """
        await self._attempt(message, claimed, marked_at)
        await self._recorder.keep_up()

    async def _attempt(self, message: MarkedMessage, claimed: ClaimedMessage, marked_at: float) -> None:
        left_s = (message.expires_at - self._clock.now()).total_seconds()
        if left_s <= 0:
            self._keep_back(message, Expired())
            return
        if message.opted_out:
            self._keep_back(message, _OPTED_OUT)
            return
        if message.suspended:
            self._keep_back(message, _HELD)
            return
        if (out_of_use := _out_of_use(message, self._ill())) is not None:
            self._keep_back(message, out_of_use)
            return
        text = await self._opened(message, min(max(math.ceil(left_s), _MIN_TTL_S), _MAX_TTL_S))
        if not isinstance(text, OutboundText):
            self._keep_back(message, text)
            return
        await self._leave(message, claimed, text, marked_at)

    async def _leave(
        self, message: MarkedMessage, claimed: ClaimedMessage, text: OutboundText, marked_at: float
    ) -> None:
        """Call at the instant that the lanes gave, unless the night or a pause of this process forbids it."""
        if message.quiet_hours is not None:
            night = _night(message.quiet_hours, claimed.country, text.destination, self._clock.now())
            if night is not None:
                self._keep_back(message, night)
                return
        going = await self._released(claimed, fresh_until=marked_at + _MARK_IS_FRESH_S)
        if going is None:
            self._keep_back(message, NotSent(reason="instant_missed", retry_after_ms=0))
            return
        await fp(FaultPoint.WORKER_BEFORE_CALL)
        if time.monotonic() - marked_at > _MARK_IS_FRESH_S:
            self._keep_back(message, NotSent(reason="mark_too_old", retry_after_ms=0))
            return
        looked_at = marked_at
        if (now := time.monotonic()) - looked_at > _STILL_TRUE_S:
            looked_at = now
            if (kept := await self._kept(message)) is not None:
                self._keep_back(message, kept)
                return
        text = structs.replace(text, leaves_by=looked_at + _HEARD_WITHIN_S)
        outcome = await self._send(text)
        self._lateness.answered(going)
        await fp(FaultPoint.WORKER_AFTER_AWS)
        if isinstance(outcome, Sent):
            waited = self._clock.now() - created_at(message.message_id)
            _queue_wait(message.type).observe(waited.total_seconds())
        self._recorder.put(message, outcome)
        await self._backoff.heard(claimed, outcome, channel=message.channel)

    def _keep_back(self, message: MarkedMessage, result: NotSent | Refused | NotOpened | Expired) -> None:
        """Record what the gateway decided by itself, without asking the carrier."""
        self._recorder.put(message, result, called=False)

    def _released(self, claimed: ClaimedMessage, *, fresh_until: float) -> Awaitable[ClaimedMessage | None]:
        """Wait for the instant, of the lanes or of the static share, whichever granted it."""
        if isinstance(claimed, GrantedMessage):
            return self._turns.released(claimed, until=fresh_until)
        return released(self._lanes, claimed)

    async def _kept(self, message: MarkedMessage) -> Refused | NotSent | None:
        """Say why a message that was held up since its mark must not leave after all."""
        try:
            return _OPTED_OUT if await self._opted_out(message) else None
        except DATABASE_FAULTS as error:
            _log.warning("opt_out_not_asked", message_id=str(message.message_id), error=str(error))
            return NotSent(reason="opt_out_unknown", retry_after_ms=_NOT_ASKED_MS)

    async def _opened(
        self, message: MarkedMessage, ttl_s: int
    ) -> OutboundText | NotSent | NotOpened | Refused:
        """Return what is to be sent, or what is on record where it cannot be."""
        try:
            return await self._text(message, ttl_s)
        except (NotFound, KeyUnwrapFailed, *DATABASE_FAULTS) as error:
            # A fault of the stores or of the secret key: it says nothing about this message.
            _log.error("key_not_at_hand", message_id=str(message.message_id), error=str(error))
            return NotSent(reason="key_not_at_hand", retry_after_ms=_NO_KEY_MS)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with its content, no other message has it
            _log.error("message_not_opened", message_id=str(message.message_id), error=type(error).__name__)
            return NotOpened()

    async def _send(self, text: OutboundText) -> Outcome:
        began = time.perf_counter()
        self._in_flight.inc()
        try:
            return await self._carrier.send(text)
        finally:
            self._in_flight.dec()
            self._seconds.observe(time.perf_counter() - began)

    async def _text(self, message: MarkedMessage, ttl_s: int) -> OutboundText | Refused:
        key = await self._keys.of(message.tenant_id)
        content = None if message.content is None else from_column(message.content)
        media_url = None
        if isinstance(content, Media) and message.account_id is not None:
            media_url = content.at(message.account_id)
            if media_url is None:
                return _NOT_STAGED
        return OutboundText(
            message_id=message.message_id,
            attempt=message.attempt,
            destination=key.open(message.to_sealed, context=number_context(message.message_id)).decode(),
            body=key.open(message.body_sealed or b"", context=body_context(message.message_id)).decode(),
            origination_identity=message.sender_arn,
            promotional=message.type == "promotional",
            configuration_set=message.configuration_set,
            protect_configuration=message.protect_configuration,
            max_price_micros=message.max_price_micros,
            ttl_s=ttl_s,
            context=message.context or {},
            country_parameters=None if message.rulings is None else message.rulings.country_parameters,
            channel=message.channel,  # type: ignore[arg-type]  # the accept holds it to the Literal
            media_url=media_url,
            feedback=message.feedback,
            voice=Voice(voice_id=content.voice_id, ssml=content.text_type == "ssml")
            if isinstance(content, Speech)
            else None,
        )


def _night(hours: QuietHours, country: str, number: str, now: datetime) -> NotSent | None:
    """
    Put a promotional message back whose turn came at night: accepted by day, it stood in a long line.

    It leaves in the morning if it lives that long; its life is what the tenant gave it and stays that.
    """
    if hours.policy == "off":
        return None
    morning = quiet_until(hours, country, number, now)
    if morning is None:
        return None
    return NotSent(reason="quiet_hours", retry_after_ms=int((morning - now) / timedelta(milliseconds=1)))


def _out_of_use(message: MarkedMessage, ill: Mapping[UUID, Illness]) -> NotSent | None:
    """Keep back what was claimed before its sender or route was put away; it goes to another or waits."""
    if message.off_route:
        return NotSent(reason=OFF_ROUTE, retry_after_ms=_DISABLED_MS, fault="account")
    if message.shared_off:
        return NotSent(reason=SHARED_OFF, retry_after_ms=_DISABLED_MS, fault="sender")
    if not ill:
        return None
    parties: tuple[tuple[UUID | None, Fault], ...] = (
        (message.sender_id, "sender"),
        (message.account_id, "account"),
    )
    for subject, fault in parties:
        found = None if subject is None else ill.get(subject)
        if found is not None and found.state == "disabled":
            return NotSent(reason=DISABLED, retry_after_ms=_DISABLED_MS, fault=fault)
    return None
