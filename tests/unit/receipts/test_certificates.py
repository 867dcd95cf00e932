"""Which certificates are fetched, believed and kept."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.clock import SystemClock
from gateway.errors import ConfigurationError
from gateway.receipts.certificates import (
    FETCHES_PER_MINUTE,
    MAX_CERTIFICATE_BYTES,
    MAX_CERTIFICATES,
    MAX_REFUSALS,
    REFUSED_FOR,
    UNAVAILABLE_FOR,
    CertificateStore,
    CertificateUrls,
    FetchError,
    NoKey,
    open_certificates,
)

HEX = "0123456789abcdef" * 2
PATH = f"/SimpleNotificationService-{HEX}.pem"
URL = f"https://sns.eu-west-1.amazonaws.com{PATH}"
EMULATOR = "http://127.0.0.1:4579"


def _url(number: int, origin: str = "https://sns.eu-west-1.amazonaws.com") -> str:
    return f"{origin}/SimpleNotificationService-{number:032x}.pem"


class CountingFetch:
    """Answers with one body, or fails, and counts what was asked."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, url: str) -> bytes:
        """Wait for the gate, then answer."""
        self.asked.append(url)
        await self.gate.wait()
        if self.answer is None:
            raise FetchError("down")
        return self.answer


def _store(fetch: CountingFetch, clock, *, origins: tuple[str, ...] = ()) -> CertificateStore:
    return CertificateStore(CertificateUrls(regions=["eu-west-1"], origins=origins), fetch, clock)


def _foreign_urls() -> list[str]:
    """Return URLs that look like AWS's and are not, for a gateway in eu-west-1 and cn-north-1."""
    hosts = [
        "sns.s3-us-west-2.amazonaws.com",
        "sns.us-east-1.amazonaws.com",
        "sns.eu-west-1.amazonaws.com.cn",
        "sns.cn-north-1.amazonaws.com",
        "sns.eu-west-1.amazonaws.com.evil.example",
        "sns.eu-west-1.amazonaws.com.",
        "sns.eu-west-1.amazonaws.comevil.example",
        "evil.example",
        "xsns.eu-west-1.amazonaws.com",
        "a.sns.eu-west-1.amazonaws.com",
        "sns.eu-west-1-amazonaws.com",
        "sns-eu-west-1.amazonaws.com",
        "SNS.eu-west-1.amazonaws.com",
        "sns.eu-west-1.amazonaws.co",
        "sns..eu-west-1.amazonaws.com",
        "sns.eu-west-1.amazonaws.com:443",
        "sns.eu-west-1.amazonaws.com:8443",
        "sns.eu-west-1.amazonaws.com@evil.example",
        "evil.example@sns.eu-west-1.amazonaws.com",
        "user:pass@sns.eu-west-1.amazonaws.com",
        "sns.eu-west-1.amazonaws.com%2eevil.example",
        "sns.eu-west-1.amazonaws.com\\@evil.example",
        "sns.eu-west-1.amazonaws.com\t",
        "sns.eu-west-1.amazonaws.com ",
        "sns。eu-west-1.amazonaws.com",
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "127.0.0.1:4579",
        "127.0.0.1:45790",
        "localhost:4579",
        "",
    ]
    paths = [
        PATH,
        f"/x{PATH}",
        f"/{PATH}",
        f"{PATH}/",
        f"{PATH}\n",
        f"{PATH}?x=1",
        f"{PATH}#x",
        f"{PATH};x",
        PATH.replace(".pem", ".pem.exe"),
        PATH.replace(".pem", "_pem"),
        PATH.replace("Simple", "simple"),
        PATH.upper(),
        f"/SimpleNotificationService-{HEX[:-1]}.pem",
        f"/SimpleNotificationService-{HEX}0.pem",
        f"/SimpleNotificationService-{HEX[:-1]}g.pem",
        f"/SimpleNotificationService-{HEX[:-1]}F.pem",
        "/SimpleNotificationService-../../../../../../x.pem",
        f"/%53impleNotificationService-{HEX}.pem",
        "/SimpleNotificationService.pem",
        "/",
        "",
    ]
    good = "sns.eu-west-1.amazonaws.com"
    schemes = [
        "http",
        "HTTPS",
        "ftp",
        "file",
        "https:",
        "//https",
        " https",
        "https\n",
        "javascript",
        "gopher",
    ]
    urls = [f"https://{host}{path}" for host in hosts for path in paths[:8]]
    urls += [f"https://{good}{path}" for path in paths[1:]]
    urls += [f"{scheme}://{good}{PATH}" for scheme in schemes]
    urls += [f"{EMULATOR}{path}" for path in paths[1:]]
    urls += [
        f"https:/{good}{PATH}",
        f"https:///{good}{PATH}",
        f"//{good}{PATH}",
        f"{good}{PATH}",
        "",
        "/",
        "//",
    ]
    return [*urls, f"https:\\\\{good}{PATH}", f"https://127.0.0.1:4579{PATH}"]


