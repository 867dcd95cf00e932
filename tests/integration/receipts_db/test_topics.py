"""Whose posts are ours: known in time, and asked about seldom."""

import asyncio
from uuid import uuid4

import pytest

from gateway.receipts.topics import KnownTopics


@pytest.fixture
def topics(ingest_pool):
    """The topics as a process knows them that has read none yet."""
    return KnownTopics(ingest_pool)


async def made(database) -> str:
    """Return the topic of an account that was added just now."""
    topic_arn = f"arn:aws:sns:us-east-1:111122223333:{uuid4().hex}"
    await database.execute(
        "INSERT INTO aws_accounts (id, name, region, sends_per_second, topic_arn) VALUES ($1, $2, $3, 1, $4)",
        *(uuid4(), uuid4().hex[:12], "us-east-1", topic_arn),
    )
    return topic_arn


async def test_a_topic_made_right_after_a_look_is_found_by_its_first_post(topics, database) -> None:
    """SNS asks for a confirmation once: refused, the topic would never bring anything."""
    await topics.refresh("arn:aws:sns:us-east-1:444455556666:a-strangers")
    fresh = await made(database)
    await topics.refresh(fresh)
    assert fresh in topics


async def test_strangers_cannot_make_us_ask_all_the_time(topics, database) -> None:
    """A hundred posts at once are one question, or two where one was under way."""
    asked = 0
    fetch = topics._pool.fetch

    class Counting:
        async def fetch(self, query):
            nonlocal asked
            asked += 1
            return await fetch(query)

    topics._pool = Counting()
    known = await made(database)
    await asyncio.gather(*(topics.refresh(f"arn:aws:sns:us-east-1:1:{number}") for number in range(100)))
    await topics.refresh(known)
    assert (asked, known in topics) == (1, True)
