"""
Who is behind a request, and the forms that this browser was given.

A form carries a token made from the browser's cookie: the session's, or before there is one a visitor's. A
page of somebody else's cannot know it, and a request that the browser calls cross-site is refused before.

What a person has written outlives the session: the form is handed back, to be sent again by whoever signs in.
"""

import hmac
import math
import secrets
from datetime import datetime
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import Cookie, UploadFile
from msgspec import Struct

from gateway.console import pages
from gateway.console.errors import ApiRefused, FormRefused, HandedBack, NoSuchPage, SignInNeeded
from gateway.console.ports import Answer
from gateway.console.site import Site
from gateway.form_body import fields_of, is_url_encoded
from gateway.visitor_address import site_of, visitor_address
from tenants.people import sessions
from tenants.people.hashing import keyed_hash
from tenants.people.sessions import Visitor
from tenants.scope import TenantScope

SESSION: Final = "tollgate_session"
VISITOR: Final = "tollgate_visitor"
TOKEN: Final = "token"  # noqa: S105 - the field's name
ONCE: Final = "once"

_NOT_FOUND: Final = 404
_PATH: Final = "/console"
_SAME_ORIGIN: Final = "same-origin"
_OWN_SITE: Final = frozenset({"", _SAME_ORIGIN, "none"})
_OPERATORS: Final = f"{_PATH}/operator"
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
WAIT: Final = "Too many attempts. Wait a few minutes and try again."
"""What a page says that `held` answers with."""

AnyRequest = Request[Any, Any, Any]
Fields = dict[str, str]


class Parts(Struct, frozen=True, kw_only=True):
    """What a form with files brought."""

    fields: Fields
    files: dict[str, UploadFile]
    """By field; where no file was chosen there is none."""


