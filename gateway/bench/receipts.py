"""
`receipts`: how fast delivery events reach status, ledger and outbox, by four ways.

Over SNS: signed envelopes posted to one API process, beside a bare Litestar that only verifies them. Over
SQS: one process of the receipts role empties a queue, beside a bare reader that only receives and deletes. In
batches: `apply_batch` in this process, and the same through Firehose's protocol to the API process, both
beside COPY of the very rows that a batch left behind, into the same tables.

A rate per core is what one core gives to the process that takes the events: a second by the CPU time that it
spent on each. It says the same beside other work, where the rate on the clock does not; Postgres's own share
is told apart.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from gateway.bench.children import free_port
from gateway.bench.deliveries import PER_DELIVERY, deliveries, firehose_key
from gateway.bench.envelopes import delivered, posts
from gateway.bench.ground import Ground, open_ground
from gateway.bench.load import WrongAnswers
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.queues import QueueRoad, open_queue_road
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import us_per_message
from gateway.clock import SystemClock
from gateway.db.engine import create_pool
from gateway.receipts.apply import apply_batch
from gateway.receipts.batch import platform_key
from gateway.receipts.event import Receipt, parse

TARGETS = {
    "ratio.applied_per_s": Target(at_least=0.2),
    "ratio.firehose_events_per_s": Target(at_least=0.2),
    "sns_posts_per_core_s": Target(at_least=1_500.0),
    "sqs_events_per_core_s": Target(at_least=2_500.0),
}
_BATCH = PER_DELIVERY
_LOAD_S = 120.0
_SENT = """
    UPDATE messages SET status = 'sent', provider_message_id = gen_random_uuid()::text, attempts = 1,
        sequence = 2, dispatched_at = now()
    WHERE status = 'queued'
