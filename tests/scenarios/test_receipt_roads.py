"""
Receipts while things break: processes that die, a Postgres that dies, crawls or is full, copies, disorder.

Rows 16 to 20 of the failure model. Each checker is shown to fail on a build that breaks its promise.
"""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
from pathlib import Path

import asyncpg
import pytest

from gateway.db.engine import sqlalchemy_url
from gateway.db.migrate import migrate
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.faultpoints import FaultPoint
from tests.harness.clients import new_clients
from tests.harness.fleet import running_fleet
from tests.harness.judging import judge
from tests.harness.ledger import faults
from tests.harness.queues import running_moto
from tests.harness.roads import (
    LIFE,
    aws_ids,
    deliver,
    life,
    not_once,
    operate,
    poster_of,
    reading_queue,
    sent,
)
from tests.harness.waiting import eventually, until

KILLS = int(os.environ.get("SCENARIO_KILLS", "1"))
POSTGRES_KILLS = int(os.environ.get("SCENARIO_POSTGRES_KILLS", "3"))
MESSAGES = 12
HIDDEN = {"TOLLGATE_QUEUE_HIDDEN_S": "2"}
"""How long a dead process keeps messages from its successor."""

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def moto_url():
    """A moto server of this module."""
    with running_moto() as url:
        yield url


async def emptied(queue):
    """The queue holds nothing, hidden messages included."""
    return await queue.left() == 0


