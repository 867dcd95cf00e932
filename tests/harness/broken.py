"""
Builds that are broken on purpose, one promise each: what a checker does not fail on, it does not check.

Each is applied inside the child process, before the command runs (`tests.harness.child`).
"""

import asyncio
import contextlib
import hashlib
import math
import os
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

from msgspec import structs

_SERVER_ERROR = 500


def sdk_retries() -> None:
    """A request that had no good answer is repeated, as every AWS SDK does by default."""
    wire = import_module("gateway.carrier.wire").Wire
    sound = wire.exchange

    async def insistent(self: Any, request: bytes, **named: Any) -> Any:
        for _ in range(2):
            with contextlib.suppress(Exception):
                answer = await sound(self, request, **named)
                if answer.status < _SERVER_ERROR:
                    return answer
        return await sound(self, request, **named)

    wire.exchange = insistent


def redis_decides_alone() -> None:
    """The mark is not committed before the call, so a claim that comes back is sent again."""
    handover = import_module("gateway.dispatch.handover")
    sound = handover.mark

    async def uncommitted(connection: Any, ids: Any, **rest: Any) -> Any:
        transaction = connection.transaction()
        await transaction.start()
        try:
            return await sound(connection, ids, **rest)
        finally:
            await transaction.rollback()

    async def no_settle(*_: Any) -> None:
        return None

    handover.mark = uncommitted
    import_module("gateway.lanes.lanes").Lanes.settle = no_settle


def unconditional_mark() -> None:
    """The mark does not look whether the message still waits."""
    mark = import_module("gateway.dispatch.mark")
    condition = "AND q.state = 'queued'"
    assert condition in mark._MARK, "the condition is written in another way now; break it again"
    mark._MARK = mark._MARK.replace(condition, "")


def opt_outs_judged_at_the_accept_alone() -> None:
    """What stands in line leaves, whatever its recipient has said since."""
    mark = import_module("gateway.dispatch.mark")
    asked = "AND EXISTS (SELECT FROM opt_outs o"
    assert asked in mark._MARK, "the opt-out is asked in another way now; break it again"
    mark._MARK = mark._MARK.replace(asked, "AND false AND EXISTS (SELECT FROM opt_outs o")


def old_marks_send() -> None:
    """A worker that stood still after its mark calls all the same."""
    import_module("gateway.dispatch.call")._MARK_IS_FRESH_S = math.inf


def settle_before_mark() -> None:
    """The lease in Redis is given up before Postgres has the mark."""
    handover = import_module("gateway.dispatch.handover").Handover
    sound = handover._hand_over

    async def hasty(self: Any, claimed: Any, **rest: Any) -> None:
        await self._lanes.settle(self._route, [message.message_id for message in claimed])
        await sound(self, claimed, **rest)

    handover._hand_over = hasty


def poison_is_tried_on() -> None:
    """A message that ended its dispatchers is handed to the next one, for ever."""

    async def gladly(*_: Any) -> bool:
        return True

    import_module("gateway.dispatch.handover").Handover._may_try = gladly


def no_drain() -> None:
    """SIGTERM ends the calls under way instead of waiting for them."""

    async def at_once(*_: Any) -> None:
        return None

    import_module("gateway.dispatch.loop").Dispatcher._drain = at_once


def no_audit() -> None:
    """Nobody compares Redis with Postgres; beside another fault, so that this cannot mend it."""

    async def blind(_: Any) -> list[str]:
        return []

    import_module("gateway.lanes.audit").LaneAudit.audit = blind


def unknown_is_resent_at_once() -> None:
    """An attempt nobody answered for is repeated without a wait, whatever the text is."""
    unknown = import_module("gateway.dispatch.unknown")
    sound = unknown.UnknownSweep.__init__

    def impatient(self: Any, *positional: Any, **named: Any) -> None:
        sound(self, *positional, **(named | {"wait": named["wait"] * 0}))

    unknown.UnknownSweep.__init__ = impatient
    unknown.verdict = lambda *, attempt, **_: "resend" if attempt < unknown.MAX_ATTEMPTS else "give_up"


def throttled_is_refused() -> None:
    """AWS's wish for a slower pace ends the message."""
    end = import_module("gateway.carrier.ports").Refused(code="carrier_refused", detail="Throttled.")
    _classified(lambda outcome: end if getattr(outcome, "reason", "") == "throttled" else outcome)


