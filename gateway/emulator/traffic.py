"""
Messages on their way: fires each step of an accepted message at its time, and remembers what was delivered.

A message keeps only its next step on the timeline. A step is marked done in the journal when its event has
reached every destination, so what was under way at a crash leaves again at the next start, under the same SNS
MessageId.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable

import msgspec

from gateway.emulator.carrier.dice import Dice
from gateway.emulator.carrier.event_record import event_json, event_type
from gateway.emulator.destinations import EventDesk, Handover, takers_of
from gateway.emulator.state.journal import Journal
from gateway.emulator.state.records import ConfigurationSet
from gateway.emulator.state.store import Store, Stores
from gateway.emulator.state.traffic_records import Message, StepDone
from gateway.emulator.stats import Stats
from gateway.emulator.timeline import Timeline

FLUSH_AFTER_S = 0.05
"""Marks of delivered steps may reach the journal this late; losing one repeats an event, never loses it."""


class TrafficRules(msgspec.Struct, frozen=True):
    """What the traffic of one emulator depends on."""

    seed: int
    retained: int
    """Finished messages kept in memory."""
    price_unit: str


class Traffic:
    """The messages that were accepted and not yet forgotten."""

    def __init__(
        self, timeline: Timeline, desk: EventDesk, journal: Journal, stats: Stats, rules: TrafficRules
    ) -> None:
        self._timeline = timeline
        self._desk = desk
        self._journal = journal
        self._stats = stats
        self._rules = rules
        self._flush_planned = False
        self._sends_to: Counter[str] = Counter()
        self._ring: deque[tuple[Store, Message]] = deque()

    def dice_for(self, destination: str) -> Dice:
        """Return the dice of the next message to a recipient: seed, recipient and how many came before."""
        return Dice(self._rules.seed, "message", destination, self._sends_to[destination])

    def accept(self, store: Store, message: Message, *, hold: bool = False) -> None:
        """Keep an accepted message and let its life begin, unless ``settle_now`` is going to."""
        store.put(message)
        self._remember(store, message)
        if not message.automatic:
            self._stats.accepted_sends += 1
            self._stats.accepted_parts += message.parts
        if not hold:
            self._plan(store, message, 0)

    def restore(self, stores: Stores) -> None:
        """Take up every message of a replayed journal where it was."""
        for store in stores.all():
            for message in store.all(Message):
                self._remember(store, message)
                if not _finished(message):
                    self._take_up(store, message)

    def settle_now(self, store: Store, message: Message) -> asyncio.Future[None]:
        """Fire every step at once; the future is done when all their events are delivered."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        left = len(message.steps)

        def one_done() -> None:
            nonlocal left
            left -= 1
            if left == 0 and not settled.done():
                settled.set_result(None)

        if not message.steps:
            settled.set_result(None)
        for index in range(left):
            self._fire(store, message, index, one_done)
        return settled

    def messages(self) -> deque[tuple[Store, Message]]:
        """Return the retained messages, oldest first."""
        return self._ring

    def clear(self) -> None:
        """Forget every message."""
        self._sends_to.clear()
        self._ring.clear()

    def _take_up(self, store: Store, message: Message) -> None:
        for index in range(len(message.steps)):
            if not message.steps_done >> index & 1:
                self._schedule(store, message, index, follow=False)

    def _remember(self, store: Store, message: Message) -> None:
        self._sends_to[message.destination] += 1
        self._ring.append((store, message))
        while len(self._ring) > self._rules.retained:
            oldest_store, oldest = self._ring[0]
            if not _finished(oldest):
                break
            self._ring.popleft()
            oldest_store.drop(oldest)

    def _plan(self, store: Store, message: Message, index: int) -> None:
        if message.configuration_set is not None and not message.dry_run and index < len(message.steps):
            self._schedule(store, message, index, follow=True)

    def _schedule(self, store: Store, message: Message, index: int, *, follow: bool) -> None:
        due_ms = message.accepted_ms + message.steps[index].offset_ms

        def fire() -> None:
            if follow:
                self._plan(store, message, index + 1)
            if not message.steps_done >> index & 1:
                self._fire(store, message, index, lambda: None)

        self._timeline.at(due_ms, fire)

    def _fire(self, store: Store, message: Message, index: int, done: Callable[[], None]) -> None:
        step = message.steps[index]
        configuration_set = store.find(ConfigurationSet, message.configuration_set or "")
        takers = takers_of(configuration_set, event_type(message, step)) if configuration_set else []
        if not takers:
            message.steps_done |= 1 << index
            done()
            return
        record = event_json(message, step, self._rules.price_unit)
        left = len(takers)

        def handed_over() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self._mark(store, message, index)
                done()

        identity = (message.id, str(step.nonce))
        timestamp_ms = int(message.accepted_ms) + step.offset_ms
        for taker in takers:
            self._desk.hand_over(Handover(store, taker, record, identity, timestamp_ms, handed_over))

    def _mark(self, store: Store, message: Message, index: int) -> None:
        message.steps_done |= 1 << index
        self._journal.append(StepDone(scope=store.scope, message_id=message.id, step=index))
        if not self._flush_planned:
            self._flush_planned = True
            asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        self._journal.flush()


def _finished(message: Message) -> bool:
    if message.configuration_set is None or message.dry_run:
        return True
    return message.steps_done == (1 << len(message.steps)) - 1