async def queue_reader_killed_at(fleet, moto_url, *points, broken="", within_s=60.0):
    """Kill the process that reads a queue at its points; what is not there exactly once afterwards."""
    clients = await new_clients(fleet)
    async with reading_queue(fleet, moto_url) as queue:
        ids = await sent(fleet, clients, MESSAGES)
        share = max(1, len(ids) // (len(points) * KILLS))
        left = list(ids)
        for point in points:
            for _ in range(KILLS):
                doomed = await fleet.start("workers", fault=f"{point}:kill", broken=broken, **HIDDEN)
                chosen, left = left[:share], left[share:]
                await queue.send(*(each for one in chosen for each in life(one)))
                assert await doomed.ended() == -signal.SIGKILL, doomed.wrote[-2000:]
        await fleet.start("workers", broken=broken, **HIDDEN)
        await queue.send(*(each for one in left for each in life(one)))
        await eventually(lambda: emptied(queue), within_s=within_s)
        found = await not_once(fleet, ids, events=len(LIFE))
        assert await queue.dead() == 0
    return found + await faults(fleet.database, of_tenant=clients.tenant_id)


async def test_a_reader_of_a_queue_may_die_between_any_two_steps(fleet, moto_url):
    """Before the commit, after it, before the delete: nothing is lost and nothing counts twice."""
    points = (
        FaultPoint.RECEIPTS_BEFORE_COMMIT,
        FaultPoint.RECEIPTS_AFTER_COMMIT,
        FaultPoint.QUEUE_BEFORE_DELETE,
    )
    assert await queue_reader_killed_at(fleet, moto_url, *points) == []


async def test_a_reader_that_deletes_before_it_commits_is_found_out(fleet, moto_url):
    """The checker on a build that takes a receive for a receipt."""
    found = await queue_reader_killed_at(
        fleet, moto_url, FaultPoint.RECEIPTS_BEFORE_COMMIT, broken="deleted_on_receipt"
    )
    assert found


async def crash_postgres(fleet):
    """Kill a server process as the kernel might: Postgres ends all others and recovers from its log."""
    async with fleet.database.acquire() as connection:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        os.kill(pid, signal.SIGKILL)


async def postgres_killed(fleet, *, broken=""):
    """
    Kill Postgres again and again while SNS posts.

    Returns what is not there once, the statuses that were answered, and the longest wait for the next 200.
    """
    clients = await new_clients(fleet)
    ids = await sent(fleet, clients, MESSAGES)
    await fleet.start("api", broken=broken)
    poster = await poster_of(fleet)
    texts = [text for each in ids for text in life(each)]
    waits = []
    loop = asyncio.get_running_loop()
    for number in range(POSTGRES_KILLS):
        chosen = texts[number::POSTGRES_KILLS]
        posting = asyncio.create_task(poster.post_all(chosen))
        already = len(poster.acknowledged_at)

        async def begun(already=already):
            return len(poster.acknowledged_at) > already

        with contextlib.suppress(TimeoutError):
            await until(begun, within_s=10)
        killed_at = loop.time()
        with contextlib.suppress(asyncpg.PostgresError, OSError, asyncpg.InterfaceError):
            await crash_postgres(fleet)
        await posting
        later = [at for at in poster.acknowledged_at.values() if at > killed_at]
        waits.append(min(later) - killed_at if later else 0.0)

    async def answers():
        with contextlib.suppress(asyncpg.PostgresError, OSError, asyncpg.InterfaceError):
            return await fleet.database.fetchval("SELECT true")

    await until(answers)
    return await not_once(fleet, ids, events=len(LIFE)), set(poster.answers), max(waits)


async def test_a_postgres_that_is_killed_costs_no_receipt(fleet):
    """Row 16: 503 and never a 200 for what is not committed; receipts flow again within five seconds."""
    found, statuses, longest_s = await postgres_killed(fleet)
    assert (found, statuses - {200, 503}) == ([], set())
    assert longest_s <= 5.0


async def test_an_acknowledgement_before_the_commit_is_found_out_when_postgres_dies(fleet):
    """The checker of row 16 on a build that answers SNS first; a lucky commit is tried again."""
    for _ in range(3):
        found, _, _ = await postgres_killed(fleet, broken="acknowledged_before_commit")
        if found:
            return
    pytest.fail("nothing was lost")


SLOW = """
    CREATE FUNCTION tollgate_crawl() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.0); RETURN NULL; END $$;
    CREATE TRIGGER crawl AFTER INSERT ON receipts FOR EACH STATEMENT EXECUTE FUNCTION tollgate_crawl();
"""
HASTEN = "DROP TRIGGER IF EXISTS crawl ON receipts; DROP FUNCTION IF EXISTS tollgate_crawl()"
DELIVERIES = 16
EACH = 500


async def crawling(fleet, *, broken=""):
    """Deliver 8,000 events at once while each commit takes a second; statuses, bytes grown, what is wrong."""
    clients = await new_clients(fleet)
    [account, *_] = (await operate(fleet, "GET", "/aws-accounts"))["data"]
    key = (await operate(fleet, "POST", "/firehose-keys", {"account": account["id"]}))["access_key"]
    [message_id] = await sent(fleet, clients, 1)
    api = await fleet.start("api", broken=broken)
    lives = [life(message_id, [f"X{chr(65 + n)}"] * EACH) for n in range(DELIVERIES)]
    await deliver(fleet, key, life(message_id)[:1])  # whatever is loaded at the first delivery
    before = _resident_bytes(api)
    await fleet.database.execute(SLOW)
    try:
        statuses = await asyncio.gather(*(deliver(fleet, key, each) for each in lives))
        grown = _resident_bytes(api) - before
    finally:
        await fleet.database.execute(HASTEN)
    stored = await fleet.database.fetchval("SELECT count(*) FROM receipts WHERE message_id = $1", message_id)
    missing = statuses.count(200) * EACH + 1 - stored
    return statuses, grown, missing


def _resident_bytes(process):
    pages = int(Path(f"/proc/{process._process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_a_postgres_that_crawls_meets_a_bounded_line(fleet):
    """Row 17: what does not fit is told so at once; memory stays flat; what was acknowledged is there."""
    statuses, grown, missing = await crawling(fleet)
    assert set(statuses) == {200, 503}
    assert missing <= 0
    assert grown < 150 * 1024 * 1024


async def test_a_line_without_an_end_is_found_out(fleet):
    """The checker of row 17 on a build that takes whatever comes."""
    statuses, _, _ = await crawling(fleet, broken="unbounded_line")
    assert set(statuses) == {200}


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system of its own for the length of a block."""
    folder.mkdir()
    size = f"size={megabytes}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    assert mounted.returncode == 0, (
        f"a disk of its own needs root on Linux, or -m 'not own_disk': {mounted.stderr}"
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder):
    """Leave nothing of the disk; return the ballast."""
    ballast = folder / "ballast"
    with open(ballast, "wb") as file, contextlib.suppress(OSError):  # noqa: PTH123 - written until it fails
        while True:
            file.write(bytes(64 * 1024))
            file.flush()
    return ballast


async def disk_full(tmp_path, *, broken=""):
    """Fill the disk of Postgres under load, then make room; what is not there once, and the statuses."""
    with small_disk(tmp_path / "disk", 220) as disk:
        async with EmbeddedPostgres(disk) as postgres:
            await migrate(sqlalchemy_url(postgres.url))
            async with running_fleet(tmp_path, postgres.url) as fleet:
                await fleet.ensure("api", broken=broken)
                # What is accepted while the lanes are built is pushed by these.
                await fleet.ensure("workers")
                clients = await new_clients(fleet)
                ids = await sent(fleet, clients, MESSAGES)
                poster = await poster_of(fleet)
                texts = [text for each in ids for text in life(each)]
                await poster.post_all(texts[:12])
                ballast = fill(disk)
                # A few pages may still be free inside the files that Postgres has: use them up first.
                is_full = asyncio.Event()
                filler = asyncio.create_task(_use_up(postgres.url, is_full))
                async with asyncio.timeout(90):
                    await is_full.wait()
                posting = asyncio.create_task(poster.post_all(texts[12:]))

                async def refused():
                    return 503 in poster.answers or posting.done()

                await until(refused, within_s=90)
                ballast.unlink()
                filler.cancel()
                await asyncio.gather(filler, return_exceptions=True)
                if postgres.pid is None:
                    await postgres.start()
                async with asyncio.timeout(60):
                    await posting

                async def answers():
                    with contextlib.suppress(asyncpg.PostgresError, OSError, asyncpg.InterfaceError):
                        return await fleet.database.fetchval("SELECT true")

                await until(answers)
                found = await not_once(fleet, ids, events=len(LIFE))
                return found + await faults(fleet.database, of_tenant=clients.tenant_id), poster.answers


async def _use_up(url, is_full):
    """Write rows of no use, again and again; say so when the disk refuses one."""
    while True:
        try:
            connection = await asyncpg.connect(url)
            try:
                await connection.execute("CREATE TABLE IF NOT EXISTS ballast (filler text)")
                await connection.execute(
                    "INSERT INTO ballast SELECT repeat(md5(n::text), 60) FROM generate_series(1, 2000) n"
                )
            finally:
                await connection.close()
        except (asyncpg.PostgresError, OSError, asyncpg.InterfaceError):
            is_full.set()
        await asyncio.sleep(0.02)


@pytest.mark.own_disk
async def test_a_full_disk_refuses_and_recovers_without_repair(tmp_path):
    """Row 18: nothing is acknowledged that is not stored; with room again, everything is, once."""
    found, statuses = await disk_full(tmp_path)
    assert (found, set(statuses)) == ([], {200, 503})


@pytest.mark.own_disk
async def test_an_acknowledgement_before_the_commit_is_found_out_on_a_full_disk(tmp_path):
    """The checker of row 18 on a build that answers SNS first: what the disk refused is gone."""
    found, _ = await disk_full(tmp_path, broken="acknowledged_before_commit")
    assert found


async def copied_and_shuffled(fleet, moto_url, *, broken=""):
    """Bring each event one to ten times, in any order, by a queue and by SNS; what differs from once."""
    clients = await new_clients(fleet)
    dice = random.Random(19)
    # Before there is a queue: what dies in a long poll is still handed messages, and hides them for its time.
    await fleet.start("api", broken=broken)
    await fleet.start("workers", broken=broken, **HIDDEN)
    async with reading_queue(fleet, moto_url) as queue:
        ids = await sent(fleet, clients, MESSAGES)
        names = await aws_ids(fleet, ids)
        lives = (life(each, aws_id=names[each]) for each in ids)
        copies = [text for events in lives for text in events for _ in range(dice.randint(1, 10))]
        dice.shuffle(copies)
        poster = await poster_of(fleet)
        await asyncio.gather(queue.send(*copies), poster.post_all(copies[: len(copies) // 2]))
        await eventually(lambda: emptied(queue), within_s=90)
        found = await not_once(fleet, ids, events=len(LIFE))
    verdict = await judge(fleet, clients, within_s=5 if broken else 60)
    return found + verdict.but_delivered_once()


async def test_copies_and_disorder_over_two_roads_change_nothing(fleet, moto_url):
    """Rows 19 and 20: one status, one posting, one webhook id, whatever came how often and when."""
    assert await copied_and_shuffled(fleet, moto_url) == []


@pytest.mark.parametrize("broken", ["copies_count", "last_word_wins"])
async def test_builds_that_count_copies_or_believe_the_last_are_found_out(fleet, moto_url, broken):
    """The checker of rows 19 and 20."""
    assert await copied_and_shuffled(fleet, moto_url, broken=broken) != []