async def test_300_foreign_urls_are_never_fetched(clock) -> None:
    """The regex of Amazon's own kits lets an S3 bucket through; ours names each host in full."""
    urls = _foreign_urls()
    assert len(set(urls)) >= 300
    fetch = CountingFetch(None)
    store = CertificateStore(
        CertificateUrls(regions=["eu-west-1", "cn-north-1"], origins=[EMULATOR]), fetch, clock
    )
    faults = [await store.key(url) for url in urls]
    assert [url for url, fault in zip(urls, faults, strict=True) if fault.reason != "certificate_url"] == []
    assert fetch.asked == []


@pytest.mark.parametrize(
    "url",
    [URL, f"https://sns.cn-north-1.amazonaws.com.cn{PATH}", f"{EMULATOR}{PATH}"],
)
def test_the_exact_form_is_allowed(url) -> None:
    """AWS, AWS in China, and the emulator an operator named."""
    urls = CertificateUrls(regions=["eu-west-1", "cn-north-1"], origins=[EMULATOR])
    assert urls.origin_of(url) is not None


@pytest.mark.parametrize(
    "region", ["", "evil.example/", "eu-west-1.evil", "s3-us-west-2", "eu_west_1", "EU-WEST-1"]
)
def test_a_setting_that_is_no_region_is_refused_at_start(region) -> None:
    """`sns.s3-us-west-2` would be somebody's bucket."""
    with pytest.raises(ConfigurationError):
        CertificateUrls(regions=[region])


@pytest.mark.parametrize(
    "origin", ["ftp://x", "http://", "http://a/b", "http://u@h", "http://h?x", "h:1", "http://h\n"]
)
def test_a_setting_that_is_no_origin_is_refused_at_start(origin) -> None:
    """A slip there would widen what is trusted."""
    with pytest.raises(ConfigurationError):
        CertificateUrls(regions=["eu-west-1"], origins=[origin])


async def test_a_certificate_is_fetched_once(topic, clock) -> None:
    """Every later message is checked from memory."""
    fetch = CountingFetch(topic.certificate())
    store = _store(fetch, clock)
    keys = [await store.key(URL) for _ in range(100)]
    assert all(key.public_numbers() == topic.key.public_key().public_numbers() for key in keys)
    assert fetch.asked == [URL]


async def test_callers_at_once_share_one_fetch(topic, clock) -> None:
    """A burst after a restart must not become a burst at AWS."""
    fetch = CountingFetch(topic.certificate())
    fetch.gate.clear()
    store = _store(fetch, clock)
    waiting = [asyncio.create_task(store.key(URL)) for _ in range(50)]
    await asyncio.sleep(0)
    fetch.gate.set()
    keys = await asyncio.gather(*waiting)
    assert len(fetch.asked) == 1
    assert all(not isinstance(key, NoKey) for key in keys)


async def test_a_caller_that_gives_up_does_not_end_the_fetch_of_others(topic, clock) -> None:
    """A stranger who hangs up must not cost SNS its answer."""
    fetch = CountingFetch(topic.certificate())
    fetch.gate.clear()
    store = _store(fetch, clock)
    quitter, stayer = asyncio.create_task(store.key(URL)), asyncio.create_task(store.key(URL))
    await asyncio.sleep(0)
    quitter.cancel()
    fetch.gate.set()
    assert not isinstance(await stayer, NoKey)
    assert len(fetch.asked) == 1


@pytest.mark.parametrize(("answer", "lasting"), [(None, UNAVAILABLE_FOR), (b"nonsense", REFUSED_FOR)])
async def test_a_failure_is_remembered_for_a_while(clock, answer, lasting) -> None:
    """Shortly for a host that is down, longer for a certificate that is wrong."""
    fetch = CountingFetch(answer)
    store = _store(fetch, clock)
    for _ in range(10):
        assert isinstance(await store.key(URL), NoKey)
    assert len(fetch.asked) == 1
    clock.advance(lasting)
    await store.key(URL)
    assert len(fetch.asked) == 2


async def test_a_stranger_cannot_make_us_fetch_without_end(topic, clock) -> None:
    """Each invented name is a new URL; the budget over all of them is small, and known keys stay usable."""
    fetch = CountingFetch(topic.certificate())
    store = _store(fetch, clock)
    await store.key(URL)
    fetch.answer = None
    for number in range(5_000):
        assert isinstance(await store.key(_url(number)), NoKey)
    assert len(fetch.asked) == FETCHES_PER_MINUTE
    assert not isinstance(await store.key(URL), NoKey)
    clock.advance(timedelta(minutes=1))
    await store.key(_url(999_999))
    assert len(fetch.asked) == FETCHES_PER_MINUTE + 1


