"""Public pages: complete, inert, one tenant's alone, and of no use to whoever fills in forms by machine."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
from litestar._parsers import parse_url_encoded_form_data

from gateway.db.engine import create_engine
from gateway.hosted import rendering
from tenants.consents.links import signed_link
from tenants.pages.disclosures import links_of, missing
from tenants.pages.service import (
    FREE_A_DAY,
    MOST_GUESSES,
    MOST_TO_A_NUMBER,
    MOST_WRONG,
    MOST_WRONG_OF_AN_ADDRESS,
    WRONG_REMEMBERED,
)
from tenants.pages.settings import PageProgramme, PageSettings
from tests.contract.conftest import PUBLIC_URL, World

PERSON = "+12065550171"
PROGRAMMES = [
    {
        "use_case": "marketing",
        "type": "promotional",
        "name": "Acme Offers",
        "purpose": "weekly offers",
        "frequency": "Up to 4 messages a month",
    },
    {"use_case": "delivery", "type": "transactional", "name": "Acme Parcels", "purpose": "your parcels"},
]
SETTINGS = {
    "brand": "Acme",
    "legal_name": "Acme Inc.",
    "website": "https://acme.example",
    "support_email": "care@acme.example",
    "support_phone": "+18885550142",
    "programmes": PROGRAMMES,
    "allowed_origins": ["https://www.acme.example"],
}


async def test_the_operator_reads_and_sets_them_as_the_tenant_would(customer, stranger, operator) -> None:
    """On behalf of who handed its words over; nobody else's pages change."""
    path = f"/v1/admin/tenants/{customer.id}/hosted-pages"
    assert (await operator.get(path)).status_code == 404
    written = await operator.put(path, json=SETTINGS)
    assert written.status_code == 200, written.text
    own = await customer.api.get("/v1/hosted-pages")
    assert own.json() == written.json() == (await operator.get(path)).json()
    assert (await stranger.api.get("/v1/hosted-pages")).status_code == 404
    (row,) = [
        each
        for each in (await customer.api.get("/v1/audit")).json()["data"]
        if each["action"] == "hosted_pages.changed"
    ]
    assert row["actor"] == "operator"
    refused = await operator.put(path, json=SETTINGS | {"programmes": []})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/programmes")
    nobody = "/v1/admin/tenants/ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G/hosted-pages"
    assert (await operator.put(nobody, json=SETTINGS)).status_code == 404


