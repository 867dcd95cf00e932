"""The console's way in: who gets through, and what the rest learn."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from msgspec import structs

from gateway.asgi import create_app
from gateway.db.engine import create_engine
from tests.contract.conftest import OPERATOR_KEY, PUBLIC_URL, World
from tests.contract.console_person import PASSWORD, Person, invited

FIVE_MINUTES_S = 300


@pytest.fixture
def address() -> str:
    """An address that nobody else uses."""
    return f"p-{uuid4().hex[:10]}@acme.example"


@pytest.fixture
async def person(world):
    """Somebody with an empty browser."""
    async with world.client() as browser:
        yield Person(browser)


@pytest.fixture
async def member(person, customer, operator, address) -> Person:
    """A person of the customer's, signed in."""
    await person.accept(await invited(operator, customer.id, address))
    return person


async def test_a_link_leads_through_password_and_second_factor_to_the_checklist(member) -> None:
    """The whole way in, without a script."""
    page = await member.open("/console/")
    assert (page.status_code, "Your way to the first live message" in page.text) == (200, True)
    assert len(member.codes) == 8


async def test_a_link_works_once(member, world, operator, customer) -> None:
    """Whoever finds it later finds nothing."""
    link = await invited(operator, customer.id, f"q-{uuid4().hex[:8]}@acme.example")
    await member.accept(link)
    assert (await member.open(link)).status_code == 410


async def test_whoever_lost_password_and_phone_is_invited_anew(
    member, world, operator, customer, address
) -> None:
    """The same person with new proofs: the old password, codes and browsers open nothing any more."""
    codes, link = member.codes, await invited(operator, customer.id, address)
    assert (await member.browser.get("/console/onboarding")).status_code == 200
    async with world.client() as browser:
        anew = Person(browser)
        await anew.open(link)
        fields = {"password": "seven red herrings swim", "again": "seven red herrings swim"}
        assert (await anew.send_fields(link, fields)).headers["location"] == "/console/enrol"
        assert (await member.browser.get("/console/onboarding")).status_code == 303
        assert (await member.sign_in(address)).status_code == 422
        assert (await anew.sign_in(address, password=fields["password"])).status_code == 303
        await anew.open("/console/enrol")
        refused = await anew.send("/console/enrol", code=codes[0])
        assert (refused.status_code, "secret" in anew.page.text) == (422, True)
    rows = (await customer.api.get("/v1/audit")).json()["data"]
    assert len({row["actor"] for row in rows if row["action"] == "invitation.accepted"}) == 1


async def test_a_link_from_before_somebody_came_in_sets_nothing_anew(
    person, operator, customer, address
) -> None:
    """Two links for one address: the second would hand the account to whoever finds it."""
    first, second = [await invited(operator, customer.id, address) for _ in range(2)]
    await person.accept(first)
    await person.open(second)
    answer = await person.send(second, password=PASSWORD, again=PASSWORD)
    assert answer.status_code == 410


async def test_an_ended_link_opens_nothing(person, operator, customer, address) -> None:
    """Revoking is for links that went astray."""
    link = await invited(operator, customer.id, address)
    path = f"/v1/admin/tenants/{customer.id}/invitations"
    listed = (await operator.get(path)).json()["data"]
    await operator.delete(f"{path}/{listed[0]['id']}")
    assert (await person.open(link)).status_code == 410


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaaaa", "password1234", "correcthorsebatterystaple"]
)
async def test_a_guessable_password_is_refused_at_its_field(person, operator, customer, address, password):
    """The link stays good."""
    link = await invited(operator, customer.id, address)
    await person.open(link)
    answer = await person.send(link, password=password, again=password)
    assert (answer.status_code, 'id="password-error"' in answer.text) == (422, True)
    await person.accept(link)


async def test_sign_in_takes_the_second_factor_and_each_code_once(member, address) -> None:
    """A code that somebody saw over a shoulder is used up."""
    await member.open("/console/")
    assert (await member.send("/console/sign-out")).headers["location"] == "/console/sign-in"
    assert (await member.sign_in(address)).headers["location"] == "/console/second-factor"
    await member.open("/console/second-factor")
    used = await member.send("/console/second-factor", code=member.enrolled_with)
    assert used.status_code == 422
    opened = await member.send("/console/second-factor", code=member.code(later=1))
    assert opened.headers["location"] == "/console/onboarding"


