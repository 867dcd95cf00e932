"""Forms with a CAPTCHA: a person passes, a machine does not, and nobody does while its provider is away."""

import asyncio
import dataclasses
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.captcha.providers import PROVIDERS
from gateway.captcha.verifying import DEADLINE_S, open_captcha
from gateway.errors import ConfigurationError
from gateway.settings import read_settings, redacted
from tests.contract.conftest import World
from tests.contract.test_hosted_pages import PERSON, at, publish, states
from tests.harness.web import free_listener, url_of

SECRET = "the secret of the provider"
YES = b'{"success": true, "challenge_ts": "2026-11-21T12:00:00Z", "hostname": "gateway.example"}'
NO = b'{"success": false, "error-codes": ["timeout-or-duplicate"]}'
OURS = b'{"success": false, "error-codes": ["invalid-input-secret"]}'


class Forms:
    """A tenant's public forms behind a CAPTCHA, and the provider that is asked."""

    def __init__(self, visitor, customer, provider, sink) -> None:
        self.visitor, self.customer, self.provider, self.sink = visitor, customer, provider, sink
        self.field = PROVIDERS[provider].token_field

    async def post(self, path="opt-in", *, token="a token", says=YES, status=200, **fields):
        """Fill in a form, with what the provider will say of it."""
        self.sink.reply = says
        self.sink.answer_next(status)
        data = {"number": PERSON, "use_case": "marketing"} | fields
        return await self.visitor.post(
            at(self.customer, path), data=data | ({} if token is None else {self.field: token})
        )


EVERY_PROVIDER = pytest.mark.parametrize("forms", sorted(PROVIDERS), indirect=True)


@pytest.fixture
async def forms(request, world, customer, sink):
    """The forms with a provider, the first one unless the test names others."""
    provider = getattr(request, "param", "turnstile")
    await publish(customer)
    async with open_captcha(
        provider=provider, site_key="public-key", secret=SECRET, verify_url=f"{sink.url}/siteverify"
    ) as captcha:
        guarded = World(dataclasses.replace(world.services, captcha=captcha))
        async with guarded.client() as visitor:
            yield Forms(visitor, customer, provider, sink)


@EVERY_PROVIDER
async def test_a_person_passes_and_the_provider_is_asked_with_the_secret(forms) -> None:
    """The secret goes to the provider alone; the visitor's address is told where it is one."""
    answer = await forms.post()
    assert answer.status_code == 200, answer.text
    assert await states(forms.customer) == {"marketing": "pending"}
    [asked] = forms.sink.of("/siteverify")
    told = parse_qs(asked.body.decode())
    assert (told["secret"], told["response"]) == ([SECRET], ["a token"])
    assert SECRET not in answer.text
    assert told.keys() <= {"secret", "response", "remoteip"}


@pytest.mark.parametrize(
    ("token", "says", "status", "refused"),
    [
        pytest.param(None, YES, 200, 403, id="no token"),
        pytest.param("x" * 16_385, YES, 200, 403, id="a token longer than any"),
        pytest.param("used", NO, 200, 403, id="a token that was used or is too old"),
        pytest.param("a", OURS, 200, 503, id="the operator's secret is wrong"),
        pytest.param("a", OURS, 400, 503, id="the same, as an HTTP error"),
        pytest.param("a", YES, 500, 503, id="an error that carries a yes"),
        pytest.param("a", YES, 302, 503, id="a redirect"),
        pytest.param("a", b'{"success": "yes"}', 200, 503, id="a yes of another form"),
        pytest.param("a", b"{}", 200, 503, id="nothing said"),
        pytest.param("a", b"<html>", 200, 503, id="no JSON"),
    ],
)
async def test_whatever_is_not_a_clear_yes_is_refused(forms, token, says, status, refused) -> None:
    """No consent is written and no text is ordered; the page says which it was and keeps the number."""
    answer = await forms.post(token=token, says=says, status=status)
    assert answer.status_code == refused
    assert "person" in answer.text
    assert f'value="{PERSON}"' in answer.text
    assert await states(forms.customer) == {}
    code = await forms.post("preferences/code", token=token, says=says, status=status)
    assert code.status_code == refused


