"""
Opens what SQS and Firehose bring: bare events, and events in SNS's envelopes, which must be believed first.

A queue or a stream that only AWS may write to vouches for what is in it; an envelope inside is checked all
the same, because whoever may publish to any topic at all could otherwise speak through it.
"""

from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import Unavailable
from gateway.receipts.apply import Incoming
from gateway.receipts.envelope import Envelope, Malformed, SubscriptionConfirmation
from gateway.receipts.reading import incoming_of
from gateway.receipts.signature import Rejected, Verifier
from gateway.receipts.sns import SubscriptionConfirmer
from gateway.receipts.topics import KnownTopics
from gateway.receipts.wrapping import peel
from gateway.telemetry import metrics


class Answered(Struct, frozen=True, tag="answered"):
    """A question of SNS's own, such as for the confirmation of a subscription; there is nothing to store."""


class Refused(Struct, frozen=True, tag="refused"):
    """Not believed, and no reason to believe it later."""

    reason: str
    """Also a metric label."""


Opened: TypeAlias = Incoming | Answered | Refused


class Mailroom:
    """Judges bodies; `Verifier` has to bear the age of what waited in a queue."""

    def __init__(self, verifier: Verifier, topics: KnownTopics, confirmer: SubscriptionConfirmer) -> None:
        self._verifier = verifier
        self._topics = topics
        self._confirmer = confirmer

    async def open(
        self, body: str | bytes, *, signed_only: bool = False, owner: UUID | None = None
    ) -> Opened:
        """
        Return what is inside.

        Args:
            owner: The tenant whose own account the queue or the stream is of; a signed envelope's topic says
                it better.

        Raises:
            Unavailable: The topics or a certificate could not be had now; the same body may pass later.
        """
        peeled = peel(body)
        if isinstance(peeled, Malformed):
            return _refused(peeled.reason)
        if signed_only and not peeled.envelopes:
            return _refused("unsigned")
        for envelope in peeled.envelopes:
            if (reason := await self._disbelief(envelope)) is not None:
                return _refused(reason)
        last = peeled.envelopes[-1] if peeled.envelopes else None
        if isinstance(last, SubscriptionConfirmation):
            await self._confirmer.confirm(last.topic_arn, last.token)
        if peeled.event is None:
            return Answered()
        whose = owner if last is None else self._topics.owner_of(last.topic_arn)
        return incoming_of(peeled.event, owner=whose)

    async def _disbelief(self, envelope: Envelope) -> str | None:
        try:
            await self._topics.refresh(envelope.topic_arn)
        except DATABASE_FAULTS as error:
            raise Unavailable("the known topics could not be read") from error
        verdict = await self._verifier.verify(envelope)
        if not isinstance(verdict, Rejected):
            return None
        if verdict.may_pass_later:
            raise Unavailable(f"the signature could not be checked: {verdict.reason}")
        return verdict.reason


def _refused(reason: str) -> Refused:
    metrics.RECEIPTS_REJECTED.labels(reason=reason).inc()
    return Refused(reason)