async def publish(customer, **changes):
    answer = await customer.api.put("/v1/hosted-pages", json=SETTINGS | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def pages(customer):
    """What the API says of a tenant's pages."""
    return await publish(customer)


def at(customer, path):
    return f"/p/{customer.slug}/{path}"


def shown(html):
    """The text of a page as a person reads it."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html)))


async def states(customer, number=PERSON):
    found = (await customer.api.get(f"/v1/consents/{number}")).json()["consents"]
    return {each["use_case"]: each["state"] for each in found}


def link(world_key, customer, purpose, number=PERSON, minutes=5):
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    return signed_link(customer.scope, world_key, purpose, number, expires_at=ends)


@pytest.fixture
async def key(world, customer):
    """The tenant's data key."""
    return await world.services.data_keys.of(customer.scope.tenant_id)


@pytest.mark.parametrize("path", ["terms", "privacy", "opt-in", "preferences"])
async def test_whoever_reads_in_another_language_goes_on_in_it(customer, pages, nobody, path) -> None:
    """The links at the foot of a German page led to the English terms."""
    html = (await nobody.get(at(customer, path), params={"lang": "de"})).text
    own = re.findall(rf'href="({PUBLIC_URL}/p/[^"]+)"', html)
    assert len(own) == (2 + 2 * len(PROGRAMMES) if path == "opt-in" else html.count(f'href="{PUBLIC_URL}'))
    assert len(own) >= 2
    assert all(each.endswith("?lang=de") for each in own), own


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
@pytest.mark.parametrize("path", ["opt-in", "paper", "script"])
async def test_every_place_of_consent_tells_everything(customer, pages, nobody, path, language) -> None:
    """Carriers refuse an opt-in that lacks one element, in whatever form it is asked for."""
    html = (await nobody.get(at(customer, path), params={"lang": language})).text
    links = links_of(PUBLIC_URL, customer.slug)
    settings = PageSettings(**{**SETTINGS, "programmes": [PageProgramme(**each) for each in PROGRAMMES]})
    for programme in settings.programmes:
        assert missing(shown(html), settings, programme, links) == []
    assert f'<html lang="{language}">' in html


def test_the_checker_names_what_is_missing() -> None:
    """A check that passes everything checks nothing."""
    settings = PageSettings(**{**SETTINGS, "programmes": [PageProgramme(**each) for each in PROGRAMMES]})
    links = links_of(PUBLIC_URL, "acme")
    found = missing("Acme", settings, settings.programmes[0], links)
    assert found == [
        "programme", "purpose", "frequency", "rates", "opt_out", "help", "care_contact", "terms_link",
        "privacy_link", "optional",
    ]  # fmt: skip


async def test_the_documents_hold_what_carriers_look_for(customer, pages, nobody) -> None:
    """Seven items of the terms; a labelled section of the privacy policy that shares nothing."""
    terms = shown((await nobody.get(at(customer, "terms"))).text)
    for words in (
        "Acme Offers", "weekly offers", "Up to 4 messages a month", "text STOP", "To join again", "text HELP",
        "care@acme.example", "+18885550142", "Carriers are not liable for delayed or undelivered messages",
        "Message and data rates may apply", "ask your wireless provider", f"/p/{customer.slug}/privacy",
    ):  # fmt: skip
        assert words in terms, words
    privacy = shown((await nobody.get(at(customer, "privacy"))).text)
    assert "Text messages (SMS)" in privacy
    assert "opt-in data and consent are not shared with any third parties" in privacy
    assert "Version" in terms


async def test_a_sentence_that_a_tenant_has_ended_itself_ends_once(customer, nobody) -> None:
    """Some write what stands behind "about" as a sentence; the terms had two full stops behind it."""
    ended = {"purpose": "Weekly offers.", "frequency": "Up to 4 messages a month."}
    await publish(customer, programmes=[PROGRAMMES[0] | ended, PROGRAMMES[1]])
    terms = shown((await nobody.get(at(customer, "terms"))).text)
    assert "Acme: Weekly offers. Up to 4 messages a month." in terms
    assert ".." not in terms


async def test_a_version_changes_with_the_words_alone(customer, nobody) -> None:
    """What a reviewer saw can be told from what stands there now."""

    async def version():
        page = await nobody.get(at(customer, "terms"))
        return re.search(r"Version ([0-9a-f]{12})", page.text)[1]

    await publish(customer)
    first = await version()
    await publish(customer)
    assert await version() == first
    await publish(customer, support_email="help@acme.example")
    assert await version() != first


async def test_another_look_is_no_other_version(customer, monkeypatch, nobody) -> None:
    """The words are what was agreed to."""
    await publish(customer)
    first = await nobody.get(at(customer, "terms"))
    monkeypatch.setattr(rendering, "STYLE", "body{color:#000}")
    second = await nobody.get(at(customer, "terms"))
    versions = [re.search(r"Version ([0-9a-f]{12})", page.text)[1] for page in (first, second)]
    assert (versions[0] == versions[1], first.text == second.text) == (True, False)


async def test_boxes_are_unticked_labelled_and_one_for_each_use_case(customer, pages, nobody) -> None:
    """A box that is ticked already is no consent, and neither is one for everything."""
    html = (await nobody.get(at(customer, "opt-in"))).text
    assert html.count('type="checkbox"') == len(PROGRAMMES)
    assert "checked" not in html
    for field in re.findall(r'<input id="([^"]+)"|<input type="checkbox" id="([^"]+)"', html):
        assert f'<label for="{"".join(field)}">' in html
    assert "<script" not in html


async def test_pages_load_nothing_and_frame_only_the_form(customer, pages, nobody) -> None:
    """A page that runs nothing cannot be made to run anything."""
    plain = (await nobody.get(at(customer, "opt-in"))).headers["content-security-policy"]
    assert plain.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in plain
    framed = await nobody.get(at(customer, "opt-in"), params={"embed": "1"})
    assert framed.headers["content-security-policy"].endswith("frame-ancestors https://www.acme.example")
    script = await nobody.get(at(customer, "widget.js"))
    assert script.headers["content-type"].startswith("text/javascript")
    assert f'"src": "{PUBLIC_URL}/p/{customer.slug}/opt-in?embed=1' in script.text
    assert "<noscript><iframe" in pages["embed"]


@pytest.mark.parametrize(
    "path", ["terms", "privacy", "opt-in", "paper", "script", "preferences", "widget.js"]
)
async def test_nothing_a_tenant_writes_becomes_markup(customer, nobody, path) -> None:
    """The pages stand on the gateway's own domain: one tenant's script would reach every other's visitors."""
    evil = "<script>alert(1)</script>\"'><b>{number}"
    await publish(
        customer,
        brand=evil[:40],
        legal_name=evil,
        programmes=[PROGRAMMES[0] | {"name": evil, "purpose": evil, "frequency": evil}],
    )
    html = (await nobody.get(at(customer, path))).text
    assert "<script>" not in html
    assert "<b>" not in html


async def test_nothing_a_visitor_writes_becomes_markup(customer, pages, nobody) -> None:
    """What was typed wrongly is shown again, as text."""
    data = {"number": '"><script>alert(1)</script>', "use_case": "marketing", "lang": "<x>"}
    answer = await nobody.post(at(customer, "opt-in"), data=data)
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text


async def test_a_form_asks_the_phone_and_keeps_the_words_that_were_shown(customer, pages, nobody) -> None:
    """Anybody can type anybody's number: only the phone itself agrees."""
    answer = await nobody.post(at(customer, "opt-in"), data={"number": PERSON, "use_case": "marketing"})
    assert answer.status_code == 200, answer.text
    assert await states(customer) == {"marketing": "pending"}
    (line,) = (await customer.api.get(f"/v1/consents/{PERSON}")).json()["records"]
    assert (line["event"], line["method"], line["actor"]) == ("asked", "web", "recipient")
    assert line["ip"]
    words = (await customer.api.get(f"/v1/consents/texts/{line['text_hash']}")).json()["text"]
    assert words == pages["disclosures"][0]["text"]


async def test_words_of_another_direction_keep_their_place_in_the_sentence(customer, nobody) -> None:
    """A brand, a programme and a purpose in Arabic stood in the wrong order: the last one first."""
    name, brand, purpose = "عروض أكمي", "أكمي", "عروض الأسبوع"
    arabic = {"name": name, "purpose": purpose, "frequency": None}
    pages = await publish(customer, brand=brand, legal_name=brand, programmes=[PROGRAMMES[0] | arabic])
    form = (await nobody.get(at(customer, "opt-in"))).text
    assert f"from <bdi>{brand}</bdi> (<bdi>{name}</bdi>) about <bdi>{purpose}</bdi>." in form
    assert f"<h1>Get text messages from <bdi>{brand}</bdi></h1>" in form
    assert pages["disclosures"][0]["text"] in shown(form)
    terms = (await nobody.get(at(customer, "terms"))).text
    assert f"<p><bdi>{brand}</bdi>: <bdi>{purpose}</bdi>. " in terms


async def test_a_signed_link_confirms_by_its_button_only(customer, pages, nobody, key) -> None:
    """Programs open links of texts to look at them; looking must not agree."""
    await nobody.post(at(customer, "opt-in"), data={"number": PERSON, "use_case": "marketing"})
    path = at(customer, f"confirm/{link(key, customer, 'confirm')}")
    assert "Acme Offers" in (await nobody.get(path)).text
    assert await states(customer) == {"marketing": "pending"}
    assert (await nobody.post(path)).status_code == 200
    assert await states(customer) == {"marketing": "granted"}
    assert "nothing to confirm" in (await nobody.get(path)).text


async def test_the_page_of_a_confirmation_answers_in_the_language_that_it_was_read_in(
    customer, pages, nobody, key
) -> None:
    """The button led to the tenant's own language."""
    await nobody.post(at(customer, "opt-in"), data={"number": PERSON, "use_case": "marketing"})
    path = at(customer, f"confirm/{link(key, customer, 'confirm')}")
    form = (await nobody.get(path, params={"lang": "de"})).text
    action = re.search(r'<form method="post" action="([^"]*)"', form)
    assert "Danke, Sie sind angemeldet." in (await nobody.post(unescape(action[1]))).text


async def test_a_number_that_was_mistyped_stands_there_to_be_mended(customer, pages, nobody) -> None:
    """Whoever left the country code out would begin anew."""
    for way in ("code", "enter"):
        answer = await nobody.post(at(customer, f"preferences/{way}"), data={"number": "206 555"})
        assert (answer.status_code, 'value="206 555"' in answer.text) == (422, True)


async def test_links_that_are_forged_expired_or_anothers_open_nothing(
    customer, pages, nobody, key, enrol, world
) -> None:
    """A link is the only key to a phone's page."""
    await nobody.post(at(customer, "opt-in"), data={"number": PERSON, "use_case": "marketing"})
    other = await enrol()
    others_key = await world.services.data_keys.of(other.scope.tenant_id)
    good = link(key, customer, "confirm")
    wrong = [
        good[:-6] + "AAAAAA",
        "x",
        link(key, customer, "confirm", minutes=-1),
        link(key, customer, "preferences"),
        link(others_key, other, "confirm"),
    ]
    for each in wrong:
        for ask in (nobody.get, nobody.post):
            assert (await ask(at(customer, f"confirm/{each}"))).status_code == 404, each
    assert (await nobody.get(at(customer, f"preferences/{good}"))).status_code == 404
    assert await states(customer) == {"marketing": "pending"}


async def test_a_link_that_is_over_leads_to_where_one_begins_anew(customer, pages, nobody, key) -> None:
    """The page of a preference link, which lives for minutes, was a dead end."""
    old = link(key, customer, "preferences", minutes=-1)
    gone = await nobody.get(at(customer, f"preferences/{old}"), params={"lang": "de"})
    assert f'href="{PUBLIC_URL}{at(customer, "preferences")}?lang=de"' in gone.text
    for each in (link(key, customer, "confirm", minutes=-1), link(key, customer, "confirm")):
        over = await nobody.get(at(customer, f"confirm/{each}"))
        assert f'href="{PUBLIC_URL}{at(customer, "opt-in")}?lang=en"' in over.text


@pytest.mark.parametrize(
    ("path", "data", "field"),
    [
        ("opt-in", {"number": "5", "use_case": "marketing"}, "number"),
        ("preferences/code", {"number": "5"}, "number"),
        ("preferences/enter", {"number": PERSON, "code": "x"}, "code"),
    ],
)
async def test_a_fault_is_said_in_the_title_and_belongs_to_its_field(
    customer, pages, nobody, path, data, field
) -> None:
    """Who hears the page instead of seeing it was told a fault, and not of what."""
    html = (await nobody.post(at(customer, path), data=data)).text
    fault = re.search(rf'<p id="notice" role="alert" class="bad"><a href="#{field}">([^<]+)</a>', html)
    assert fault, html
    assert f"<title>{fault[1]} \u2013 " in html
    place = re.search(rf'<input id="{field}"[^>]+>', html)[0]
    assert 'aria-invalid="true" aria-describedby="notice"' in place


async def test_the_trap_catches_machines_without_telling_them(customer, pages, nobody) -> None:
    """Who fills in what people do not see gets thanks and nothing else."""
    data = {"number": PERSON, "use_case": "marketing", "company": "x"}
    good = await nobody.post(at(customer, "opt-in"), data=data | {"company": ""})
    trapped = await nobody.post(at(customer, "opt-in"), data=data | {"number": "+12065550172"})
    assert (trapped.status_code, trapped.text) == (good.status_code, good.text)
    assert await states(customer, "+12065550172") == {}


async def test_a_number_is_texted_a_few_times_an_hour_and_an_address_posts_so_often(
    customer, pages, nobody
) -> None:
    """A form must not be a way to pester a phone, or to pump messages at the tenant's cost."""
    data = {"number": PERSON}
    for _ in range(MOST_TO_A_NUMBER):
        assert (await nobody.post(at(customer, "preferences/code"), data=data)).status_code == 200
    assert (await nobody.post(at(customer, "preferences/code"), data=data)).status_code == 429
    answers = [
        await nobody.post(
            at(customer, "opt-in"), data={"number": f"+120655502{n:02}", "use_case": "delivery"}
        )
        for n in range(30)
    ]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429


async def test_who_comes_too_soon_is_told_when_to_come_again(customer, pages, nobody, database) -> None:
    """By Retry-After, as the API says it: to the second at which the window ends that is used up."""
    code, number = at(customer, "preferences/code"), {"number": PERSON}
    for _ in range(MOST_TO_A_NUMBER):
        assert "retry-after" not in (await nobody.post(code, data=number)).headers
    await passes(database, customer, minutes=20)
    texted_often = await nobody.post(code, data=number)
    for n in range(30):
        data = {"number": f"+120655504{n:02}", "use_case": "delivery"}
        posted_often = await nobody.post(at(customer, "opt-in"), data=data)
    for held in (texted_often, posted_often):
        assert held.status_code == 429
        assert 2340 <= int(held.headers["retry-after"]) <= 2400


async def test_a_number_that_was_texted_all_day_waits_for_the_next_of_its_rare_texts(
    customer, pages, nobody, database
) -> None:
    """Beyond the day's free texts one goes in three hours, and none waits longer than the day."""
    code, number = at(customer, "preferences/code"), {"number": PERSON}
    for _ in range(FREE_A_DAY + 1):
        await passes(database, customer, minutes=61)
        assert (await nobody.post(code, data=number)).status_code == 200
    await passes(database, customer, minutes=61)
    held = await nobody.post(code, data=number)
    assert held.status_code == 429
    assert 7080 <= int(held.headers["retry-after"]) <= 7140, "two hours less a minute"


async def test_an_ipv6_site_is_one_visitor_whichever_of_its_addresses_posts(customer, pages, world) -> None:
    """Else one machine would text as many phones as it has addresses."""
    statuses = []
    for n in range(31):
        transport = httpx.ASGITransport(app=world.app, client=(f"2001:db8:7:7::{n:x}", 1))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as visitor:
            data = {"number": f"+120655503{n:02}"}
            statuses.append((await visitor.post(at(customer, "preferences/code"), data=data)).status_code)
    assert statuses == [200] * 30 + [429]


async def test_what_was_ticked_stays_ticked_beside_a_mistake(customer, pages, nobody) -> None:
    """Whoever mistyped the number had to find the boxes again."""
    data = {"number": "5", "use_case": ["delivery"]}
    again = await nobody.post(at(customer, "opt-in"), data=data)
    assert (again.status_code, again.text.count(" checked")) == (422, 1)
    assert 'value="delivery" checked' in again.text


async def test_nothing_of_a_form_is_kept_in_memory(customer, pages, nobody) -> None:
    """The framework kept the last thousand forms of a process, numbers and codes with them."""
    before = parse_url_encoded_form_data.cache_info().currsize
    for path in ("opt-in", "preferences/code", "preferences/enter"):
        await nobody.post(at(customer, path), data={"number": PERSON, "code": path})
    assert parse_url_encoded_form_data.cache_info().currsize == before
    many = "&".join(f"n{at}=" for at in range(501))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await nobody.post(at(customer, "opt-in"), content=many, headers=headers)).status_code == 400


