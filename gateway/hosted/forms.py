"""What visitors do with forms: agree, confirm, prove their phone, and change what they receive."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.api.desk import Desk
from gateway.api.recipients.consenting import order_confirmation, withdraw_and_opt_out
from gateway.api.recipients.opt_out_changing import change, project
from gateway.hosted.visiting import Visit
from gateway.visitor_address import site_of
from tenants.consents import service as consents
from tenants.consents.rules import Method
from tenants.consents.service import NewConsent, Proof
from tenants.optouts import lists
from tenants.optouts import service as opt_outs
from tenants.optouts.service import Change, Origin
from tenants.pages import service as pages
from tenants.pages.settings import PageProgramme

LINK_LIVES: Final = timedelta(minutes=15)
_TYPES: Final = ("otp", "transactional", "promotional")
_BY_PERSON: Final = Origin(source="page", actor="recipient")


async def agree(
    visitor: Visit, desk: Desk, number: str, chosen: Sequence[PageProgramme], method: Method
) -> None:
    """Write down what was ticked; unless the tenant wants it otherwise, the phone is asked by one text."""
    now, settings = desk.services.clock.now(), visitor.site.settings
    async with desk.tenant(visitor.scope) as session:
        asked: list[str] = []
        for each in chosen:
            wanted = _consent(visitor, number, each, method)
            taken = await consents.take(
                visitor.scope, session, visitor.key, wanted, now=now, double_opt_in=settings.double_opt_in
            )
            asked += [each.name] if taken.consent.state == "pending" else []
        if asked:
            await order_confirmation(
                visitor.scope,
                session,
                visitor.key,
                visitor.tenant,
                number=number,
                brand=settings.brand,
                programme=", ".join(asked),
                language=visitor.site.language,
                now=now,
                public_url=desk.public_url,
            )


async def pending(visitor: Visit, desk: Desk, number: str) -> list[str]:
    """Return the names of programmes that wait for the phone's answer."""
    now = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        found = await consents.of_number(visitor.scope, session, visitor.key, number, now=now)
    names = {each.use_case: each.name for each in visitor.site.settings.programmes}
    return [names.get(each.use_case, each.use_case) for each in found if each.state == "pending"]


async def confirm(visitor: Visit, desk: Desk, number: str) -> bool:
    """Confirm what waits; False where nothing does, or a STOP came first."""
    now = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        stands = await opt_outs.lists_of(visitor.scope, session, visitor.key.recipient_hash(number))
        if lists.EVERYTHING in stands:
            return False
        proof = Proof(ip=visitor.address, evidence="signed link")
        taken = await consents.confirm(
            visitor.scope, session, visitor.key, number=number, proof=proof, now=now
        )
    return bool(taken)


async def text_code(visitor: Visit, desk: Desk, number: str) -> None:
    """Text a code to a phone."""
    now, said = desk.services.clock.now(), visitor.site
    async with desk.tenant(visitor.scope) as session:
        code = await pages.new_code(visitor.scope, session, visitor.key, number, now)
        await consents.order_text(
            visitor.scope,
            session,
            visitor.key,
            kind="code",
            number=number,
            words=f"{said.settings.brand}: {said.say('code')} {code}",
            now=now,
            closes_at=now + pages.CODE_LIVES,
        )


async def proves(visitor: Visit, desk: Desk, number: str, guess: str) -> bool:
    """Return whether a guess is the code that was texted to a phone; a wrong one counts for the visitor."""
    now = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        proven = await pages.code_is(visitor.scope, session, visitor.key, number, guess=guess, now=now)
        if not proven:
            await pages.guessed_wrong(visitor.scope, session, visitor.key, site_of(visitor.address), now)
    return proven


async def wanted_now(visitor: Visit, desk: Desk, number: str) -> frozenset[str]:
    """Return the use cases that a phone has agreed to and that no opt-out stops."""
    now = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        found = await consents.of_number(visitor.scope, session, visitor.key, number, now=now)
        stands = await opt_outs.lists_of(visitor.scope, session, visitor.key.recipient_hash(number))
    return frozenset(
        each.use_case
        for each in found
        if each.state == "granted" and not lists.stops(stands, each.message_type)
    )


async def choose(visitor: Visit, desk: Desk, number: str, ticked: Collection[str]) -> None:
    """Grant what was ticked and withdraw what was unticked; the person has shown to hold the phone."""
    now, before = desk.services.clock.now(), await wanted_now(visitor, desk, number)
    offered = visitor.site.settings.programmes
    new = [each for each in offered if each.use_case in ticked and each.use_case not in before]
    gone = [each.use_case for each in offered if each.use_case in before and each.use_case not in ticked]
    changes: list[Change] = []
    async with desk.tenant(visitor.scope) as session:
        for each in new:
            wanted = _consent(visitor, number, each, "web")
            await consents.take(visitor.scope, session, visitor.key, wanted, now=now)
        if gone:
            _, ended = await withdraw_and_opt_out(
                visitor.scope,
                session,
                visitor.key,
                number=number,
                use_cases=gone,
                now=now,
                method="web",
                source="page",
                actor="recipient",
                proof=Proof(ip=visitor.address),
            )
            changes += ended
        stands = await opt_outs.lists_of(visitor.scope, session, visitor.key.recipient_hash(number))
        for name, listed in _moves(stands, {each.type for each in new}):
            changes.append(
                await change(
                    visitor.scope,
                    session,
                    visitor.key,
                    number=number,
                    list_name=name,
                    opted_out=listed,
                    origin=_BY_PERSON,
                )
            )
    await _projected(visitor, desk, changes)


async def stop_all(visitor: Visit, desk: Desk, number: str) -> None:
    """Put a phone on the list of everything, and end all its consents."""
    now: datetime = desk.services.clock.now()
    async with desk.tenant(visitor.scope) as session:
        await consents.withdraw(
            visitor.scope,
            session,
            visitor.key,
            number=number,
            now=now,
            method="web",
            proof=Proof(ip=visitor.address),
            actor="recipient",
        )
        made = await change(
            visitor.scope,
            session,
            visitor.key,
            number=number,
            list_name=lists.EVERYTHING,
            opted_out=True,
            origin=_BY_PERSON,
        )
    await _projected(visitor, desk, [made])


def _moves(stands: Collection[str], types: Collection[str]) -> list[tuple[str, bool]]:
    """Return the lists to leave, and those that take the place of `all`: who joins one wants no other."""
    if not types:
        return []
    leave = [(name, False) for name in (lists.EVERYTHING, *sorted(types)) if name in stands]
    if lists.EVERYTHING not in stands:
        return leave
    return [*leave, *((name, True) for name in _TYPES if name not in types and name not in stands)]


def _consent(visitor: Visit, number: str, programme: PageProgramme, method: Method) -> NewConsent:
    return NewConsent(
        number=number,
        use_case=programme.use_case,
        message_type=programme.type,
        method=method,
        words=visitor.site.disclosures()[programme.use_case],
        proof=Proof(ip=visitor.address),
        actor="recipient",
    )


async def _projected(visitor: Visit, desk: Desk, changes: Sequence[Change]) -> None:
    news = [each for each in changes if each.changed]
    await project(desk.services.opt_out_changed, visitor.scope.tenant_id, news)