def throttled_blocks_all() -> None:
    """A throttled call keeps its place on the wire until it may be tried again, so lanes share the wait."""
    carrier = import_module("gateway.carrier.lean").LeanCarrier
    sound = carrier.send

    async def stubborn(self: Any, text: Any) -> Any:
        outcome = await sound(self, text)
        if getattr(outcome, "reason", "") == "throttled":
            await asyncio.sleep(5)
        return outcome

    carrier.send = stubborn


def _classified(change: Any) -> None:
    """Change what every call is taken for."""
    carrier = import_module("gateway.carrier.lean").LeanCarrier
    sound = carrier.send

    async def otherwise(self: Any, text: Any) -> Any:
        return change(await sound(self, text))

    carrier.send = otherwise


def unknown_is_retried() -> None:
    """Whatever went wrong is tried again, as a peer does up to 48 times."""
    ports = import_module("gateway.carrier.ports")
    again = ports.NotSent(reason="retry", retry_after_ms=200)
    _classified(lambda outcome: again if isinstance(outcome, ports.Unknown) else outcome)


def not_sent_is_unknown() -> None:
    """A connection that was never made counts as an attempt that may have been taken."""
    ports = import_module("gateway.carrier.ports")
    doubt = ports.Unknown(reason="any")
    _classified(lambda outcome: doubt if isinstance(outcome, ports.NotSent) else outcome)


def epoch_ignored() -> None:
    """A Redis that was emptied or swapped is taken for the one that was filled."""
    lanes = import_module("gateway.lanes.lanes").Lanes
    sound = lanes.claim

    async def trusting(self: Any, *positional: Any, **named: Any) -> Any:
        return structs.replace(await sound(self, *positional, **named), epoch_missing=False)

    async def same(*_: Any) -> bool:
        return True

    lanes.claim, lanes.remembers = trusting, same


def nothing_is_put_back() -> None:
    """Lanes that Redis forgot are declared whole again without what Postgres has queued."""

    async def empty(*_: Any) -> tuple[int, list[Any]]:
        return 0, []

    import_module("gateway.lanes.rebuild")._fill = empty


def everybody_s_turn() -> None:
    """Without Redis each dispatcher goes by the whole rate, as if it were alone."""
    share = import_module("gateway.dispatch.share")
    sound = share.StaticShare.take

    def alone(self: Any, entry: Any, _place: Any, now_us: int) -> bool:
        return sound(self, entry, share.Place(0, 1), now_us)

    share.StaticShare.take = alone


def accepted_before_commit() -> None:
    """The 202 is given while the commit is still under way."""
    group_commit = import_module("gateway.db.group_commit").GroupCommit
    stored = import_module("gateway.intake.commit").Stored
    new_message = import_module("gateway.intake.commit").NewMessage
    sound = group_commit.submit

    async def eager(self: Any, item: Any) -> Any:
        if not isinstance(item, new_message):
            return await sound(self, item)
        _behind(sound(self, item))
        return stored(batch_id=None)

    group_commit.submit = eager


def keys_ignored() -> None:
    """A repeated request is a new one."""
    sending = import_module("gateway.intake.sending").Sending
    sound = sending.send

    async def forgetful(self: Any, scope: Any, request: Any, **_: Any) -> Any:
        return await sound(self, scope, request)

    sending.send = forgetful


def acknowledged_before_commit() -> None:
    """SNS is told that a receipt is stored while its commit is still under way."""
    sns = import_module("gateway.receipts.sns")
    sound = sns.SnsReceiver._store

    async def eager(self: Any, notification: Any) -> Any:
        _behind(sound(self, notification))
        return sns.Answer(outcome="stored")

    sns.SnsReceiver._store = eager


def deleted_on_receipt() -> None:
    """A queue's messages are deleted as soon as they are received."""
    queue = import_module("gateway.receipts.sqs").SqsQueue
    sound = queue.receive

    async def eager(self: Any, **how: Any) -> Any:
        letters = await sound(self, **how)
        if letters:
            await self.delete(letters)
        return letters

    queue.receive = eager


def copies_count() -> None:
    """An event that comes again is another event."""
    event = import_module("gateway.receipts.event")
    sound = event._canonical

    def salted(record: Any) -> Any:
        raw, _ = sound(record)
        return raw, os.urandom(32)

    event._canonical = salted


def last_word_wins() -> None:
    """Whatever comes last is what happened."""
    fold = import_module("gateway.receipts.fold")
    sound = fold.project
    fold.project = lambda _, receipt: sound(None, receipt)


def unknown_is_an_end() -> None:
    """What was closed after 72 hours stays closed, whatever is heard of it later."""
    import_module("gateway.messages.status").MOVES["unknown"] = frozenset()


