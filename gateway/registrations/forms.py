"""
Forms as AWS describes them today, kept in Postgres for a day.

A form that AWS changes is noticed within that day, and at the latest when a value is put. While AWS does not
answer, yesterday's form is better than none.
"""

from datetime import timedelta
from typing import Any, Final, TypeVar

import msgspec
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control import OpenControl
from gateway.carrier.registrations import AwsRefusal, AwsRegistrations
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from tenants.errors import NotFound
from tenants.registrations.forms import Form, FormType
from tenants.registrations.models import StoredForm
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount

KEPT_FOR: Final = timedelta(hours=24)
_TYPES: Final = "*"
"""Under this name, which no type has, their list is kept."""
_FORM: Final = "registration form"
_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Forms:
    """One per process; any process may refresh what is old."""

    def __init__(self, engine: AsyncEngine, open_control: OpenControl, clock: Clock) -> None:
        self._engine = engine
        self._open = open_control
        self._clock = clock

    async def types(self) -> list[FormType]:
        """
        Return every registration type.

        Raises:
            Unavailable: AWS does not answer and nothing is kept.
        """
        kept = await self._kept(_TYPES, list[FormType])
        if kept is not None and kept[1]:
            return kept[0]
        try:
            async with self._open(await self._account()) as control:
                found = await AwsRegistrations(control).types()
        except AwsRefusal as refusal:
            if kept is None:
                raise Unavailable(refusal.detail) from refusal
            return kept[0]
        await self._keep(_TYPES, found)
        return found

    async def form(self, registration_type: str, *, withdrawn: bool = False) -> Form:
        """
        Return the form of a type.

        Args:
            withdrawn: Whether one that AWS offers no more is wanted, too, as it was: what was registered with
                it outlives it.

        Raises:
            NotFound: AWS has no such type.
            Unavailable: AWS does not answer and nothing is kept.
        """
        if registration_type == _TYPES:
            raise NotFound(_FORM)
        kept = await self._kept(registration_type, Form)
        if kept is not None and kept[1]:
            return kept[0]
        last = kept[0] if withdrawn and kept is not None else None
        if registration_type not in {each.type for each in await self.types()}:
            return _there(last)
        try:
            async with self._open(await self._account()) as control:
                found = await AwsRegistrations(control).form(registration_type)
        except AwsRefusal as refusal:
            if kept is None:
                raise Unavailable(refusal.detail) from refusal
            _log.warning("form_not_refreshed", type=registration_type, error=refusal.detail)
            return kept[0]
        if found is None:
            return _there(last)
        await self._keep(registration_type, found)
        return found

    async def _account(self) -> AwsAccount:
        async with worker_transaction(self._engine) as session:
            known = await senders.accounts(session)
        own = [each for each in known if each.owner_id is None]
        if not own:
            raise Unavailable("no AWS account is known yet; see /v1/admin/aws-accounts")
        return own[0]

    async def _kept(self, registration_type: str, wanted: type[_T]) -> tuple[_T, bool] | None:
        """Return what is kept and whether it is young enough."""
        async with worker_transaction(self._engine) as session:
            row = await session.get(StoredForm, registration_type)
        if row is None:
            return None
        content: Any = row.definition["is"]
        return msgspec.convert(content, wanted), self._clock.now() - row.fetched_at < KEPT_FOR

    async def _keep(self, registration_type: str, found: object) -> None:
        values = {"definition": {"is": msgspec.to_builtins(found)}, "fetched_at": self._clock.now()}
        write = insert(StoredForm).values(type=registration_type, **values)
        async with worker_transaction(self._engine) as session:
            await session.execute(write.on_conflict_do_update(index_elements=["type"], set_=values))


def _there(form: Form | None) -> Form:
    if form is None:
        raise NotFound(_FORM)
    return form