async def test_memory_is_bounded(topic, clock) -> None:
    """Neither good nor bad certificates pile up."""
    fetch = CountingFetch(topic.certificate())
    store = _store(fetch, clock)
    for number in range(MAX_CERTIFICATES + MAX_REFUSALS + 40):
        fetch.answer = topic.certificate() if number < MAX_CERTIFICATES + 10 else b"nonsense"
        await store.key(_url(number))
        clock.advance(timedelta(seconds=4))
    assert len(store._keys) == MAX_CERTIFICATES
    assert len(store._refusals) == MAX_REFUSALS


async def test_a_kept_certificate_ends_with_its_dates(topic, clock) -> None:
    """A key in memory does not outlive the certificate that vouched for it."""
    fetch = CountingFetch(topic.certificate(days=(-1, 1)))
    store = _store(fetch, clock)
    assert not isinstance(await store.key(URL), NoKey)
    clock.advance(timedelta(days=2))
    fault = await store.key(URL)
    assert isinstance(fault, NoKey)
    assert fault.reason == "certificate_untrusted"


@pytest.mark.parametrize(
    "over",
    [
        {"common_name": "evil.example"},
        {"common_name": "sns.us-east-1.amazonaws.com"},
        {"organization": "Let's Encrypt"},
        {"days": (-10, -1)},
        {"days": (1, 10)},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"key": rsa.generate_private_key(public_exponent=65537, key_size=1024)},  # noqa: S505 - the point
    ],
    ids=["name", "region", "issuer", "expired", "not yet", "not RSA", "short key"],
)
async def test_a_certificate_that_is_not_of_sns_is_refused(topic, clock, over) -> None:
    """Served from the right place is not enough."""
    fault = await _store(CountingFetch(topic.certificate(**over)), clock).key(URL)
    assert isinstance(fault, NoKey)
    assert fault.reason == "certificate_untrusted"


@pytest.mark.parametrize(
    "over",
    [
        {"common_name": "sns.eu-west-1.amazonaws.com"},
        {"common_name": "x", "alternative": "sns.amazonaws.com"},
    ],
)
async def test_the_name_may_be_the_regions_or_an_alternative(topic, clock, over) -> None:
    """Both forms have been published."""
    assert not isinstance(await _store(CountingFetch(topic.certificate(**over)), clock).key(URL), NoKey)


async def test_an_emulators_certificate_needs_no_amazon_name(topic, clock) -> None:
    """It signs with a key of its own; the operator vouches for its origin."""
    pem = topic.certificate(common_name="emulator", organization="nobody")
    store = _store(CountingFetch(pem), clock, origins=(EMULATOR,))
    assert not isinstance(await store.key(f"{EMULATOR}{PATH}"), NoKey)


@pytest.fixture
async def origin(topic):
    """A real server that behaves badly by path."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        number = int(request.path[-36:-4], 16)
        if number == 1:
            return web.Response(body=topic.certificate(days=(-3650, 3650)))
        if number == 2:
            return web.Response(body=b"x" * (MAX_CERTIFICATE_BYTES + 1))
        if number == 3:
            raise web.HTTPFound("/SimpleNotificationService-" + "0" * 31 + "1.pem")
        if number == 4:
            request.transport.abort()
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{name}", answer)
    server = TestServer(app)
    await server.start_server()
    yield f"http://127.0.0.1:{server.port}", asked
    await server.close()


async def test_a_real_fetch_follows_nothing_and_reads_little(origin) -> None:
    """Too long, redirected, cut and missing are all `unavailable`; the good one is trusted."""
    address, asked = origin
    async with open_certificates(regions=["eu-west-1"], origins=[address], clock=SystemClock()) as store:
        answers = [await store.key(_url(number, address)) for number in range(1, 6)]
    assert [getattr(answer, "reason", "trusted") for answer in answers] == ["trusted"] + [
        "certificate_unavailable"
    ] * 4
    broken = _url(4, "")
    assert [path for path in asked if path != broken] == [_url(number, "") for number in (1, 2, 3, 5)]
    assert asked.count(broken) == 2, "aiohttp asks once more when a connection breaks"


def test_the_regions_of_accounts_are_allowed_once_they_are_known() -> None:
    """Each account's topic signs with its own Region's certificate; still the exact host, and no other."""
    urls = CertificateUrls(regions=["eu-west-1"])
    path = f"/SimpleNotificationService-{'0a' * 16}.pem"
    assert urls.origin_of(f"https://sns.us-east-1.amazonaws.com{path}") is None
    urls.allow(["us-east-1", "cn-north-1", "not a region", "s3-us-west-2.evil", ""])
    for host in (
        "sns.eu-west-1.amazonaws.com",
        "sns.us-east-1.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
    ):
        assert urls.origin_of(f"https://{host}{path}") == f"https://{host}"
    for host in (
        "sns.not a region.amazonaws.com",
        "sns.s3-us-west-2.evil.amazonaws.com",
        "sns.us-east-2.amazonaws.com",
    ):
        assert urls.origin_of(f"https://{host}{path}") is None