def settled_once() -> None:
    """A message that was settled is not settled again, whatever its events say by then."""
    state = import_module("gateway.messages.state")
    sound = state._paid

    def once(before: Any, after: Any, balance: Any) -> Any:
        if before.price_final is None:
            return sound(before, after, balance)
        return [], structs.replace(after, price_final=before.price_final)

    state._paid = once


def strays_are_forgotten() -> None:
    """An event that no message claims is acknowledged and thrown away."""

    async def nowhere(*_: Any) -> None:
        return None

    import_module("gateway.receipts.apply").park = nowhere
    import_module("gateway.receipts.batch").park = nowhere


def odd_receipts_raise() -> None:
    """An event that cannot be read is an error of whoever reads it, so that it comes again, and again."""
    reading = import_module("gateway.receipts.reading")

    def strictly(_: Any, reason: str) -> None:
        raise ValueError(reason)

    reading.kept = strictly


def machines_own_clock() -> None:
    """Each process goes by the clock of its machine."""
    clock = import_module("gateway.db.clock").PostgresClock
    clock.now = lambda self: self._machine.now()


def lanes_by_the_wall() -> None:
    """The lanes believe Redis's clock, whatever it said before."""
    lanes, scripts = import_module("gateway.lanes.lanes"), import_module("gateway.lanes.scripts")
    backwards = "if now < last then"
    assert backwards in lanes._CLAIM.text, "a step back is noticed in another way now; break it again"
    for name, script in vars(lanes).copy().items():
        if isinstance(script, scripts.Script):
            text = script.text.replace(backwards, "if false then")
            digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            setattr(lanes, name, structs.replace(script, text=text, digest=digest))


def unbounded_line() -> None:
    """However much waits for a commit, more is taken."""
    group_commit = import_module("gateway.db.group_commit").GroupCommit
    sound = group_commit.__init__

    def endless(self: Any, *positional: Any, **named: Any) -> None:
        sound(self, *positional, **(named | {"queue_size": 10**9}))

    group_commit.__init__ = endless


def no_outbox() -> None:
    """What is committed is pushed, and nothing remembers that it has to be."""
    pushing = import_module("gateway.intake.pushing").LanePusher
    sound = pushing._push

    async def careless(self: Any, batch_id: Any, entries: Any) -> None:
        await self._pool.execute("DELETE FROM outbox_batches WHERE id = $1", batch_id)
        await sound(self, batch_id, entries)

    pushing._push = careless


def tenants_share_a_flow() -> None:
    """Whoever came first is served first, however much he brought."""
    sound = import_module("gateway.lanes.entry").pack_flow
    for name in ("lanes", "pushes"):
        lanes = import_module(f"gateway.lanes.{name}")
        lanes.pack_flow = lambda entry: sound(structs.replace(entry, tenant_id=UUID(int=1)))


def sulking_flusher() -> None:
    """After a lost connection nothing is committed for a minute."""
    group_commit = import_module("gateway.db.group_commit").GroupCommit
    sound = group_commit._resolve_doubt

    async def sulk(self: Any, batch: Any) -> None:
        await sound(self, batch)
        await asyncio.sleep(60)

    group_commit._resolve_doubt = sulk


def delivered_when_leased() -> None:
    """A webhook counts as delivered as soon as a sender has taken it."""
    deliver = import_module("gateway.webhooks.deliver")
    sound = deliver.lease_due

    async def eager(connection: Any, **rest: Any) -> Any:
        leased = await sound(connection, **rest)
        done = "UPDATE webhook_deliveries SET state = 'delivered' WHERE id = ANY($1::uuid[])"
        await connection.execute(done, [each.id for each in leased])
        return leased

    deliver.lease_due = eager


def slow_ones_keep_their_places() -> None:
    """No room of their own for posts that last, and no circuit: a silent receiver holds what it has."""
    import_module("gateway.webhooks.places").SLOW_S = math.inf
    import_module("gateway.webhooks.circuit").OPENS_AFTER = 30_000


def bodies_are_read_whole() -> None:
    """What a receiver says is read to its end, however long that takes."""
    client = import_module("gateway.webhooks.client")

    async def whole(response: Any, _: float) -> str:
        return str(await response.text(errors="replace"))

    client._excerpt = whole


def redirects_are_followed() -> None:
    """As most HTTP clients do."""
    session = import_module("aiohttp").ClientSession
    sound = session.post

    def trusting(self: Any, url: Any, **named: Any) -> Any:
        return sound(self, url, **(named | {"allow_redirects": True}))

    session.post = trusting


