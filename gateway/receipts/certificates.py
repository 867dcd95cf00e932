"""
The certificates that SNS signs with: which URLs may be fetched, what a certificate must be, and how often
we ask.

The URL comes from the very message that is to be proven, so it is a stranger's word. It is accepted only in
one exact form (`CertificateUrls`): AWS's own pattern for the host also fits an S3 bucket that anybody can
create (`sns.s3-us-west-2.amazonaws.com`).

What makes a certificate AWS's: it was fetched over verified TLS from exactly AWS's host, without redirects;
it is within its dates; it names SNS; Amazon's authority issued it. The chain to a root is *not* built: AWS
publishes the leaf alone, and fetching the links it names would be more requests of a stranger's choosing
for a proof that TLS has already given.

Nobody can make us fetch without end: one fetch per URL at a time, failures remembered, and a budget over
all URLs.
"""

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID
from msgspec import Struct

from gateway.clock import Clock
from gateway.errors import BodyTooLong, ConfigurationError
from gateway.whole_body import whole_body

MAX_CERTIFICATE_BYTES: Final = 16 * 1024
FETCH_DEADLINE_S: Final = 5.0
MIN_KEY_BITS: Final = 2048
MAX_KEY_BITS: Final = 4096
"""Verification time grows with the square of the key."""
MAX_CERTIFICATES: Final = 32
MAX_REFUSALS: Final = 256
REFUSED_FOR: Final = timedelta(minutes=10)
"""A wrong certificate stays wrong."""
UNAVAILABLE_FOR: Final = timedelta(seconds=10)
"""A failed fetch may work soon; SNS tries again after 20 s."""
FETCHES_PER_MINUTE: Final = 20
"""AWS changes its certificate about once a year in each Region."""

_OK: Final = 200
_PATH: Final = re.compile(r"/SimpleNotificationService-[0-9a-f]{32}\.pem")
_REGION: Final = re.compile(r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]{1,2}")
_ORIGIN: Final = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?")
_ISSUERS: Final = frozenset({"Amazon", "DigiCert Inc"})
"""Amazon Trust Services; the partitions outside the commercial one buy theirs."""

KeyFault = Literal["certificate_url", "certificate_unavailable", "certificate_untrusted"]


class NoKey(Struct, frozen=True, kw_only=True, tag="no_key"):
    """There is no key to check with; `certificate_unavailable` alone may pass with time."""

    reason: KeyFault
    detail: str


Fetch = Callable[[str], Awaitable[bytes]]
"""Returns the body at a URL that was checked before. Raises FetchError."""


class FetchError(Exception):
    """The certificate could not be had this time."""


class CertificateUrls:
    """Which URLs may be fetched: SNS's own in the given Regions, and the exact origins of emulators."""

    def __init__(self, *, regions: Iterable[str], origins: Iterable[str] = ()) -> None:
        self._hosts = _hosts(_region(region) for region in regions)
        self._emulators = frozenset(_origin(origin) for origin in origins)

    def allow(self, regions: Iterable[str]) -> None:
        """
        Allow the Regions of accounts, too, which are known only once Postgres is read.

        What is not the name of a Region is passed over: an account's row must not stop everybody's receipts.
        """
        self._hosts |= _hosts(region for region in regions if _REGION.fullmatch(region))

    def origin_of(self, url: str) -> str | None:
        """Return the origin of an allowed URL, else None; the whole text counts: no port, user or query."""
        slash = url.find("/", url.find("//") + 2)
        origin, path = url[:slash], url[slash:]
        if slash < 0 or not _PATH.fullmatch(path):
            return None
        return origin if origin in self._hosts or origin in self._emulators else None

    def aws_host(self, origin: str) -> str | None:
        """Return AWS's host name if the origin is AWS's own; an emulator signs with a name of its own."""
        return self._hosts.get(origin)


class CertificateStore:
    """Public keys by certificate URL: bounded, fetched once, and slow to ask again for what failed."""

    def __init__(self, urls: CertificateUrls, fetch: Fetch, clock: Clock) -> None:
        self._urls = urls
        self._fetch = fetch
        self._clock = clock
        self._keys: OrderedDict[str, _Certified] = OrderedDict()
        self._refusals: OrderedDict[str, _Refusal] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[RSAPublicKey | NoKey]] = {}
        self._fetched_at: deque[datetime] = deque(maxlen=FETCHES_PER_MINUTE)

    def allow(self, regions: Iterable[str]) -> None:
        """Fetch SNS's certificates in these Regions, too."""
        self._urls.allow(regions)

    async def key(self, url: str) -> RSAPublicKey | NoKey:
        """Return the public key of the certificate at `url`, or why there is none to trust."""
        now = self._clock.now()
        held = self._keys.get(url)
        if held is not None and held.not_before <= now <= held.not_after:
            self._keys.move_to_end(url)
            return held.key
        origin = self._urls.origin_of(url)
        if origin is None:
            return NoKey(reason="certificate_url", detail="not a URL of SNS in a configured Region")
        refusal = self._refusals.get(url)
        if refusal is not None and now < refusal.until:
            return refusal.fault
        return await self._fetched_once(url, origin)

    async def _fetched_once(self, url: str, origin: str) -> RSAPublicKey | NoKey:
        """Callers that ask for one URL share one fetch, which outlives a caller that gives up."""
        task = self._under_way.get(url)
        if task is None:
            if not self._may_fetch():
                return NoKey(reason="certificate_unavailable", detail="too many new certificates this minute")
            task = asyncio.create_task(self._fetch_and_keep(url, origin))
            self._under_way[url] = task
            task.add_done_callback(lambda _: self._under_way.pop(url, None))
        return await asyncio.shield(task)

    def _may_fetch(self) -> bool:
        now = self._clock.now()
        if len(self._fetched_at) == FETCHES_PER_MINUTE and now - self._fetched_at[0] < timedelta(minutes=1):
            return False
        self._fetched_at.append(now)
        return True

    async def _fetch_and_keep(self, url: str, origin: str) -> RSAPublicKey | NoKey:
        try:
            pem = await self._fetch(url)
        except FetchError as error:
            fault = NoKey(reason="certificate_unavailable", detail=str(error))
            return self._refused(url, fault, UNAVAILABLE_FOR)
        certified = _certified(pem, aws_host=self._urls.aws_host(origin), now=self._clock.now())
        if isinstance(certified, NoKey):
            return self._refused(url, certified, REFUSED_FOR)
        self._keys[url] = certified
        if len(self._keys) > MAX_CERTIFICATES:
            self._keys.popitem(last=False)
        return certified.key

    def _refused(self, url: str, fault: NoKey, lasting: timedelta) -> NoKey:
        self._refusals[url] = _Refusal(fault, self._clock.now() + lasting)
        self._refusals.move_to_end(url)
        if len(self._refusals) > MAX_REFUSALS:
            self._refusals.popitem(last=False)
        return fault


