"""
The road SNS → HTTPS: a post is parsed, verified, stored, and only then acknowledged.

A stranger's post leaves a count and nothing else. A subscription is confirmed by calling
ConfirmSubscription with its token; its SubscribeURL is never fetched, whoever signed it.
"""

from typing import Literal, Protocol

from msgspec import Struct

from gateway.db.faults import DATABASE_FAULTS
from gateway.errors import Unavailable
from gateway.receipts.batch import ReceiptCommit
from gateway.receipts.envelope import (
    Malformed,
    Notification,
    SubscriptionConfirmation,
)
from gateway.receipts.envelope import (
    parse as parse_envelope,
)
from gateway.receipts.reading import incoming_of
from gateway.receipts.signature import Rejected, Verifier
from gateway.receipts.topics import KnownTopics
from gateway.telemetry import metrics


class Answer(Struct, frozen=True, kw_only=True):
    """What became of a post; anything but `rejected` is committed."""

    outcome: Literal["stored", "confirmed", "rejected"]
    reason: str = ""


class SubscriptionConfirmer(Protocol):
    """Confirms a subscription at AWS."""

    async def confirm(self, topic_arn: str, token: str) -> None:
        """
        Call ConfirmSubscription.

        Raises:
            Unavailable: AWS could not be asked; SNS will post the confirmation again.
        """
        ...


class SnsReceiver:
    """Judges and stores what is posted to `/v1/ingest/sns`."""

    def __init__(
        self, verifier: Verifier, topics: KnownTopics, commit: ReceiptCommit, confirmer: SubscriptionConfirmer
    ) -> None:
        self._verifier = verifier
        self._topics = topics
        self._commit = commit
        self._confirmer = confirmer

    async def receive(self, body: bytes) -> Answer:
        """
        Verify the envelope and act on it.

        Raises:
            Unavailable: Postgres could not commit, or a certificate could not be fetched; SNS tries again.
        """
        envelope = parse_envelope(body)
        if isinstance(envelope, Malformed):
            return _rejected(envelope.reason)
        try:
            await self._topics.refresh(envelope.topic_arn)
        except DATABASE_FAULTS as error:
            raise Unavailable("the known topics could not be read") from error
        verdict = await self._verifier.verify(envelope)
        if isinstance(verdict, Rejected):
            if verdict.may_pass_later:
                raise Unavailable(f"the signature could not be checked: {verdict.reason}")
            return _rejected(verdict.reason)
        match envelope:
            case Notification():
                return await self._store(envelope)
            case SubscriptionConfirmation():
                await self._confirmer.confirm(envelope.topic_arn, envelope.token)
                return Answer(outcome="confirmed")
            case _:
                return Answer(outcome="stored")

    async def _store(self, notification: Notification) -> Answer:
        owner = self._topics.owner_of(notification.topic_arn)
        await self._commit.submit(incoming_of(notification.message, owner=owner))
        metrics.RECEIPTS_TAKEN.labels(road="sns").inc()
        return Answer(outcome="stored")


def _rejected(reason: str) -> Answer:
    metrics.RECEIPTS_REJECTED.labels(reason=reason).inc()
    return Answer(outcome="rejected", reason=reason)
