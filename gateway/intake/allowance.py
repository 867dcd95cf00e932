"""
Which sends of a batch a tenant's bundle pays for.

The allowance of a month is a counter that cannot be overrun. A batch first takes it for granted that all of
each tenant's sends are covered, or that none is, as the last batch left it; its one statement holds that to
be true and breaks where it is not. Then the batch is decided send by send under the counter's lock, and a
send may be covered in part.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import structs

from gateway.intake.new_message import NewMessage
from tenants.budgets.budget import PLATFORM, Count
from tenants.budgets.counting import Counter, CounterKey
from tenants.credits.rates import bundles

_MOST: Final = 10_000


class Guesses:
    """Allowances that were last seen used up; a wrong guess costs time and never money."""

    def __init__(self) -> None:
        self._spent: set[CounterKey] = set()

    def is_spent(self, allowance: Count) -> bool:
        """Return whether nothing of it was left when it was last seen."""
        return allowance.key in self._spent

    def learn(self, allowances: Iterable[Count], counters: Mapping[CounterKey, Counter]) -> None:
        """Keep what a batch found under the counters' locks."""
        for allowance in allowances:
            if counters[allowance.key].used < allowance.cap:
                self._spent.discard(allowance.key)
                continue
            if len(self._spent) >= _MOST:
                self._spent.clear()
            self._spent.add(allowance.key)


def guessed(batch: Sequence[NewMessage], guesses: Guesses) -> Sequence[NewMessage] | None:
    """
    Return the batch, each send covered wholly or not at all.

    None where its plans disagree, and where a send is then dearer than it may be: it may be covered in part.
    """
    caps = {(message.bundle.key, message.bundle.cap) for message in batch if message.bundle is not None}
    if len({key for key, _ in caps}) != len(caps):
        return None
    tried = batch if not caps else [covered(message, _guess(message, guesses)) for message in batch]
    return None if any(message.too_dear for message in tried) else tried


def _guess(message: NewMessage, guesses: Guesses) -> int:
    return 0 if message.bundle is None or guesses.is_spent(message.bundle) else message.bundle.amount


def covered(message: NewMessage, included: int) -> NewMessage:
    """Return a send of which the bundle covers so much; only the rest has a price and counts in budgets."""
    if message.bundle is None or not included:
        return message
    price = bundles.overage(message.price_estimated, units=message.bundle.amount, included=included)
    return structs.replace(
        message, price_estimated=price, included=included, counts=counted(message.counts, price)
    )


def counted(counts: Iterable[Count], price: int) -> tuple[Count, ...]:
    """Return what counts against budgets of a send whose overage costs so much; AWS's price stays whole."""
    changed = (c if c.owner == PLATFORM else structs.replace(c, amount=price) for c in counts)
    return tuple(c for c in changed if c.amount)


def coverable(message: NewMessage, counters: Mapping[CounterKey, Counter]) -> int:
    """Return how much of a send its bundle still covers."""
    if message.bundle is None:
        return 0
    allowance = message.bundle
    return bundles.drawn(units=allowance.amount, allowance=allowance.cap, used=counters[allowance.key].used)


def take(message: NewMessage, counters: Mapping[CounterKey, Counter]) -> None:
    """Draw what a stored send was given."""
    if message.bundle is not None:
        counters[message.bundle.key].used += message.included


def drawn_counts(messages: Iterable[NewMessage]) -> Iterable[Count]:
    """Yield what the sends draw on their allowances."""
    for message in messages:
        if message.bundle is not None and message.included:
            yield structs.replace(message.bundle, amount=message.included)


def undrawn(messages: Iterable[NewMessage]) -> Iterable[Count]:
    """Yield the allowances of which sends drew nothing."""
    return (m.bundle for m in messages if m.bundle is not None and not m.included)