class _Certified(Struct, frozen=True):
    key: RSAPublicKey
    not_before: datetime
    not_after: datetime


class _Refusal(Struct, frozen=True):
    fault: NoKey
    until: datetime


@asynccontextmanager
async def open_certificates(
    *, regions: Iterable[str], origins: Iterable[str], clock: Clock
) -> AsyncGenerator[CertificateStore, None]:
    """
    Yield a store that fetches over HTTPS, without cookies, redirects or the proxies of the environment.

    Args:
        regions: AWS Regions whose topics may post to us.
        origins: Emulators' origins (`settings.sns_cert_origins`), such as `http://127.0.0.1:4579`.
        clock: Decides which certificates are in date.

    Raises:
        ConfigurationError: A Region or an origin has the wrong form.
    """
    urls = CertificateUrls(regions=regions, origins=origins)
    timeout = aiohttp.ClientTimeout(total=FETCH_DEADLINE_S)
    async with aiohttp.ClientSession(
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    ) as session:

        async def fetch(url: str) -> bytes:
            return await _fetched(session, url)

        yield CertificateStore(urls, fetch, clock)


async def _fetched(session: aiohttp.ClientSession, url: str) -> bytes:
    try:
        async with session.get(url, allow_redirects=False) as response:
            if response.status != _OK:
                raise FetchError(f"the host answered {response.status}")
            return await whole_body(response.content, MAX_CERTIFICATE_BYTES)
    except (aiohttp.ClientError, BodyTooLong, TimeoutError, OSError) as error:
        raise FetchError(f"{type(error).__name__}: {error}") from error


def _certified(pem: bytes, *, aws_host: str | None, now: datetime) -> _Certified | NoKey:
    """Check everything a certificate says about itself; `aws_host` is None for an emulator's."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        names = _names(certificate)
        issuers = _values(certificate.issuer, NameOID.ORGANIZATION_NAME)
    except ValueError as error:
        return _untrusted(f"not a certificate: {error}")
    if not isinstance(key, RSAPublicKey) or not MIN_KEY_BITS <= key.key_size <= MAX_KEY_BITS:
        return _untrusted(f"not an RSA key of {MIN_KEY_BITS} to {MAX_KEY_BITS} bits")
    not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not not_before <= now <= not_after:
        return _untrusted(f"valid only from {not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}")
    if aws_host is not None and names.isdisjoint({"sns.amazonaws.com", aws_host}):
        return _untrusted("it does not name SNS")
    if aws_host is not None and issuers.isdisjoint(_ISSUERS):
        return _untrusted("another authority than Amazon's issued it")
    return _Certified(key, not_before, not_after)


def _untrusted(detail: str) -> NoKey:
    return NoKey(reason="certificate_untrusted", detail=detail)


def _names(certificate: x509.Certificate) -> frozenset[str]:
    names = _values(certificate.subject, NameOID.COMMON_NAME)
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    return names | frozenset(alternatives.get_values_for_type(x509.DNSName))


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> frozenset[str]:
    return frozenset(
        attribute.value for attribute in name.get_attributes_for_oid(oid) if isinstance(attribute.value, str)
    )


def _hosts(regions: Iterable[str]) -> dict[str, str]:
    hosts = (f"sns.{region}.{domain}" for region in regions for domain in _domains(region))
    return {f"https://{host}": host for host in hosts}


def _domains(region: str) -> tuple[str, ...]:
    return ("amazonaws.com.cn",) if region.startswith("cn-") else ("amazonaws.com",)


def _region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ConfigurationError(f"{text!r} is not an AWS Region")
    return text


def _origin(text: str) -> str:
    origin = text.rstrip("/")
    if not _ORIGIN.fullmatch(origin) or not urlsplit(origin).hostname:
        raise ConfigurationError(f"{text!r} is not an origin such as http://127.0.0.1:4579")
    return origin
