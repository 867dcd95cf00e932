"""Sign-in by an OpenID provider: whom it lets in, by an invitation only, and which answers prove nobody."""

import warnings
from dataclasses import replace
from importlib import import_module
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from msgspec import structs

from gateway.asgi import create_app
from tests.contract.console_person import PASSWORD, Person, invited
from tests.harness.openid import CLIENT_ID, CLIENT_SECRET, running_provider


@pytest.fixture(scope="module")
async def the_provider():
    """A provider for the module: its key takes a while to make."""
    async with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(the_provider, world, address):
    """The provider, honest, with the gateway as its client; whoever comes has an account of its own."""
    the_provider.lies = {}
    the_provider.account = {"sub": uuid4().hex, "email": address, "email_verified": True}
    uses(world, the_provider.url)
    return the_provider


def uses(world, issuer):
    """Make the gateway trust a provider."""
    settings = structs.replace(
        world.services.settings,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_name="Acme Login",
    )
    world.app = create_app(replace(world.services, settings=settings))


@pytest.fixture
def address():
    """An address that nobody else uses."""
    return f"p-{uuid4().hex[:10]}@acme.example"


@pytest.fixture
async def browser(world, provider):
    """An empty browser."""
    async with world.client() as client:
        yield Person(client)


async def there(browser, start):
    """Follow the way to the provider and agree there; where the provider sends the browser."""
    begun = await browser.browser.get(start)
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as outside:
        return (await outside.get(begun.headers["location"])).headers["location"]


async def comes_in(browser, start="/console/identity"):
    """There and back; the last answer."""
    return await browser.browser.get(await there(browser, start))


async def by_invitation(browser, operator, customer, address):
    """Accept an invitation by the provider."""
    link = await invited(operator, customer.id, address)
    return await comes_in(browser, f"/console/identity?invitation={link.rpartition('/')[2]}")


async def test_an_invited_account_comes_in_and_signs_in_ever_after(
    browser, operator, customer, address
) -> None:
    """No password, no second factor of ours: the provider's account stands for the person."""
    answer = await by_invitation(browser, operator, customer, address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/onboarding"), answer.text
    page = await browser.open("/console/onboarding")
    assert "Your way to the first live message" in page.text
    await browser.send("/console/sign-out")
    assert "Sign in with Acme Login" in (await browser.open("/console/sign-in")).text
    assert (await comes_in(browser)).headers["location"] == "/console/onboarding"


async def test_a_provider_by_other_hands_leads_in_as_well(world, operator, customer, address) -> None:
    """What is right for our own provider alone would be worth little."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel still imports what Authlib has deprecated
        module = import_module("oidc_provider_mock")
        account = module.User(sub="ann", claims={"email": address, "email_verified": True})
        with module.run_server_in_thread(user_claims=[account], require_nonce=True) as server:
            uses(world, f"http://localhost:{server.server_port}")
            link = await invited(operator, customer.id, address)
            async with world.client() as client, httpx.AsyncClient() as outside:
                begun = await client.get(f"/console/identity?invitation={link.rpartition('/')[2]}")
                agreed = await outside.post(begun.headers["location"], data={"sub": "ann"})
                answer = await client.get(agreed.headers["location"])
    assert answer.headers["location"] == "/console/onboarding", answer.text


async def test_nobody_comes_in_without_an_invitation(browser, provider) -> None:
    """The provider may know a million people; none of them is a tenant's for that."""
    answer = await comes_in(browser)
    assert (answer.status_code, "Nobody was invited with this account" in answer.text) == (403, True)
    assert "tollgate_session" not in answer.cookies


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ({"email": "someone.else@acme.example"}, "another address"),
        ({"email_verified": False}, "does not vouch"),
        ({"email_verified": None}, "does not vouch"),
        ({"email": ""}, "another address"),
    ],
)
async def test_an_invitation_is_for_its_verified_address_alone(
    browser, provider, operator, customer, address, account, told
) -> None:
    """An address that anybody may type into an account of the provider's proves nothing."""
    provider.account |= account
    answer = await by_invitation(browser, operator, customer, address)
    assert answer.status_code == 403
    assert told in answer.text or "does not vouch" in answer.text
    provider.account |= {"email": address, "email_verified": True}
    assert (await comes_in(browser)).status_code == 403, "and nothing was linked"


