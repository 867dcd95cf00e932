"""What every process that takes AWS's events builds alike: who is believed, and who opens the mail."""

from contextlib import AsyncExitStack
from typing import Any

from msgspec import Struct

from gateway.carrier.confirmations import AccountConfirmations
from gateway.carrier.session import AwsSession
from gateway.receipts.certificates import open_certificates
from gateway.receipts.mailroom import Mailroom
from gateway.receipts.signature import MAX_AGE_IN_A_QUEUE, Verifier
from gateway.receipts.sns import SubscriptionConfirmer
from gateway.receipts.topics import KnownTopics
from gateway.wiring.resources import Resources


class Trust(Struct, frozen=True):
    """Whom the process believes."""

    posted: Verifier
    """For what SNS posts itself, within the hour."""
    topics: KnownTopics
    confirmer: SubscriptionConfirmer
    mailroom: Mailroom
    """For what waited in a queue or a stream."""


async def open_trust(shared: Resources, stack: AsyncExitStack, pool: Any, session: AwsSession) -> Trust:
    """Open what checks signatures; `pool` acts as the role `ingest`."""
    settings, clock = shared.settings, shared.clock
    certificates = await stack.enter_async_context(
        open_certificates(regions=[settings.aws_region], origins=settings.sns_cert_origins, clock=clock)
    )
    topics = KnownTopics(pool, in_regions=certificates.allow)
    confirmer = AccountConfirmations(session, shared.worker_engine)
    waited = Verifier(certificates, clock, topics=topics.__contains__, max_age=MAX_AGE_IN_A_QUEUE)
    return Trust(
        posted=Verifier(certificates, clock, topics=topics.__contains__),
        topics=topics,
        confirmer=confirmer,
        mailroom=Mailroom(waited, topics, confirmer),
    )
