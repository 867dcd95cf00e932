"""One connection for all scripts: in order, bounded in time, and replaced when it ends."""

import asyncio
from typing import Any

import pytest
from redis import exceptions

from gateway.lanes.redis_line import RedisLine

pytestmark = pytest.mark.parametrize("redis_url", ["one"], indirect=True)


def line_of(client: Any, within_s: float = 5.0) -> RedisLine:
    return RedisLine(client, answer_within_s=within_s)


async def test_answers_come_in_the_order_of_the_questions_over_one_connection(client: Any) -> None:
    """Whoever asks meanwhile neither waits for the others nor gets their answer."""
    line = line_of(client)
    asked = [line.ask([("ECHO", b"%d" % number), ("CLIENT", "ID")]) for number in range(50)]
    answers = await asyncio.gather(*asked)
    assert [echo for echo, _ in answers] == [b"%d" % number for number in range(50)]
    assert len({connection for _, connection in answers}) == 1


async def test_a_refusal_is_one_answer_among_the_others(client: Any) -> None:
    """Raised, it would take the neighbours' answers with it."""
    first, refused, last = await line_of(client).ask([("ECHO", "a"), ("NOSUCHCOMMAND",), ("ECHO", "b")])
    assert (first, last) == (b"a", b"b")
    assert isinstance(refused, exceptions.ResponseError)


async def test_a_connection_that_was_closed_is_replaced_unasked(client: Any) -> None:
    """An idle connection that Redis or a proxy has closed must not cost a send."""
    line = line_of(client)
    (number,) = await line.ask([("CLIENT", "ID")])
    waiting = asyncio.ensure_future(line.ask([("BLPOP", "nothing", 5)]))
    await asyncio.sleep(0)
    await client.execute_command("CLIENT", "KILL", "ID", number)
    with pytest.raises(exceptions.ConnectionError):
        await waiting
    assert await line.ask([("ECHO", "again")]) == [b"again"]


async def test_an_answer_that_does_not_come_in_time_ends_the_connection(client: Any) -> None:
    """What came after it could not be told from it."""
    line = line_of(client, within_s=0.05)
    with pytest.raises(exceptions.TimeoutError):
        await line.ask([("BLPOP", "nothing", 0.5)])
    assert await line.ask([("ECHO", "again")]) == [b"again"]


async def test_a_caller_that_gives_up_leaves_the_answers_in_order(client: Any) -> None:
    """Its answer still comes, and is nobody else's."""
    line = line_of(client)
    await line.ask([("ECHO", "open")])
    given_up = asyncio.ensure_future(line.ask([("ECHO", "nobody's")]))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await line.ask([("ECHO", "mine")]) == [b"mine"]


async def test_a_connection_lost_while_it_was_handed_over_is_replaced(client: Any) -> None:
    """Only redis-py heard of the loss; a line that thinks it open would fail for ever."""
    line, get = line_of(client), client.connection_pool.get_connection
    lost = []

    async def get_and_lose() -> Any:
        connection = await get()
        if not lost:
            lost.append(connection)
            connection._writer.transport.abort()
            await asyncio.sleep(0)
        return connection

    client.connection_pool.get_connection = get_and_lose
    with pytest.raises(exceptions.ConnectionError):
        await line.ask([("ECHO", "lost")])
    assert await line.ask([("ECHO", "again")]) == [b"again"]