async def test_a_recovery_code_opens_once(member, address) -> None:
    """For a lost phone."""
    for expected in (303, 422):
        await member.open("/console/")
        await member.browser.post("/console/sign-out", data={"token": member.token()})
        await member.sign_in(address)
        await member.open("/console/second-factor")
        answer = await member.send("/console/second-factor", code=member.codes[0].lower())
        assert answer.status_code == expected


async def test_a_password_alone_opens_no_page(member, address) -> None:
    """The second factor stands before everything."""
    await member.open("/console/")
    await member.send("/console/sign-out")
    await member.sign_in(address)
    assert (await member.browser.get("/console/onboarding")).headers["location"] == "/console/sign-in"


async def test_an_unknown_address_reads_like_a_wrong_password(person, member, address) -> None:
    """Nobody learns who has an account."""
    await member.open("/console/")
    await member.send("/console/sign-out")
    wrong = await member.sign_in(address, password="another long password")
    unknown = await member.sign_in(f"nobody-{uuid4().hex[:6]}@acme.example", password="another long password")
    assert wrong.status_code == unknown.status_code == 422
    assert "The address or the password is not right." in wrong.text
    assert "The address or the password is not right." in unknown.text


async def test_guessing_is_held_up_and_the_owner_elsewhere_is_not(member, world, address) -> None:
    """Who guesses locks himself out, not the owner."""
    await member.open("/console/")
    await member.send("/console/sign-out")
    statuses = [(await member.sign_in(address, password="wrong wrong wrong")).status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert (await member.sign_in(address)).status_code == 429
    transport = httpx.ASGITransport(app=world.app, client=("198.51.100.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://gateway.example") as browser:
        assert (await Person(browser).sign_in(address)).status_code == 303


@pytest.mark.parametrize("way", ["sign-in", "enrol", "second-factor", "operator/sign-in"])
async def test_too_many_guesses_are_answered_alike_wherever_they_are_made(
    person, world, operator, customer, address, way
) -> None:
    """By 429, which programs read, too; the page says to wait, and for how long stands in Retry-After."""
    link = await invited(operator, customer.id, address)
    if way == "enrol":
        await person.open(link)
        await person.send(httpx.URL(link).path, password=PASSWORD, again=PASSWORD)
    elif way == "second-factor":
        await person.accept(link)
        await person.open("/console/")
        await person.send("/console/sign-out")
        await person.sign_in(address)
    network = f"2001:db8:{uuid4().hex[:4]}::1"
    transport = httpx.ASGITransport(app=world.app, client=(network, 1))
    async with httpx.AsyncClient(
        transport=transport, base_url=PUBLIC_URL, cookies=person.browser.cookies
    ) as browser:
        guesser, wrong = Person(browser), {"email": address, "password": "wrong wrong wrong", "key": "wrong"}
        await guesser.open(f"/console/{way}")
        answers = [await guesser.send(f"/console/{way}", **wrong, code="000000") for _ in range(7)]
    assert [each.status_code for each in answers] == [422] * 5 + [429] * 2
    assert all("Too many attempts. Wait a few minutes" in each.text for each in answers[5:])
    assert all(0 < int(each.headers["retry-after"]) <= FIVE_MINUTES_S for each in answers[5:])
    assert all("<title>Error: " in each.text for each in answers)


async def test_guesses_made_at_once_are_counted_like_guesses_made_one_by_one(member, address) -> None:
    """Else a hundred passwords could be tried before the first of them was counted."""
    await member.open("/console/")
    await member.send("/console/sign-out")
    await member.open("/console/sign-in")
    guesses = (
        member.send("/console/sign-in", email=address, password="wrong wrong wrong") for _ in range(12)
    )
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*guesses))
    assert statuses == [422] * 5 + [429] * 7