"""
_WRITTEN = {
    "messages": "id = ANY($1)",
    "receipts": "message_id = ANY($1)",
    "ledger_transfers": "subject_id = ANY($1) AND kind <> 'hold'",
    "events": "message_id = ANY($1) AND type = 'message.delivered'",
}
"""What the receipts of some messages leave behind."""


_Rows: TypeAlias = tuple[list[str], list[tuple[Any, ...]]]
"""Column names and records, as COPY takes them."""


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    each, rounds = (2_000, 3) if quick else (4_000, 5)
    async with open_ground() as ground:
        bench = _Bench(ground)
        await bench.start_bare()
        return report_of("receipts", await in_rounds(rounds, lambda: bench.round(each), tell), TARGETS)


class _Bench:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._stack = ground.stack
        self._pool = ground.pool
        self._bare = ("127.0.0.1", free_port())
        self._queue: QueueRoad | None = None
        self._topic_arn = ""
        self._key = ""

    async def start_bare(self) -> None:
        self._topic_arn = await self._pool.fetchval("SELECT topic_arn FROM aws_accounts")
        self._key = await firehose_key(self._stack.settings)
        started = await self._stack.start(
            "bare", "gateway.bench.bare_ingest", str(self._bare[1]), self._ground.peer_url, self._topic_arn
        )
        await started.hear()
        self._queue = await open_queue_road(self._ground)

    async def round(self, each: int) -> Round:
        """The same envelopes go to both servers; the batches carry events of other messages."""
        events = await self._events(4 * each)
        by_post, by_batch, by_delivery, by_queue = (events[n * each : (n + 1) * each] for n in range(4))
        requests = await asyncio.to_thread(self._signed, by_post)
        figures = await self._post(requests, self._ground.api, "api")
        baseline = await self._post(requests, self._bare, "bare")
        await self._all_applied(by_post)
        figures |= await self._apply(by_batch)
        figures |= await self._deliver(by_delivery)
        figures |= await self._read(by_queue)
        baseline |= await self._forget(by_queue)
        baseline |= await self._copy([message_id for message_id, _ in by_batch])
        baseline["firehose_events_per_s"] = baseline["applied_per_s"]
        return Round(figures=figures, baseline=baseline)

    async def _events(self, count: int) -> list[tuple[UUID, bytes]]:
        """Accept messages and say that they were sent, by the statement that takes least time."""
        await self._ground.accept(count)
        rows = await self._pool.fetch("SELECT id FROM messages WHERE status = 'queued'")
        await self._pool.execute(_SENT)
        await self._pool.execute("DELETE FROM dispatch_queue")
        await self._pool.execute("ANALYZE messages, receipts, ledger_transfers, events")
        return [(row["id"], delivered(row["id"], str(uuid4()), "+447400000000")) for row in rows]

    def _signed(self, events: Sequence[tuple[UUID, bytes]]) -> list[bytes]:
        return posts(
            (event for _, event in events),
            self._ground.signer,
            topic_arn=self._topic_arn,
            certificate_url=self._ground.certificate_url,
        )

    async def _post(
        self, requests: Sequence[bytes], target: tuple[str, int], server: str
    ) -> dict[str, float]:
        outcome, cpu_s = await self._stack.load(requests, targets=[target], seconds=_LOAD_S, warm_up_s=0.0)
        outcome.require(200, len(requests))
        spent = us_per_message(cpu_s, outcome.completed, (server, "postgres"))
        return {
            "sns_posts_per_s": outcome.per_second,
            "sns_posts_per_core_s": 1e6 / spent[server],
            "sns_p99_ms": outcome.p99_ms,
            "sns_api_us": spent[server],
            "sns_postgres_us": spent["postgres"],
        }

    async def _deliver(self, events: Sequence[tuple[UUID, bytes]]) -> dict[str, float]:
        requests = deliveries([event for _, event in events], self._key)
        outcome, cpu_s = await self._stack.load(
            requests, targets=[self._ground.api], seconds=_LOAD_S, warm_up_s=0.0
        )
        outcome.require(200, len(requests))
        await self._all_applied(events)
        spent = us_per_message(cpu_s, len(events), ("api", "postgres"))
        return {
            "firehose_events_per_s": outcome.per_second * len(events) / len(requests),
            "firehose_api_us": spent["api"],
            "firehose_postgres_us": spent["postgres"],
        }

    async def _read(self, events: Sequence[tuple[UUID, bytes]]) -> dict[str, float]:
        assert self._queue is not None  # noqa: S101 - opened before the first round
        drained = await self._queue.read([event for _, event in events])
        await self._all_applied(events)
        return {
            "sqs_events_per_s": drained.per_s,
            "sqs_events_per_core_s": 1e6 / drained.us["receipts"],
            "sqs_receipts_us": drained.us["receipts"],
            "sqs_postgres_us": drained.us["postgres"],
        }

    async def _forget(self, events: Sequence[tuple[UUID, bytes]]) -> dict[str, float]:
        assert self._queue is not None  # noqa: S101 - opened before the first round
        drained = await self._queue.forget([event for _, event in events])
        return {
            "sqs_events_per_s": drained.per_s,
            "sqs_events_per_core_s": 1e6 / drained.us["bare queue"],
            "sqs_receipts_us": drained.us["bare queue"],
        }

    async def _all_applied(self, events: Sequence[tuple[UUID, bytes]]) -> None:
        ids = [message_id for message_id, _ in events]
        done = await self._pool.fetchval(
            "SELECT count(*) FROM messages WHERE id = ANY($1) AND status = 'delivered'", ids
        )
        if done != len(ids):
            raise WrongAnswers(f"{len(ids) - done} receipts moved nothing")

    async def _apply(self, events: Sequence[tuple[UUID, bytes]]) -> dict[str, float]:
        settings, clock = self._stack.settings, SystemClock()
        key = platform_key(settings.secret_key)
        pool = await create_pool(settings.database_url, "ingest", size=1)
        try:
            async with pool.acquire() as connection:
                before, started, own = self._stack.cpu(), time.perf_counter(), time.process_time()
                for batch in _batches(events):
                    receipts = [event for _, raw in batch if isinstance(event := parse(raw), Receipt)]
                    await apply_batch(connection, receipts, now=clock.now(), platform_key=key)
                own, elapsed = time.process_time() - own, time.perf_counter() - started
                after = self._stack.cpu()
        finally:
            await pool.close()
        await self._all_applied(events)
        return {
            "applied_per_s": len(events) / elapsed,
            "applied_us": own * 1e6 / len(events),
            "applied_postgres_us": (after["postgres"] - before["postgres"]) * 1e6 / len(events),
        }

    async def _copy(self, message_ids: Sequence[UUID]) -> dict[str, float]:
        """Copy what the receipts wrote, under a tenant that does not exist, a commit per batch."""
        stranger = uuid4()
        copies = [await self._rows(ids, stranger) for ids in _batches(message_ids)]
        async with self._pool.acquire() as connection:
            before, started, own = self._stack.cpu(), time.perf_counter(), time.process_time()
            for tables in copies:
                async with connection.transaction():
                    for table, (columns, records) in tables.items():
                        await connection.copy_records_to_table(table, columns=columns, records=records)
            own, elapsed = time.process_time() - own, time.perf_counter() - started
            after = self._stack.cpu()
        return {
            "applied_per_s": len(message_ids) / elapsed,
            "applied_us": own * 1e6 / len(message_ids),
            "applied_postgres_us": (after["postgres"] - before["postgres"]) * 1e6 / len(message_ids),
        }

    async def _rows(self, ids: Sequence[UUID], tenant_id: UUID) -> dict[str, _Rows]:
        tables: dict[str, _Rows] = {}
        for table, where in _WRITTEN.items():
            rows = await self._pool.fetch(f"SELECT * FROM {table} WHERE {where}", list(ids))
            if len(rows) < len(ids):
                raise WrongAnswers(f"{table} has only {len(rows)} rows of {len(ids)} receipts")
            columns = list(rows[0].keys())
            moved = (dict(row) | {"tenant_id": tenant_id} for row in rows)
            tables[table] = (columns, [tuple(row.values()) for row in moved])
        return tables


def _batches(items: Sequence[Any]) -> list[list[Any]]:
    left = iter(items)
    return list(iter(lambda: list(islice(left, _BATCH)), []))
