"""
Bringing a tenant's files in, each row by itself: a good one counts whatever stands beside it.

Nothing is taken twice, and nothing of here is undone by a file of there: an opt-out never ends, a consent
that was withdrawn does not come back, a template that says something else stays.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.moving.files import TemplateRow, VolumeRow, read_templates, read_volumes
from gateway.api.moving.report import FileName, MigrationRow, Outcome, in_order
from gateway.api.recipients.consent_files import COLUMNS as CONSENT_COLUMNS
from gateway.api.recipients.consent_files import MAX_ROWS as MOST_CONSENTS
from gateway.api.recipients.consent_files import consent_row
from gateway.api.recipients.opt_out_changing import opt_out_all
from gateway.api.recipients.opt_out_files import WantedOptOut, read_opt_outs
from gateway.api.recipients.opt_out_names import known_lists
from gateway.api.row_files import RowFault, read_rows
from gateway.api.template_events import decision_event
from gateway.webhooks.announcements import announce
from tenants.accounts.models import Tenant
from tenants.accounts.sealing import DataKey
from tenants.consents import service as consents
from tenants.consents.service import NewConsent
from tenants.errors import InvalidInput, InvalidInputs
from tenants.moves import service
from tenants.moves.plan import MovedNumber
from tenants.optouts.service import Change, Wish
from tenants.recipient_turns import take_for_file
from tenants.scope import TenantScope
from tenants.templates import service as templates
from tenants.templates import store as template_store

_WITHDRAWN: Final = "withdrawn"
_HERE_OTHERWISE: Final = "a template of this name says something else here; edit it, or name this one anew"


class _ConsentRow(Struct, frozen=True, kw_only=True):
    line: int
    consent: NewConsent


class Moving:
    """One tenant's files in one transaction of the operator's."""

    def __init__(
        self, scope: TenantScope, session: AsyncSession, key: DataKey, tenant: Tenant, *, now: datetime
    ) -> None:
        self._scope = scope
        self._session = session
        self._key = key
        self._tenant = tenant
        self._now = now
        self.changes: list[Change] = []
        """Opt-outs that are news, for admission's copy."""

    async def opt_outs(self, text: str, provider: str) -> list[MigrationRow]:
        """Take opt-outs; before everything else, so that nothing reaches who said no."""
        read = read_opt_outs(text, await known_lists(self._scope, self._session))
        wishes = [
            Wish(number=row.number, list_name=row.list_name, note=row.note or f"from {provider}")
            for row in read.rows
            if row.opted_out
        ]
        await take_for_file(self._scope, self._session)
        made = await opt_out_all(self._scope, self._session, self._key, wishes, source="csv")
        self.changes.extend(made)
        news = {(each.list_name, each.recipient_hash) for each in made}
        return in_order("opt_outs", read, [self._opt_out(row, news) for row in read.rows])

    async def consents(self, text: str) -> list[MigrationRow]:
        """Take consents that nobody has withdrawn here."""

        def row(line: int, cells: dict[str, str]) -> _ConsentRow | RowFault:
            found = consent_row(line, cells, self._now)
            return found if isinstance(found, RowFault) else _ConsentRow(line=line, consent=found)

        read = read_rows(text, CONSENT_COLUMNS, row, most=MOST_CONSENTS)
        await take_for_file(self._scope, self._session)
        return in_order("consents", read, [await self._consent(each) for each in read.rows])

    async def templates(self, text: str) -> list[MigrationRow]:
        """Take texts as templates, and hand them in for approval as far as the linter lets them."""
        read = read_templates(text)
        return in_order("templates", read, [await self._template(row) for row in read.rows])

    async def volumes(self, text: str) -> list[MigrationRow]:
        """Take what the provider's reports say."""
        read = read_volumes(text)
        return in_order("volumes", read, [await self._volume(row) for row in read.rows])

    async def numbers(self, inventory: Sequence[MovedNumber]) -> None:
        """Keep the inventory, with what came of each sender so far."""
        for number in inventory:
            await service.note_number(self._scope, self._session, number)
            if number.state == "done":
                await service.mark(self._scope, self._session, number.value, "done")

    def _opt_out(self, row: WantedOptOut, news: set[tuple[str, bytes]]) -> MigrationRow:
        """Return what became of a row; the first that names a recipient takes its news away."""
        if not row.opted_out:
            detail = "a file opts nobody in: only the person can, with START or on a page"
            return _row("opt_outs", row.line, "refused", detail)
        place = (row.list_name, self._key.recipient_hash(row.number))
        if place not in news:
            return _row("opt_outs", row.line, "known", "is opted out")
        news.remove(place)
        return _row("opt_outs", row.line, "new", f"opted out of {row.list_name}")

    async def _consent(self, row: _ConsentRow) -> MigrationRow:
        wanted = row.consent
        known = await consents.of_number(self._scope, self._session, self._key, wanted.number, now=self._now)
        state = next((each.state for each in known if each.use_case == wanted.use_case), None)
        if state == _WITHDRAWN:
            return _row(
                "consents", row.line, "refused", "it was withdrawn here; only the person can give it anew"
            )
        if state is not None:
            return _row("consents", row.line, "known", f"is {state}")
        await consents.take(self._scope, self._session, self._key, wanted, now=self._now)
        return _row("consents", row.line, "new", f"granted for {wanted.use_case}")

    async def _template(self, row: TemplateRow) -> MigrationRow:
        found = await template_store.named(self._scope, self._session, row.name)
        if found is not None:
            view = await templates.get(self._scope, self._session, found.id)
            same = any(each.body == row.wording.body for each in view.versions)
            return _row(
                "templates", row.line, *(("known", "is here") if same else ("refused", _HERE_OTHERWISE))
            )
        try:
            async with self._session.begin_nested():
                made = await templates.create(self._scope, self._session, name=row.name, wording=row.wording)
        except InvalidInput as error:
            column = error.field.removeprefix("/").partition("/")[0]
            return MigrationRow(
                file="templates", line=row.line, outcome="faulty", detail=error.detail, column=column
            )
        try:
            async with self._session.begin_nested():
                submitted = await templates.submit(
                    self._scope, self._session, made.template.id, now=self._now
                )
        except InvalidInputs as error:
            return _row("templates", row.line, "by_hand", f"kept as a draft: {error.detail}")
        if submitted.latest.state == "approved":
            told = decision_event(submitted, submitted.latest)
            await announce(self._scope, self._session, "template.approved", told)
        return _row("templates", row.line, "new", f"is {submitted.latest.state}")

    async def _volume(self, row: VolumeRow) -> MigrationRow:
        news = await service.note_volume(self._scope, self._session, row.country, row.volume)
        allowed = row.country in self._tenant.countries
        detail = "planned" if allowed else "planned; not among the tenant's countries yet"
        return _row("volumes", row.line, "new" if news else "known", detail)


def _row(file: FileName, line: int, outcome: Outcome, detail: str) -> MigrationRow:
    return MigrationRow(file=file, line=line, outcome=outcome, detail=detail)
