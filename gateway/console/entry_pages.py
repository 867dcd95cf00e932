"""The way in: invitation, password, second factor, and the way out."""

import asyncio
from typing import Final

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.console.errors import SignInNeeded
from gateway.console.pages import go_to
from gateway.console.visit import WAIT, Visit
from tenants.errors import InvalidInput
from tenants.people import invitations, passwords, second_factor, sessions, signing_in, store
from tenants.people.hashing import email_hash
from tenants.people.models import Invitation, Person
from tenants.people.sessions import Stage
from tenants.people.signing_in import Attempt
from tenants.scope import TenantScope

HOME: Final = "/console/onboarding"
_SECOND: Final = "/console/second-factor"
_ENROL: Final = "/console/enrol"
_WRONG: Final = "The address or the password is not right."
_WRONG_CODE: Final = "The code is not right, or it was used already. Wait for the next one."
_UNPROCESSABLE: Final = 422
_GONE: Final = 410


@get("/", include_in_schema=False)
async def get_home(visit: NamedDependency[Visit]) -> Response[str]:
    """Lead to where the visitor belongs."""
    if visit.visitor is not None and visit.visitor.is_operator:
        return go_to("/console/operator")
    return go_to(HOME if visit.visitor is not None else "/console/sign-in")


@get("/invitations/{link:str}", include_in_schema=False)
async def get_invitation(link: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Greet who was invited."""
    row = await _usable(visit, link)
    return _gone(visit) if row is None else await _invitation(visit, link, row)


@post("/invitations/{link:str}", include_in_schema=False)
async def accept_invitation(link: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Make the person, and go on to the second factor."""
    sent, row = await visit.form(), await _usable(visit, link)
    if row is None:
        return _gone(visit)
    key = await visit.site.data_keys.of(row.tenant_id)
    password = sent.get("password", "")
    try:
        passwords.check_password(password, email=invitations.email_of(row, key))
    except InvalidInput as error:
        return await _invitation(visit, link, row, {"password": error.detail})
    if password != sent.get("again", ""):
        return await _invitation(visit, link, row, {"again": "The two are not the same."})
    hashed = await asyncio.to_thread(passwords.hash_password, password)
    now = visit.site.clock.now()
    async with visit.site.transaction() as session:
        person = await invitations.accept(
            session, key, link, password_hash=hashed, pepper=visit.site.pepper, now=now
        )
        if person is None:
            return _gone(visit)
        secret = await sessions.begin(
            session, person, "enrolling", pepper=visit.site.pepper, now=now, instead_of=visit.secret
        )
    return visit.signed_in(secret, _ENROL)


@get("/enrol", include_in_schema=False)
async def get_enrolment(visit: NamedDependency[Visit]) -> Response[str]:
    """Show the second factor's secret, to be scanned."""
    return await _enrolment(visit, await _person_at(visit, "enrolling"))


@post("/enrol", include_in_schema=False)
async def enrol(visit: NamedDependency[Visit]) -> Response[str]:
    """Take the first code; show the recovery codes once."""
    sent, known = await visit.form(), await _person_at(visit, "enrolling")
    site, now = visit.site, visit.site.clock.now()
    key = await site.data_keys.of(known.tenant_id)
    attempt = Attempt(account=str(known.id), network=visit.network())
    async with site.transaction() as session:
        if until := await signing_in.held_until(session, attempt, pepper=site.pepper, now=now):
            return visit.held(await _enrolment(visit, known, WAIT), until)
        person = await store.person(_scope(known), session, known.id, lock=True)
        codes = None
        if person is not None:
            codes = await signing_in.enrol(
                session, person, key, sent.get("code", ""), pepper=site.pepper, now=now
            )
        if person is None or codes is None:
            await signing_in.failed(session, attempt, pepper=site.pepper, now=now)
            return await _enrolment(visit, known, _WRONG_CODE)
        secret = await sessions.begin(
            session, person, "open", pepper=site.pepper, now=now, instead_of=visit.secret
        )
    answer = visit.page("recovery_codes.html", codes=codes, way_on=HOME)
    answer.cookies.append(visit.session_cookie(secret))
    return answer


@get("/sign-in", include_in_schema=False)
async def get_sign_in(visit: NamedDependency[Visit]) -> Response[str]:
    """Ask for address and password."""
    return visit.page("sign_in.html", email="", error="")


@post("/sign-in", include_in_schema=False)
async def sign_in(visit: NamedDependency[Visit]) -> Response[str]:
    """Judge address and password; an unknown address takes as long and reads the same."""
    sent, site, now = await visit.form(), visit.site, visit.site.clock.now()
    email, password = sent.get("email", ""), sent.get("password", "")
    attempt = Attempt(account=email, network=visit.network())
    async with site.transaction() as session:
        held = await signing_in.held_until(session, attempt, pepper=site.pepper, now=now)
        person = await store.person_of(session, email_hash(site.pepper, email))
    if held:
        return visit.held(visit.page("sign_in.html", email=email, error=WAIT), held)
    stored = None if person is None else person.password_hash
    right = await asyncio.to_thread(passwords.is_password, stored, password[: passwords.LONGEST + 1])
    async with site.transaction() as session:
        if until := await signing_in.held_until(session, attempt, pepper=site.pepper, now=now):
            return visit.held(visit.page("sign_in.html", email=email, error=WAIT), until)
        if person is None or not right:
            await signing_in.failed(session, attempt, pepper=site.pepper, now=now)
            return visit.page("sign_in.html", status=_UNPROCESSABLE, email=email, error=_WRONG)
        await signing_in.succeeded(session, attempt, pepper=site.pepper)
        stage: Stage = "enrolling" if person.enrolled_at is None else "second_factor"
        secret = await sessions.begin(
            session, person, stage, pepper=site.pepper, now=now, instead_of=visit.secret
        )
    return visit.signed_in(secret, _ENROL if stage == "enrolling" else _SECOND)


@get("/second-factor", include_in_schema=False)
async def get_second_factor(visit: NamedDependency[Visit]) -> Response[str]:
    """Ask for a code."""
    await _person_at(visit, "second_factor")
    return visit.page("second_factor.html", error="")


@post("/second-factor", include_in_schema=False)
async def take_second_factor(visit: NamedDependency[Visit]) -> Response[str]:
    """Judge a code and open the session."""
    sent, known = await visit.form(), await _person_at(visit, "second_factor")
    site, now = visit.site, visit.site.clock.now()
    key = await site.data_keys.of(known.tenant_id)
    attempt = Attempt(account=str(known.id), network=visit.network())
    async with site.transaction() as session:
        if until := await signing_in.held_until(session, attempt, pepper=site.pepper, now=now):
            return visit.held(visit.page("second_factor.html", error=WAIT), until)
        person = await store.person(_scope(known), session, known.id, lock=True)
        code = sent.get("code", "")
        if person is None or not await signing_in.prove(
            session, person, key, code, pepper=site.pepper, now=now
        ):
            await signing_in.failed(session, attempt, pepper=site.pepper, now=now)
            return visit.page("second_factor.html", status=_UNPROCESSABLE, error=_WRONG_CODE)
        await signing_in.succeeded(session, attempt, pepper=site.pepper)
        secret = await sessions.begin(
            session, person, "open", pepper=site.pepper, now=now, instead_of=visit.secret
        )
    return visit.signed_in(secret, HOME)


@post("/sign-out", include_in_schema=False)
async def sign_out(visit: NamedDependency[Visit]) -> Response[str]:
    """End this browser's session, or all of the person's."""
    sent = await visit.form()
    async with visit.site.transaction() as session:
        if visit.secret is not None:
            await sessions.end(session, visit.secret, pepper=visit.site.pepper)
        scope = None if visit.visitor is None else visit.visitor.scope()
        if sent.get("everywhere") and scope is not None:
            await sessions.end_everywhere(scope, session)
    return visit.signed_out("/console/sign-in")


async def _usable(visit: Visit, link: str) -> Invitation | None:
    async with visit.site.transaction() as session:
        return await invitations.usable(session, link, pepper=visit.site.pepper, now=visit.site.clock.now())


async def _invitation(
    visit: Visit, link: str, row: Invitation, errors: dict[str, str] | None = None
) -> Response[str]:
    key = await visit.site.data_keys.of(row.tenant_id)
    return visit.page(
        "invitation.html",
        status=_UNPROCESSABLE if errors else 200,
        email=invitations.email_of(row, key),
        link=link,
        errors=errors or {},
        shortest=passwords.SHORTEST,
    )


def _gone(visit: Visit) -> Response[str]:
    return visit.page("invitation_gone.html", status=_GONE)


async def _enrolment(visit: Visit, person: Person, error: str = "") -> Response[str]:
    key = await visit.site.data_keys.of(person.tenant_id)
    secret, email = invitations.totp_of(person, key), invitations.email_of(person, key)
    uri = second_factor.enrolment_uri(secret, email=email)
    return visit.page(
        "enrol.html",
        status=_UNPROCESSABLE if error else 200,
        picture=segno.make(uri, error="m").svg_data_uri(scale=5, border=4),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        error=error,
    )


async def _person_at(visit: Visit, stage: Stage) -> Person:
    """Return the person who is at this stage of signing in; others are led to where they belong."""
    visitor = visit.visitor
    if visitor is None or visitor.tenant_id is None or visitor.person_id is None:
        raise SignInNeeded
    if visitor.stage != stage:
        raise SignInNeeded({"enrolling": _ENROL, "second_factor": _SECOND, "open": HOME}[visitor.stage])
    scope = TenantScope(tenant_id=visitor.tenant_id, person_id=visitor.person_id)
    async with visit.site.transaction() as session:
        person = await store.person(scope, session, visitor.person_id)
    if person is None:
        raise SignInNeeded
    return person


def _scope(person: Person) -> TenantScope:
    return TenantScope(tenant_id=person.tenant_id, person_id=person.id)