class Visit:
    """One request to the console."""

    def __init__(self, site: Site, request: AnyRequest, visitor: Visitor | None) -> None:
        self.site = site
        self.request = request
        self.visitor = visitor
        self.secret = request.cookies.get(SESSION) if visitor is not None else None
        self._visitor_secret = request.cookies.get(VISITOR)
        self._fresh_visitor: str | None = None

    def network(self) -> str:
        """Return who asks, as limits count; of what is forwarded, what trusted proxies added counts."""
        client = self.request.client
        forwarded = self.request.headers.getall("x-forwarded-for", [])
        peer = None if client is None else client.host
        return site_of(visitor_address(peer, forwarded, self.site.trusted_proxies))

    def scope(self) -> TenantScope:
        """
        Return the tenant that the person speaks for.

        Raises:
            SignInNeeded: Nobody is signed in as a person.
        """
        scope = None if self.visitor is None else self.visitor.scope()
        if scope is None:
            raise SignInNeeded
        return scope

    def operator(self) -> None:
        """
        Let the operator through.

        Raises:
            SignInNeeded: Somebody else, or nobody, is signed in.
        """
        if self.visitor is None or not self.visitor.is_operator:
            raise SignInNeeded("/console/operator/sign-in")

    async def ask(self, method: str, path: str, body: Any = None, *, once: str | None = None) -> Answer:
        """Ask the API in the person's name."""
        return _there(await self.site.ask(method, path, body, scope=self.scope(), once=once))

    async def ask_as_operator(
        self, method: str, path: str, body: Any = None, *, once: str | None = None
    ) -> Answer:
        """Ask the API in the operator's name."""
        self.operator()
        return _there(await self.site.ask(method, path, body, scope=None, once=once))

    async def read(self, path: str) -> Any:
        """
        Return what the API holds of the person's tenant.

        Raises:
            ApiRefused: It said no.
        """
        return needed(await self.ask("GET", path))

    async def form(self) -> Fields:
        """
        Return the fields of a form that this browser was given.

        Raises:
            FormRefused: It has not this browser's token, or comes from elsewhere.
        """
        fields = await self._fields()
        if not self._is_of(fields, self.secret or self._visitor_secret):
            raise FormRefused
        return fields

    async def written(self) -> Fields:
        """
        Return the fields of a form that who is signed in has written.

        Raises:
            HandedBack: Its session has ended, or another has begun since; it goes back with what is in it.
            SignInNeeded: Nobody is signed in, and the browser does not say whose form it is.
            FormRefused: It has not this browser's token, or comes from elsewhere.
        """
        fields = await self._fields()
        self._check_written(fields)
        return fields

    async def parts(self) -> Parts:
        """
        Return the fields and files of a form that who is signed in has written.

        Raises:
            HandedBack, SignInNeeded: As of `written`; files have to be chosen again.
            FormRefused: It has not this browser's token, comes from elsewhere, or is in no charset.
        """
        if is_url_encoded(self._content_type()):
            return Parts(fields=await self.written(), files={})
        self._refuse_strangers()
        try:
            sent = list((await self.request.form()).multi_items())
        except (LookupError, ValueError):
            raise FormRefused from None
        fields = {name: _cleaned(value) for name, value in sent if isinstance(value, str)}
        self._check_written(fields)
        files = {name: each for name, each in sent if isinstance(each, UploadFile) and each.filename}
        return Parts(fields=fields, files=files)

    async def _fields(self) -> Fields:
        self._refuse_strangers()
        if not is_url_encoded(self._content_type()):
            raise FormRefused
        try:
            fields = fields_of(await self.request.body())
        except ValueError:
            raise FormRefused from None
        return {name: _cleaned(value) for name, value in fields}

    def _content_type(self) -> str:
        return self.request.headers.get("content-type", "")

    def _refuse_strangers(self) -> None:
        if self.request.headers.get("sec-fetch-site", "") not in _OWN_SITE:
            raise FormRefused

    def _check_written(self, fields: Fields) -> None:
        """A form that was handed back to who was not signed in has the visitor's token."""
        at_home = self._is_at_home()
        if at_home and (self._is_of(fields, self.secret) or self._is_of(fields, self._visitor_secret)):
            return
        way_in = self._way_in()
        if self.request.headers.get("sec-fetch-site") != _SAME_ORIGIN:
            raise FormRefused if at_home else SignInNeeded(way_in)
        kept = {name: text for name, text in fields.items() if name != TOKEN}
        page = self.page("handed_back.html", status=_FORBIDDEN, kept=kept, at_home=at_home, way_in=way_in)
        raise HandedBack(page)

    def _is_at_home(self) -> bool:
        """Whether who is signed in may send forms to this address."""
        if self.visitor is None:
            return False
        return self.visitor.is_operator if self._is_operators() else self.visitor.scope() is not None

    def _is_operators(self) -> bool:
        return self.request.url.path.startswith(_OPERATORS)

    def _way_in(self) -> str:
        return f"{_OPERATORS}/sign-in" if self._is_operators() else f"{_PATH}/sign-in"

    def _is_of(self, fields: Fields, known: str | None) -> bool:
        expected = "" if known is None else self._token(known)
        given = fields.get(TOKEN, "").encode(errors="replace")
        return bool(expected) and hmac.compare_digest(given, expected.encode())

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response[str]:
        """Return a page; forms on it find `token` and a fresh `once`."""
        shown = {
            "token": self._form_token(),
            "once": secrets.token_urlsafe(18),
            "signed_in": self.visitor is not None and self.visitor.stage == "open",
            "is_operator": self.visitor is not None and self.visitor.is_operator,
            "path": self.request.url.path,
            "identity_name": None if self.site.identity is None else self.site.identity.terms.name,
            "now": self.site.clock.now(),
            **values,
        }
        fresh = self._fresh_visitor
        cookies = [] if fresh is None else [self.cookie(VISITOR, fresh)]
        return pages.page(template, shown, status=status, cookies=cookies)

    def held(self, page: Response[str], until: datetime) -> Response[str]:
        """Return a page as the answer to an attempt that comes too soon."""
        page.status_code = _TOO_MANY
        page.headers["Retry-After"] = str(math.ceil((until - self.site.clock.now()).total_seconds()))
        return page

    def signed_in(self, secret: str, path: str) -> Response[str]:
        """Return the way on with a new session's cookie."""
        return pages.go_to(path, cookies=[self.session_cookie(secret)])

    def signed_out(self, path: str) -> Response[str]:
        """Return the way on without a session."""
        gone = Cookie(key=SESSION, value="", path=_PATH, max_age=0, httponly=True, samesite="lax")
        return pages.go_to(path, cookies=[gone])

    def session_cookie(self, secret: str) -> Cookie:
        """Return the cookie of a session; it ends with the browser, the session itself sooner."""
        return self.cookie(SESSION, secret)

    def cookie(self, name: str, value: str) -> Cookie:
        """Return a cookie that scripts cannot read and other sites' forms do not send."""
        return Cookie(
            key=name, value=value, path=_PATH, httponly=True, secure=self.site.https, samesite="lax"
        )

    def _form_token(self) -> str:
        if self.secret is not None:
            return self._token(self.secret)
        if self._visitor_secret is None:
            self._visitor_secret = self._fresh_visitor = secrets.token_urlsafe(18)
        return self._token(self._visitor_secret)

    def _token(self, known: str) -> str:
        return keyed_hash(self.site.pepper, "form", known).hex()


def needed(answer: Answer) -> Any:
    """
    Return the body of an answer that has to be good.

    Raises:
        ApiRefused: It is not.
    """
    if not answer.good:
        raise ApiRefused(answer)
    return answer.body


def is_version(text: str) -> bool:
    """Whether a form's field is a version that the API gave."""
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - fits an integer of Postgres


async def begin_visit(site: Site, request: AnyRequest) -> Visit:
    """Return the visit of a request."""
    secret = request.cookies.get(SESSION)
    visitor = None
    if secret:
        async with site.transaction() as session:
            visitor = await sessions.visitor(session, secret, pepper=site.pepper, now=site.clock.now())
    return Visit(site, request, visitor)


def _there(answer: Answer) -> Answer:
    if answer.status == _NOT_FOUND:
        raise NoSuchPage
    return answer


def _cleaned(value: str) -> str:
    """Browsers send line ends as two characters; no answer holds a NUL."""
    return value.replace("\r\n", "\n").replace("\x00", "").strip()