async def test_a_form_without_a_box_or_a_number_says_so(customer, pages, nobody) -> None:
    """Nothing may be stored that was not said."""
    none = await nobody.post(at(customer, "opt-in"), data={"number": PERSON})
    assert (none.status_code, 'role="alert"' in none.text) == (422, True)
    assert f'value="{PERSON}"' in none.text
    bad = await nobody.post(at(customer, "opt-in"), data={"number": "5", "use_case": "marketing"})
    assert bad.status_code == 422
    made_up = await nobody.post(at(customer, "opt-in"), data={"number": PERSON, "use_case": "made_up"})
    assert made_up.status_code == 422
    assert await states(customer) == {}


@pytest.mark.parametrize(
    ("charset", "said"),
    [("nope", b"+12065550171"), ("utf-16", b"+12"), ("hex", b"2b"), ("utf-8", b"\xff\xfe")],
)
@pytest.mark.parametrize("path", ["opt-in", "preferences/code", "preferences/enter"])
async def test_a_form_in_no_charset_is_refused_and_breaks_nothing(
    customer, pages, nobody, path, charset, said
) -> None:
    """Anybody may post here; a fault of ours wakes somebody."""
    heads = f'Content-Disposition: form-data; name="number"\r\nContent-Type: text/plain; charset={charset}'
    content = b"--x\r\n" + heads.encode() + b"\r\n\r\n" + said + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await nobody.post(at(customer, path), content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "UTF-8" in answer.json()["detail"]


async def test_preferences_turn_single_use_cases_on_and_off_and_stop_everything(
    customer, pages, nobody, key, world
) -> None:
    """People decide, without an account and without a call."""
    path = at(customer, f"preferences/{link(key, customer, 'preferences')}")
    assert "checked" not in (await nobody.get(path)).text
    both = await nobody.post(path, data={"do": "save", "use_case": ["marketing", "delivery"]})
    assert both.text.count(" checked") == 2
    assert await states(customer) == {"marketing": "granted", "delivery": "granted"}
    await nobody.post(path, data={"do": "save", "use_case": "delivery"})
    assert await states(customer) == {"marketing": "withdrawn", "delivery": "granted"}
    assert world.projection.opt_outs[-1][1::2] == ("promotional", True)
    stopped = await nobody.post(path, data={"do": "stop"})
    assert "checked" not in stopped.text
    assert world.projection.opt_outs[-1][1::2] == ("all", True)
    await nobody.post(path, data={"do": "save", "use_case": "delivery"})
    lists = (await customer.api.get("/v1/opt-outs")).json()["data"]
    assert sorted(each["list"] for each in lists) == ["otp", "promotional"]


async def test_a_code_proves_a_phone_within_five_guesses(customer, pages, nobody, key, database) -> None:
    """A number that anybody may type is no proof; the code that arrives there is."""
    asked = await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    assert 'name="code"' in asked.text
    query = "SELECT id, text_sealed FROM consent_asks WHERE tenant_id = $1"
    (row,) = await database.fetch(query, customer.scope.tenant_id)
    words = key.open(row["text_sealed"], context=b"consent-ask:" + row["id"].bytes).decode()
    code = re.search(r"[0-9]{6}", words)[0]
    enter = at(customer, "preferences/enter")
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert (await nobody.post(enter, data={"number": PERSON, "code": wrong})).status_code == 422
    right = await nobody.post(enter, data={"number": PERSON, "code": code})
    assert right.status_code == 303
    assert (await nobody.get(right.headers["location"])).status_code == 200
    again = await nobody.post(enter, data={"number": PERSON, "code": code})
    assert again.status_code == 422, "a code serves once"
    await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    for _ in range(MOST_GUESSES):
        assert (await nobody.post(enter, data={"number": PERSON, "code": "x"})).status_code == 422
    rows = await database.fetch(query + " ORDER BY id DESC LIMIT 1", customer.scope.tenant_id)
    words = key.open(rows[0]["text_sealed"], context=b"consent-ask:" + rows[0]["id"].bytes).decode()
    late = await nobody.post(enter, data={"number": PERSON, "code": re.search(r"[0-9]{6}", words)[0]})
    assert late.status_code == 422, "the guesses are used up"


async def passes(database, customer, **spent):
    """Let time pass for what brakes the forms."""
    query = "UPDATE form_hits SET began_at = began_at - $2::interval WHERE tenant_id = $1"
    await database.execute(query, customer.scope.tenant_id, timedelta(**spent))


async def texted(database, customer, key):
    """The code that was texted last."""
    query = "SELECT id, text_sealed FROM consent_asks WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1"
    row = await database.fetchrow(query, customer.scope.tenant_id)
    words = key.open(row["text_sealed"], context=b"consent-ask:" + row["id"].bytes).decode()
    return re.search(r"[0-9]{6,}", words)[0]


async def test_who_guesses_slowly_gets_nowhere_and_locks_nobody_out(
    customer, pages, nobody, key, database
) -> None:
    """Five guesses at each code, code after code, would be a code some day; the owner still gets in."""
    lengths = []
    for _ in range(MOST_WRONG // MOST_GUESSES + 1):
        await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
        lengths.append(len(await texted(database, customer, key)))
        for _ in range(MOST_GUESSES):
            await nobody.post(at(customer, "preferences/enter"), data={"number": PERSON, "code": "x"})
        await passes(database, customer, days=2)
    assert lengths == [6] * (MOST_WRONG // MOST_GUESSES) + [10]
    data = {"number": PERSON, "code": await texted(database, customer, key)}
    assert (await nobody.post(at(customer, "preferences/enter"), data=data)).status_code == 303
    await database.execute(
        "UPDATE page_codes SET wrong_since = wrong_since - $2::interval WHERE tenant_id = $1",
        customer.scope.tenant_id,
        WRONG_REMEMBERED,
    )
    await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    assert len(await texted(database, customer, key)) == 6, "it is forgotten some day"


async def test_a_short_code_ends_with_the_last_guess_that_its_number_has(
    customer, pages, nobody, key, database
) -> None:
    """Else the last short code would have guesses of its own beyond those."""
    await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    await database.execute(
        "UPDATE page_codes SET wrong = $2, wrong_since = now() WHERE tenant_id = $1",
        customer.scope.tenant_id,
        MOST_WRONG,
    )
    data = {"number": PERSON, "code": await texted(database, customer, key)}
    assert (await nobody.post(at(customer, "preferences/enter"), data=data)).status_code == 422


async def test_an_address_enters_so_many_wrong_codes_a_day_at_whatever_numbers(
    customer, pages, nobody, world, key, database
) -> None:
    """A guess at each of many numbers is a guess, too; who is elsewhere is not held up."""
    enter = at(customer, "preferences/enter")
    for n in range(MOST_WRONG_OF_AN_ADDRESS):
        if n == 30:
            await passes(database, customer, minutes=61)
        wrong = await nobody.post(enter, data={"number": f"+1206555{4000 + n}", "code": "000000"})
        assert wrong.status_code == 422, wrong.text
    held = await nobody.post(enter, data={"number": PERSON, "code": "000000"})
    assert (held.status_code, "tomorrow" in held.text) == (429, True)
    assert 82_600 <= int(held.headers["retry-after"]) <= 82_740, "a day from the first wrong code"
    transport = httpx.ASGITransport(app=world.app, client=("198.51.100.77", 1))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as owner:
        await owner.post(at(customer, "preferences/code"), data={"number": PERSON})
        data = {"number": PERSON, "code": await texted(database, customer, key)}
        assert (await owner.post(enter, data=data)).status_code == 303
    await passes(database, customer, days=1)
    assert (await nobody.post(enter, data={"number": PERSON, "code": "000000"})).status_code == 422


async def test_a_number_is_not_texted_all_day(customer, pages, nobody, database) -> None:
    """Three texts an hour would be 72 a day to a phone whose owner asked for none."""
    sent = 0
    for _ in range(24):
        for _ in range(MOST_TO_A_NUMBER):
            data = {"number": PERSON}
            sent += (await nobody.post(at(customer, "preferences/code"), data=data)).status_code == 200
        await passes(database, customer, minutes=61)
    assert sent <= FREE_A_DAY + 24 // 3


async def test_a_stranger_at_the_opt_in_form_does_not_use_up_the_owners_codes(
    customer, pages, nobody, key, database
) -> None:
    """Filling in somebody's number again and again must not keep that person from the preference page."""
    for _ in range(7):
        for _ in range(MOST_TO_A_NUMBER):
            data = {"number": PERSON, "use_case": "marketing"}
            asked = await nobody.post(at(customer, "opt-in"), data=data)
        await passes(database, customer, minutes=61)
    assert (asked.status_code, "in a few hours" in asked.text) == (429, True)
    await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    data = {"number": PERSON, "code": await texted(database, customer, key)}
    assert (await nobody.post(at(customer, "preferences/enter"), data=data)).status_code == 303


async def test_a_wrong_code_and_too_many_texts_still_ask_for_the_code(customer, pages, nobody) -> None:
    """A typing error must not cost another text, and who was texted enough has a code to enter."""
    await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    wrong = await nobody.post(at(customer, "preferences/enter"), data={"number": PERSON, "code": "x"})
    assert (wrong.status_code, 'name="code"' in wrong.text, PERSON in wrong.text) == (422, True, True)
    for _ in range(MOST_TO_A_NUMBER):
        last = await nobody.post(at(customer, "preferences/code"), data={"number": PERSON})
    assert (last.status_code, 'name="code"' in last.text) == (429, True)


async def test_who_visits_while_the_database_is_away_reads_so_on_a_page(world) -> None:
    """A recipient read a machine's problem."""
    away = create_engine("postgresql://nobody@127.0.0.1:1/nowhere", "worker", pool_size=1)
    async with World(replace(world.services, operator_engine=away)).client() as visitor:
        told = await visitor.get("/p/acme/opt-in?lang=de")
    assert (told.status_code, told.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "kann gerade nicht antworten" in told.text
    assert int(told.headers["retry-after"]) > 0


async def test_a_tenant_without_pages_has_none(customer, nobody) -> None:
    """Nothing is public that nobody published."""
    for path in ("terms", "opt-in", "widget.js", "preferences", "confirm/x"):
        assert (await nobody.get(at(customer, path))).status_code == 404
    assert (await nobody.get("/p/nobody/terms")).status_code == 404
    for path in (at(customer, "imprint"), at(customer, "opt-in/more")):
        lost = await nobody.get(path)
        assert (lost.status_code, "There is no such page." in lost.text) == (404, True), path
    assert (await customer.api.get("/v1/hosted-pages")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"programmes": []},
        {"programmes": [PROGRAMMES[0], PROGRAMMES[0]]},
        {"website": "javascript:alert(1)"},
        {"allowed_origins": ["https://a.example; script-src *"]},
        {"support_email": "x"},
        {"brand": "a\nb"},
        {"legal_name": "a\x00b"},
        {"unknown": 1},
    ],
)
async def test_settings_that_would_break_a_page_are_refused(customer, change) -> None:
    """What is published must be complete, and must not reach into the page's own rules."""
    answer = await customer.api.put("/v1/hosted-pages", json=SETTINGS | change)
    assert answer.status_code == 422, answer.text
