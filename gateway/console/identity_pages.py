"""The way in by an OpenID provider: there, back, and what is said where it does not lead in."""

import hmac
import secrets
from typing import Annotated, Final

import msgspec
import structlog
from cryptography.fernet import InvalidToken
from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from gateway.console.errors import NoSuchPage
from gateway.console.identity import (
    Identity,
    IdentityProvider,
    IdentityRefused,
    IdentityUnreachable,
    Way,
)
from gateway.console.pages import go_to
from gateway.console.visit import Visit
from tenants.people import identities, sessions
from tenants.people.identities import NotLinked
from tenants.people.models import Person

PATH: Final = "/console/identity"
CALLBACK: Final = f"{PATH}/callback"
_COOKIE: Final = "tollgate_identity"
_LIVES_S: Final = 600
_HOME: Final = "/console/onboarding"
_FORBIDDEN: Final = 403
_BAD_GATEWAY: Final = 502
_log = structlog.get_logger(__name__)

_STALE: Final = "This sign-in was begun in another browser, or too long ago. Begin again."
_AWAY: Final = "{name} does not answer as it should. Try again in a moment, or tell your operator."
_REFUSED: Final = "{name} did not confirm who you are. Begin again, or choose another account there."
_WORDS: Final = {
    "gone": "The invitation was used already, has ended, or was taken back. Ask for a new one.",
    "no_email": "{name} does not vouch for an e-mail address of yours. Choose a password instead.",
    "other_email": "The invitation is for another address than the one that {name} vouches for.",
    "unknown": "Nobody was invited with this account of {name}. Follow the link of your invitation first.",
    "taken": "This account of {name} signs in for somebody already, or the address does.",
}


@get("/identity", include_in_schema=False)
async def begin_identity(visit: NamedDependency[Visit], invitation: FromQuery[str] = "") -> Response[str]:
    """Lead to the provider; the browser keeps, sealed, what the answer has to match."""
    provider = _provider(visit)
    way = Way(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        invitation=invitation,
    )
    try:
        address = await provider.address(way)
    except IdentityUnreachable as error:
        _log.warning("identity_provider_unreachable", why=str(error))
        return _said(visit, _AWAY, invitation, status=_BAD_GATEWAY)
    sealed = visit.site.notes.encrypt_at_time(msgspec.json.encode(way), _now(visit)).decode()
    return go_to(address, cookies=[_cookie(visit, sealed, _LIVES_S)])


@get("/identity/callback", include_in_schema=False)
async def end_identity(
    visit: NamedDependency[Visit],
    told: Annotated[str, QueryParameter(name="state")] = "",
    code: FromQuery[str] = "",
    iss: FromQuery[str | None] = None,
    error: FromQuery[str] = "",
) -> Response[str]:
    """Take the provider's answer, once."""
    provider, way = _provider(visit), _way(visit)
    if way is None or not hmac.compare_digest(way.state.encode(), told.encode(errors="replace")):
        return _ended(visit, _said(visit, _STALE, ""))
    if error or not code:
        _log.info("identity_refused", why=error[:100])
        return _ended(visit, _said(visit, _REFUSED, way.invitation))
    try:
        found = await provider.identity(code, way, issuer=iss)
    except IdentityRefused as refusal:
        _log.warning("identity_refused", why=str(refusal))
        return _ended(visit, _said(visit, _REFUSED, way.invitation))
    except IdentityUnreachable as away:
        _log.warning("identity_provider_unreachable", why=str(away))
        return _ended(visit, _said(visit, _AWAY, way.invitation, status=_BAD_GATEWAY))
    return _ended(visit, await _come_in(visit, way, found))


async def _come_in(visit: Visit, way: Way, found: Identity) -> Response[str]:
    site, now = visit.site, visit.site.clock.now()
    hashed = identities.identity_hash(site.pepper, found.issuer, found.subject)
    async with site.transaction() as session:
        person: Person | NotLinked
        if way.invitation:
            person = await identities.accept(
                session, way.invitation, identity=hashed, email=found.email, key_of=site.data_keys.of,
                pepper=site.pepper, now=now,
            )  # fmt: skip
        else:
            person = await identities.sign_in(session, hashed)
        if not isinstance(person, Person):
            return _said(visit, _WORDS[person], way.invitation)
        secret = await sessions.begin(
            session, person, "open", pepper=site.pepper, now=now, instead_of=visit.secret
        )
    return visit.signed_in(secret, _HOME)


def _provider(visit: Visit) -> IdentityProvider:
    if visit.site.identity is None:
        raise NoSuchPage
    return visit.site.identity


def _way(visit: Visit) -> Way | None:
    """Return what this browser was sent away with."""
    sealed = visit.request.cookies.get(_COOKIE, "")
    try:
        opened = visit.site.notes.decrypt_at_time(sealed.encode(errors="replace"), _LIVES_S, _now(visit))
        return msgspec.json.decode(opened, type=Way)
    except (InvalidToken, msgspec.DecodeError):
        return None


def _said(visit: Visit, words: str, invitation: str, *, status: int = _FORBIDDEN) -> Response[str]:
    return visit.page(
        "identity_refused.html",
        status=status,
        detail=words.format(name=_provider(visit).terms.name),
        way_on=f"/console/invitations/{invitation}" if invitation else "/console/sign-in",
    )


def _ended(visit: Visit, answer: Response[str]) -> Response[str]:
    """An answer of the provider is looked at once."""
    answer.cookies.append(_cookie(visit, "", 0))
    return answer


def _cookie(visit: Visit, value: str, lives_s: int) -> Cookie:
    return Cookie(
        key=_COOKIE,
        value=value,
        path=PATH,
        max_age=lives_s,
        httponly=True,
        secure=visit.site.https,
        samesite="lax",
    )


def _now(visit: Visit) -> int:
    return int(visit.site.clock.now().timestamp())
