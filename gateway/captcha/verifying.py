"""
Asks the provider whether a token is a person's. Whatever is not a clear yes is a no.

A token counts once and for some minutes; the provider keeps count of that. Nothing is kept here.
"""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Literal

import aiohttp
import msgspec
import structlog
from msgspec import Struct

from gateway.captcha.providers import PROVIDERS, ProviderName, Widget
from gateway.errors import BodyTooLong
from gateway.telemetry import metrics
from gateway.whole_body import whole_body

Verdict = Literal["human", "refused", "unavailable"]
"""`unavailable` where the provider did not say: also a no, but a later try may help."""

DEADLINE_S: Final = 5.0
_AT_ONCE: Final = 32
_LONGEST_TOKEN: Final = 16_384
"""reCAPTCHA's, the longest, have some 2,000 characters."""
_LONGEST_ANSWER: Final = 64 * 1024
_OK: Final = 200
_OUR_FAULT: Final = frozenset(
    {"missing-input-secret", "invalid-input-secret", "bad-request", "sitekey-secret-mismatch"}
)
"""What the provider says when the operator's settings are wrong, whoever fills in the form."""
_log = structlog.get_logger(__name__)


class _Said(Struct, frozen=True, kw_only=True):
    """The provider's answer; what else stands in it is of no matter here."""

    success: bool
    errors: tuple[str, ...] = msgspec.field(name="error-codes", default=())


class Captcha:
    """One per web process; made by `open_captcha`."""

    def __init__(
        self, http: aiohttp.ClientSession, *, provider: ProviderName, site_key: str, secret: str, url: str
    ) -> None:
        self._http = http
        self._provider = provider
        self._secret = secret
        self._url = url
        self.widget = Widget(provider=PROVIDERS[provider], site_key=site_key)

    async def judge(self, token: str, address: str) -> Verdict:
        """
        Return whether a person made the token; never raises, so that a form is refused and not broken.

        Args:
            address: Of the visitor; told to the provider where it is one.
        """
        verdict: Verdict = "refused"
        if token and len(token) <= _LONGEST_TOKEN:
            verdict = await self._ask(token, address)
        metrics.CAPTCHA_VERDICTS.labels(provider=self._provider, verdict=verdict).inc()
        return verdict

    async def _ask(self, token: str, address: str) -> Verdict:
        form = {"secret": self._secret, "response": token} | _address(address)
        try:
            async with asyncio.timeout(DEADLINE_S):
                said = await self._post(form)
        except (
            aiohttp.ClientError,
            BodyTooLong,
            TimeoutError,
            OSError,
            ValueError,
            msgspec.DecodeError,
        ) as error:
            _log.warning("captcha_unavailable", provider=self._provider, error=type(error).__name__)
            return "unavailable"
        if said.success:
            return "human"
        if _OUR_FAULT.intersection(said.errors):
            _log.error("captcha_misconfigured", provider=self._provider, codes=list(said.errors))
            return "unavailable"
        return "refused"

    async def _post(self, form: dict[str, str]) -> _Said:
        async with self._http.post(self._url, data=form, allow_redirects=False) as answer:
            body = await whole_body(answer.content, _LONGEST_ANSWER)
            if answer.status != _OK and b"error-codes" not in body:
                raise ValueError(f"the provider answered {answer.status}")
            return msgspec.json.decode(body, type=_Said)


@asynccontextmanager
async def open_captcha(
    *, provider: ProviderName, site_key: str, secret: str, verify_url: str | None = None
) -> AsyncGenerator[Captcha]:
    """
    Yield the check of forms and close its connections afterwards.

    Args:
        verify_url: Another `siteverify` than the provider's own, such as a relay of the operator.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_AT_ONCE),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        headers={"User-Agent": "Tollgate-Forms/1"},
    ) as http:
        url = verify_url or PROVIDERS[provider].verify_url
        yield Captcha(http, provider=provider, site_key=site_key, secret=secret, url=url)


def _address(address: str) -> dict[str, str]:
    try:
        return {"remoteip": str(ipaddress.ip_address(address))}
    except ValueError:
        return {}
