"""Confirms SNS subscriptions in the account and Region whose topic it is, through its role if it has one."""

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.session import AwsSession
from gateway.carrier.topics import SnsTopics
from gateway.db.faults import DATABASE_FAULTS
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from tenants.senders import store


class AccountConfirmations:
    """Knows every account's topic by its row."""

    def __init__(self, session: AwsSession, engine: AsyncEngine) -> None:
        self._session = session
        self._engine = engine

    async def confirm(self, topic_arn: str, token: str) -> None:
        """
        Confirm a subscription by its token; the SubscribeURL is never fetched.

        Raises:
            Unavailable: AWS or Postgres refused or did not answer; SNS posts the confirmation again.
        """
        try:
            async with worker_transaction(self._engine) as session:
                found = [row for row in await store.accounts(session) if row.topic_arn == topic_arn]
        except DATABASE_FAULTS as error:
            raise Unavailable("the account of the topic could not be read") from error
        if not found:
            raise Unavailable("no account has this topic any more")
        await SnsTopics(self._session, found[0]).confirm(topic_arn, token)