async def test_nobody_passes_while_the_provider_is_away() -> None:
    """A service that is down must not open the forms to machines."""
    nowhere = free_listener()
    url = url_of(nowhere)
    nowhere.close()
    async with open_captcha(provider="turnstile", site_key="k", secret=SECRET, verify_url=url) as captcha:
        assert await captcha.judge("a token", "192.0.2.1") == "unavailable"


async def test_an_answer_that_comes_in_pieces_counts_whole() -> None:
    """What a network cuts in two would turn people away at random."""

    async def in_two(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for half in (b'{"succ', b'ess": true}'):
            await answer.write(half)
            await asyncio.sleep(0.05)
        return answer

    application = web.Application()
    application.router.add_post("/siteverify", in_two)
    async with (
        TestServer(application) as server,
        open_captcha(
            provider="hcaptcha", site_key="k", secret=SECRET, verify_url=str(server.make_url("/siteverify"))
        ) as captcha,
    ):
        assert await captcha.judge("a token", "192.0.2.1") == "human"


async def test_a_provider_that_does_not_answer_is_given_up(sink, monkeypatch) -> None:
    """A visitor waits some seconds at most."""
    assert DEADLINE_S <= 10
    monkeypatch.setattr("gateway.captcha.verifying.DEADLINE_S", 0.2)
    sink.held = asyncio.Event()
    async with open_captcha(
        provider="turnstile", site_key="k", secret=SECRET, verify_url=f"{sink.url}/siteverify"
    ) as captcha:
        assert await captcha.judge("a token", "unknown") == "unavailable"
    sink.held.set()


@EVERY_PROVIDER
async def test_a_form_lets_in_its_provider_and_the_other_pages_nobody(forms) -> None:
    """What a page may load is said in its policy; a document loads nothing, as before."""
    provider = PROVIDERS[forms.provider]
    for path in ("opt-in", "preferences"):
        form = await forms.visitor.get(at(forms.customer, path))
        assert f'class="{provider.css_class}" data-sitekey="public-key"' in form.text
        assert f'<script src="{provider.script}" async defer></script>' in form.text
        policy = form.headers["content-security-policy"]
        for directive in ("script-src", "frame-src", "connect-src"):
            assert f"{directive} {' '.join(provider.sources)}" in policy
        assert provider.script.startswith(tuple(each.replace("*.", "js.") for each in provider.sources))
    terms = await forms.visitor.get(at(forms.customer, "terms"))
    assert "<script" not in terms.text
    assert "script-src" not in terms.headers["content-security-policy"]
    script = await forms.visitor.get(at(forms.customer, "widget.js"))
    assert "allow-scripts" in script.text


async def test_without_a_captcha_a_form_is_as_it_was(customer, nobody) -> None:
    """Not even the frame may run scripts."""
    await publish(customer)
    form = await nobody.get(at(customer, "opt-in"))
    assert "<script" not in form.text
    assert "allow-scripts" not in (await nobody.get(at(customer, "widget.js"))).text
    answer = await nobody.post(at(customer, "opt-in"), data={"number": PERSON, "use_case": "marketing"})
    assert answer.status_code == 200


async def test_whoever_fills_in_the_trap_is_not_worth_a_question(forms) -> None:
    """Thanked and forgotten as before; the provider counts questions."""
    answer = await forms.post(company="x")
    assert answer.status_code == 200
    assert forms.sink.of("/siteverify") == []
    assert await states(forms.customer) == {}


def test_a_captcha_needs_its_keys_and_the_secret_is_never_shown() -> None:
    """Half a setting would refuse every visitor, or none."""
    given = {
        "DATABASE_URL": "postgresql://h/d",
        "REDIS_URL": "redis://h",
        "TOLLGATE_OPERATOR_KEY": "x" * 16,
        "TOLLGATE_SECRET_KEY": "x" * 16,
        "TOLLGATE_CAPTCHA": "turnstile",
        "TOLLGATE_CAPTCHA_SITE_KEY": "public",
    }
    with pytest.raises(ConfigurationError, match="TOLLGATE_CAPTCHA_SECRET"):
        read_settings(given)
    shown = redacted(read_settings(given | {"TOLLGATE_CAPTCHA_SECRET": SECRET}))
    assert shown["TOLLGATE_CAPTCHA_SECRET"] == "(set)"
    with pytest.raises(ConfigurationError, match="captcha"):
        read_settings(given | {"TOLLGATE_CAPTCHA": "another"})