def failures_count_as_delivered() -> None:
    """A post that failed is not tried again, and nobody is told."""
    results = import_module("gateway.webhooks.results")
    results._STATES[results.RetryAt] = "delivered"


def provision_forgets() -> None:
    """Each try at a provisioning step has a token of its own and looks for no leftover."""
    run = import_module("gateway.carrier.provision.run")
    run.client_token = lambda *_: f"tg-{uuid4().hex}"

    async def blind(*_: Any, **__: Any) -> None:
        return None

    run.ProvisionRun._leftover_number = blind
    run.ProvisionRun._leftover_pool = blind


def spare_forgets() -> None:
    """Each try to lease a spare number has a token of its own and looks for nothing under its reference."""
    spare = import_module("gateway.carrier.provision.spare_numbers")
    spare.client_token = lambda *_: f"tg-{uuid4().hex}"

    async def blind(*_: Any, **__: Any) -> None:
        return None

    spare.SpareNumbers._tagged = blind


def registration_forgets() -> None:
    """Each try of a step has a token of its own, and looks for nothing that an earlier one made."""
    import_module("gateway.registrations.steps").client_token = lambda *_: f"tg-{uuid4().hex}"
    calls = import_module("gateway.carrier.registrations").AwsRegistrations

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    calls.find_number = calls.find_created = nothing


def each_opens_for_itself() -> None:
    """Whoever finds no connection to Redis opens one, when those who came before have tried."""
    line, turn = import_module("gateway.lanes.redis_line").RedisLine, asyncio.Lock()

    async def in_turn(self: Any) -> Any:
        async with turn:
            return self.open_wire or await self._open()

    line.opened = in_turn


def redis_required() -> None:
    """A send that cannot ask Redis is refused."""

    class Nobody(Exception):
        """Raised by nothing, so whoever looks out for it hears of no Redis that is away."""

    admitting = import_module("gateway.intake.admitting")
    assert "RedisUnavailable" in vars(admitting), "Redis is looked out for elsewhere now; break it again"
    admitting.RedisUnavailable = Nobody


def flusher_forgets() -> None:
    """A batch that cannot be stored is dropped, and whoever waits for it is not told."""
    group_commit = import_module("gateway.db.group_commit").GroupCommit

    async def nothing(*_: Any) -> None:
        return None

    group_commit._store_one_by_one = nothing


def erased_before_its_rows() -> None:
    """An erasure is written down as done when it is begun: what a death leaves, nobody looks for again."""
    erasing = import_module("gateway.insight.erasing")
    sound = erasing.Erasures._erase

    async def hasty(self: Any, tenant_id: UUID, at_once: int) -> bool:
        async with erasing.worker_transaction(self._engine) as session:
            scope = erasing.TenantScope(tenant_id=tenant_id)
            await erasing.erasure.finish(scope, session, now=self._clock.now())
        return bool(await sound(self, tenant_id, at_once))

    erasing.Erasures._erase = hasty


_under_way: set[Any] = set()


def _behind(work: Any) -> None:
    """Let it go on behind the caller's back."""
    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


BROKEN = {
    each.__name__: each
    for each in (
        sdk_retries,
        redis_decides_alone,
        unconditional_mark,
        opt_outs_judged_at_the_accept_alone,
        old_marks_send,
        settle_before_mark,
        poison_is_tried_on,
        no_drain,
        no_audit,
        unknown_is_resent_at_once,
        throttled_is_refused,
        throttled_blocks_all,
        unknown_is_retried,
        not_sent_is_unknown,
        epoch_ignored,
        nothing_is_put_back,
        everybody_s_turn,
        accepted_before_commit,
        keys_ignored,
        acknowledged_before_commit,
        deleted_on_receipt,
        copies_count,
        last_word_wins,
        unknown_is_an_end,
        settled_once,
        strays_are_forgotten,
        odd_receipts_raise,
        machines_own_clock,
        lanes_by_the_wall,
        unbounded_line,
        no_outbox,
        tenants_share_a_flow,
        sulking_flusher,
        delivered_when_leased,
        slow_ones_keep_their_places,
        bodies_are_read_whole,
        redirects_are_followed,
        failures_count_as_delivered,
        each_opens_for_itself,
        redis_required,
        registration_forgets,
        provision_forgets,
        spare_forgets,
        flusher_forgets,
        erased_before_its_rows,
    )
}
