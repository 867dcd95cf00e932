"""
Who is behind a request, and the forms that this browser was given.

A form carries a token made from the browser's cookie: the session's, or before there is one a visitor's. A
page of somebody else's cannot know it, and a request that the browser calls cross-site is refused before.
"""

import hmac
import secrets
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request, Response
from litestar.datastructures import Cookie, FormMultiDict

from gateway.console import pages
from gateway.console.errors import ApiRefused, FormRefused, NoSuchPage, SignInNeeded
from gateway.console.ports import Answer
from gateway.console.site import Site
from gateway.visitor_address import site_of, visitor_address
from tenants.people import sessions
from tenants.people.hashing import keyed_hash
from tenants.people.sessions import Visitor
from tenants.scope import TenantScope

SESSION: Final = "tollgate_session"
VISITOR: Final = "tollgate_visitor"
TOKEN: Final = "token"  # noqa: S105 - the field's name
ONCE: Final = "once"

_MOST_FIELDS: Final = 500
_NOT_FOUND: Final = 404
_PATH: Final = "/console"
_OWN_SITE: Final = frozenset({"", "same-origin", "none"})

AnyRequest = Request[Any, Any, Any]
Fields = dict[str, str]


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
        self._refuse_strangers()
        if not self.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise FormRefused
        try:
            text = (await self.request.body()).decode()
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise FormRefused from None
        self._check(fields.get(TOKEN, ""))
        return {name: _cleaned(value) for name, value in fields.items()}

    async def parts(self) -> FormMultiDict:
        """
        Return the fields and files of a form in parts that this browser was given.

        Raises:
            FormRefused: It has not this browser's token, comes from elsewhere, or is in no charset.
        """
        self._refuse_strangers()
        try:
            sent = await self.request.form()
        except (LookupError, ValueError):
            raise FormRefused from None
        self._check(str(sent.get(TOKEN, "")))
        return sent

    def _refuse_strangers(self) -> None:
        if self.request.headers.get("sec-fetch-site", "") not in _OWN_SITE:
            raise FormRefused

    def _check(self, token: str) -> None:
        known = self.secret or self._visitor_secret
        expected = "" if known is None else self._token(known)
        if not expected or not hmac.compare_digest(token.encode(errors="replace"), expected.encode()):
            raise FormRefused

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
