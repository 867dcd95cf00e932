"""
The store: one object per account and Region, and the set of them.

Tables are plain dictionaries in order of creation. Whoever changes a record calls ``put`` with it, which is
what journals the change.
"""

from collections.abc import Iterator
from typing import TypeVar

from gateway.emulator.state.journal import Gone, Journal
from gateway.emulator.state.records import OptOutList, Record
from gateway.emulator.state.sns_records import SigningKey
from gateway.emulator.state.traffic_records import Message, StepDone

R = TypeVar("R", bound=Record)

GLOBAL_SCOPE = "emulator"
"""The scope of what belongs to the emulator itself, such as its signing key."""


class Store:
    """Everything that one account owns in one Region."""

    def __init__(self, account: str, region: str, scope: str, journal: Journal) -> None:
        self.account = account
        self.region = region
        self.scope = scope
        self._journal = journal
        self._tables: dict[str, dict[str, Record]] = {}
        self._groups: dict[tuple[str, str], dict[str, Record]] = {}

    def put(self, record: Record) -> None:
        """Keep a record, new or changed."""
        self.load(record)
        self._journal.append(record)

    def load(self, record: Record) -> None:
        """Keep a record that the journal already has."""
        table = type(record).__name__
        self._tables.setdefault(table, {})[record.key] = record
        if record.group:
            self._groups.setdefault((table, record.group), {})[record.key] = record

    def remove(self, record: Record) -> None:
        """Forget a record."""
        table = type(record).__name__
        self._take_out(table, record.key)
        self._journal.append(Gone(scope=self.scope, table=table, gone_key=record.key))

    def forget(self, gone: Gone) -> None:
        """Replay a deletion that the journal already has."""
        self._take_out(gone.table, gone.gone_key)

    def find(self, kind: type[R], key: str) -> R | None:
        """Return a record by key."""
        found = self._tables.get(kind.__name__, {}).get(key)
        return found if isinstance(found, kind) else None

    def all(self, kind: type[R]) -> list[R]:
        """Return every record of a kind, oldest first."""
        return [record for record in self._tables.get(kind.__name__, {}).values() if isinstance(record, kind)]

    def grouped(self, kind: type[R], group: str) -> list[R]:
        """Return the records of a kind that belong to a group, oldest first."""
        members = self._groups.get((kind.__name__, group), {})
        return [record for record in members.values() if isinstance(record, kind)]

    def count(self, kind: type[Record]) -> int:
        """Return how many records of a kind there are."""
        return len(self._tables.get(kind.__name__, {}))

    def oldest(self, kind: type[R]) -> R | None:
        """Return the record of a kind that was created first."""
        first = next(iter(self._tables.get(kind.__name__, {}).values()), None)
        return first if isinstance(first, kind) else None

    def drop(self, record: Record) -> None:
        """Forget a record in memory only; the journal keeps it until it is compacted."""
        self._take_out(type(record).__name__, record.key)

    def keep_only(self, kind: type[Record]) -> None:
        """Forget every record of every other kind, in memory."""
        self._tables = {kind.__name__: self._tables.get(kind.__name__, {})}
        self._groups.clear()

    def _take_out(self, table: str, key: str) -> None:
        record = self._tables.get(table, {}).pop(key, None)
        if record is not None and record.group:
            self._groups[table, record.group].pop(key, None)

    def records(self) -> Iterator[Record]:
        """Yield every record of every table."""
        for table in self._tables.values():
            yield from table.values()


class Stores:
    """The stores of all accounts and Regions, and the journal behind them."""

    def __init__(self, journal: Journal, now_s: float) -> None:
        self.journal = journal
        self._now_s = now_s
        self._by_scope: dict[str, Store] = {}

    def of(self, account: str, region: str) -> Store:
        """Return the store of an account in a Region, with the list ``Default`` that every account has."""
        scope = f"{account}/{region}"
        store = self._by_scope.get(scope)
        if store is None:
            store = self._by_scope[scope] = Store(account, region, scope, self.journal)
            store.load(OptOutList(scope=scope, name="Default", created_s=self._now_s))
        return store

    def emulator(self) -> Store:
        """Return the store of what belongs to the emulator itself."""
        return self._scope(GLOBAL_SCOPE)

    def all(self) -> list[Store]:
        """Return every store that exists."""
        return list(self._by_scope.values())

    def restore(self) -> None:
        """Replay the journal."""
        for record in self.journal.replay():
            self._apply(record)

    def compact(self) -> None:
        """Rewrite the journal without what was superseded or forgotten."""
        self.journal.compact(record for store in self.all() for record in store.records())

    def clear(self) -> None:
        """Forget everything but the signing key."""
        kept = self.emulator()
        kept.keep_only(SigningKey)
        self._by_scope = {GLOBAL_SCOPE: kept}
        self.journal.compact(kept.records())

    def _apply(self, record: Record) -> None:
        store = self._scope(record.scope)
        if isinstance(record, Gone):
            store.forget(record)
        elif isinstance(record, StepDone):
            _mark_done(store, record)
        else:
            store.load(record)

    def _scope(self, scope: str) -> Store:
        if scope == GLOBAL_SCOPE:
            return self._by_scope.setdefault(scope, Store("", "", scope, self.journal))
        account, _, region = scope.partition("/")
        return self.of(account, region)


def _mark_done(store: Store, done: StepDone) -> None:
    message = store.find(Message, done.message_id)
    if message is not None:
        message.steps_done |= 1 << done.step