async def test_behind_a_trusted_proxy_each_visitor_has_a_network_of_his_own(world, member, address) -> None:
    """A guesser behind the same proxy holds up nobody else, and cannot pretend to be many."""
    await member.open("/console/")
    await member.send("/console/sign-out")
    settings = structs.replace(world.services.settings, trusted_proxies=("10.0.0.0/8",))
    app = create_app(replace(world.services, settings=settings))
    transport = httpx.ASGITransport(app=app, client=("10.1.2.3", 1))

    async def comes_in(forwarded: str, password: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as browser:
            return (await Person(browser).sign_in(address, password=password)).status_code

    guesses = [await comes_in(f"198.51.100.{n}, 203.0.113.9", "wrong wrong wrong") for n in range(6)]
    assert guesses == [422] * 5 + [429]
    assert await comes_in("203.0.113.10", PASSWORD) == 303


async def test_each_proof_makes_a_new_session_and_ends_the_old(person, operator, customer, address) -> None:
    """A planted session is worth nothing after the sign-in."""
    link = await invited(operator, customer.id, address)
    await person.open(link)
    person.browser.cookies.set("tollgate_session", "planted", path="/console")
    await person.open(link)
    answer = await person.send(link, password=PASSWORD, again=PASSWORD)
    first = answer.cookies["tollgate_session"]
    assert first != "planted"
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "secure", "samesite=lax", "path=/console"))


async def test_signing_out_everywhere_ends_other_browsers(member, world, address) -> None:
    """For a laptop left in a train."""
    async with world.client() as browser:
        other = Person(browser)
        other.totp = member.totp
        await other.sign_in(address)
        await other.open("/console/second-factor")
        await other.send("/console/second-factor", code=member.code(later=1))
        assert (await browser.get("/console/onboarding")).status_code == 200
        await member.open("/console/")
        await member.send("/console/sign-out", everywhere="on")
        assert (await browser.get("/console/onboarding")).headers["location"] == "/console/sign-in"


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_without_this_browsers_token_does_nothing(member, token) -> None:
    """Another site's form carries the cookie but cannot know the token."""
    answer = await member.browser.post(
        "/console/onboarding/questions/legal", data={"token": token, "hosted": "on"}
    )
    assert answer.status_code == 403
    assert "Terms and privacy policy: saved" not in (await member.open("/console/onboarding")).text


async def test_a_form_that_the_browser_calls_foreign_is_refused(member) -> None:
    """Even with a token that leaked."""
    await member.open("/console/onboarding/questions/legal")
    answer = await member.browser.post(
        "/console/onboarding/questions/legal",
        data={"token": member.token(), "hosted": "on"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


async def test_pages_are_neither_framed_nor_kept_nor_scripted(person) -> None:
    """What a browser is told with each page."""
    headers = (await person.open("/console/sign-in")).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    assert headers["x-frame-options"] == "DENY"


async def test_the_operators_key_becomes_a_session_and_nothing_else_does(person, customer) -> None:
    """The key stays in no browser."""
    await person.open("/console/operator/sign-in")
    assert (await person.send("/console/operator/sign-in", key="not the key")).status_code == 422
    opened = await person.send("/console/operator/sign-in", key=OPERATOR_KEY)
    assert opened.headers["location"] == "/console/operator"
    assert OPERATOR_KEY not in str(opened.headers)
    assert (await person.open("/console/operator")).status_code == 200


async def test_a_tenants_person_is_no_operator(member, customer) -> None:
    """Nor the other way round."""
    for path in ("/console/operator", "/console/operator/inbox", f"/console/operator/tenants/{customer.id}"):
        assert (await member.browser.get(path)).headers["location"] == "/console/operator/sign-in"
    await member.open("/console/")
    refused = await member.send(f"/console/operator/tenants/{customer.id}/approve")
    assert refused.headers["location"] == "/console/operator/sign-in"


async def test_nothing_from_outside_can_claim_to_be_inside(world) -> None:
    """The console's calls are known by what no client can send."""
    async with world.client() as client:
        answer = await client.get("/v1/onboarding", headers={"tollgate.inside": "1"})
    assert answer.status_code == 401


async def test_who_comes_while_the_database_is_away_reads_so_on_a_page(world) -> None:
    """A person read a machine's problem."""
    away = create_engine("postgresql://nobody@127.0.0.1:1/nowhere", "worker", pool_size=1)
    async with World(replace(world.services, operator_engine=away)).client() as browser:
        told = await browser.get("/console/onboarding", headers={"Cookie": "tollgate_session=any"})
    assert (told.status_code, told.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "We cannot answer right now" in told.text
    assert int(told.headers["retry-after"]) > 0