async def test_an_account_that_changes_its_address_stays_the_same_person(
    browser, provider, operator, customer, address
) -> None:
    """And whoever gets the old address at the provider is nobody here."""
    await by_invitation(browser, operator, customer, address)
    provider.account |= {"email": "renamed@acme.example"}
    assert (await comes_in(browser)).status_code == 303
    provider.account |= {"sub": uuid4().hex, "email": address}
    assert (await comes_in(browser)).status_code == 403


async def test_a_person_with_a_password_is_not_taken_over(
    browser, provider, operator, customer, address
) -> None:
    """The same verified address alone links nothing."""
    await browser.accept(await invited(operator, customer.id, address))
    await browser.open("/console/")
    await browser.send("/console/sign-out")
    assert (await comes_in(browser)).status_code == 403
    assert (await browser.sign_in(address, password=PASSWORD)).status_code == 303


async def test_a_person_of_the_provider_has_no_password_to_guess(
    browser, operator, customer, address
) -> None:
    """Neither an empty one nor any other."""
    await by_invitation(browser, operator, customer, address)
    await browser.open("/console/onboarding")
    await browser.send("/console/sign-out")
    for password in ("", PASSWORD):
        assert (await browser.sign_in(address, password=password)).status_code == 422


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another client"]},
        {"aud": None},
        {"azp": "another client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
        {"key": "another"},
        {"kid": "unheard of"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"issuer": "https://elsewhere.example"},
        {"email": None, "userinfo_sub": "somebody else"},
    ],
    ids=str,
)
async def test_a_token_that_proves_nobody_lets_nobody_in(
    browser, provider, operator, customer, address, lies
) -> None:
    """Replayed, for others, expired, unsigned or signed with what the client knows itself."""
    assert (await by_invitation(browser, operator, customer, address)).status_code == 303
    await browser.open("/console/onboarding")
    await browser.send("/console/sign-out")
    provider.lies = lies
    answer = await comes_in(browser)
    assert (answer.status_code, "did not confirm who you are" in answer.text) == (403, True)
    assert (await browser.browser.get("/console/onboarding")).headers["location"] == "/console/sign-in"


async def test_an_answer_is_good_in_the_browser_that_asked_and_once(
    browser, world, provider, operator, customer, address
) -> None:
    """Somebody else's code signs nobody in; PKCE keeps a stolen one from being used elsewhere."""
    await by_invitation(browser, operator, customer, address)
    back = await there(browser, "/console/identity")
    async with world.client() as victim:
        assert "begun in another browser" in (await victim.get(back)).text
        await victim.get("/console/identity")
        assert "begun in another browser" in (await victim.get(back)).text
        stolen = parse_qs(urlsplit(back).query)["code"][0]
        own = parse_qs(urlsplit((await victim.get("/console/identity")).headers["location"]).query)["state"][
            0
        ]
        answer = await victim.get(f"/console/identity/callback?code={stolen}&state={own}&iss={provider.url}")
        assert answer.status_code == 403
    assert provider.refused[-1] == "verifier"
    back = await there(browser, "/console/identity")
    assert (await browser.browser.get(back)).status_code == 303
    assert "begun in another browser" in (await browser.browser.get(back)).text


async def test_what_the_browser_keeps_is_sealed_and_out_of_reach_of_scripts(browser) -> None:
    """State, nonce and verifier are for the two servers."""
    begun = await browser.browser.get("/console/identity")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    cookie = begun.headers["set-cookie"]
    assert all(word in cookie.lower() for word in ("httponly", "secure", "samesite=lax", "max-age=600"))
    assert asked["state"][0] not in cookie
    assert (asked["code_challenge_method"], asked["scope"]) == (["S256"], ["openid email"])


async def test_a_provider_that_is_away_is_told_apart_from_a_refusal(world, nobody) -> None:
    """Whoever waits has to know whether trying again helps."""
    uses(world, "http://127.0.0.1:9")
    async with world.client() as client:
        answer = await client.get("/console/identity")
    assert (answer.status_code, "does not answer" in answer.text) == (502, True)


async def test_without_a_provider_there_is_no_such_page(nobody) -> None:
    """And no button that leads to it."""
    assert (await nobody.get("/console/identity")).status_code == 404
    assert "Sign in with" not in (await nobody.get("/console/sign-in")).text
