"""Consents over the API: who agreed to what, by which words, and who no longer does."""

import re
from hashlib import sha256

import pytest

from tenants.consents.models import ConsentRecord

ALICE = "+12065550181"
BOB = "+12065550182"
PATH = "/v1/consents"
WORDS = "I agree to receive offers from Acme. Message frequency varies. Message and data rates may apply."


def consent(number=ALICE, **more):
    return {"number": number, "use_case": "marketing", "type": "promotional", "text": WORDS} | more


async def write(api, number=ALICE, **more):
    answer = await api.post(PATH, json=consent(number, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_consent_is_shown_with_its_words_and_its_proof(customer) -> None:
    """A carrier's audit asks who agreed to what, by which words, and how that can be shown."""
    made = await write(
        customer.api, method="paper", signer="Alice A.", evidence="box 7", given_at="2026-01-05T10:00:00Z"
    )
    assert (made["state"], made["number"], made["text_hash"]) == (
        "granted",
        ALICE,
        sha256(WORDS.encode()).hexdigest(),
    )
    shown = (await customer.api.get(f"{PATH}/{ALICE}")).json()
    (line,) = shown["records"]
    assert (line["event"], line["method"], line["signer"], line["evidence"]) == (
        "granted",
        "paper",
        "Alice A.",
        "box 7",
    )
    assert line["given_at"] == "2026-01-05T10:00:00.000Z"
    words = await customer.api.get(f"{PATH}/texts/{made['text_hash']}")
    assert words.json()["text"] == WORDS


async def test_a_withdrawal_is_a_line_more_and_an_opt_out_of_the_type(customer, world) -> None:
    """Nothing is ever taken back from the ledger, and who withdraws must not be texted by chance."""
    await write(customer.api)
    await write(customer.api, use_case="polls")
    first = (await customer.api.delete(f"{PATH}/{ALICE}/polls")).json()
    assert [each["state"] for each in first["consents"]] == ["granted", "withdrawn"]
    assert world.projection.opt_outs == [], "another use case of the type is still wanted"
    last = (await customer.api.delete(f"{PATH}/{ALICE}/marketing")).json()
    assert [each["event"] for each in last["records"]] == ["granted", "granted", "withdrawn", "withdrawn"]
    (told,) = world.projection.opt_outs
    assert (told[1], told[3]) == ("promotional", True)
    again = (await customer.api.delete(f"{PATH}/{ALICE}/marketing")).json()
    assert len(again["records"]) == 4


async def test_a_double_opt_in_is_pending_and_orders_one_text(customer, database, world) -> None:
    """Whoever types a stranger's number must not subscribe the stranger."""
    made = await write(customer.api, double_opt_in=True, language="de", programme="Angebote")
    assert made["state"] == "pending"
    assert made["closes_at"] is not None
    query = "SELECT kind, text_sealed, number_sealed FROM consent_asks WHERE tenant_id = $1"
    (ask,) = await database.fetch(query, customer.scope.tenant_id)
    assert ask["kind"] == "confirm"
    assert ALICE.encode() not in ask["number_sealed"] + ask["text_sealed"]
    assert b"Antworten Sie" not in ask["text_sealed"]
    await database.execute(
        "UPDATE consents SET closes_at = now() - interval '1 second' WHERE tenant_id = $1",
        customer.scope.tenant_id,
    )
    shown = (await customer.api.get(f"{PATH}/{ALICE}")).json()
    assert shown["consents"][0]["state"] == "expired"


async def test_a_text_has_a_link_where_there_are_pages_to_which_it_leads(customer, database, world) -> None:
    """A link that opens nothing is the first thing a person would know of the tenant."""
    key = await world.services.data_keys.of(customer.scope.tenant_id)
    query = "SELECT id, text_sealed FROM consent_asks WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1"

    async def asked(number):
        await write(customer.api, number, double_opt_in=True)
        row = await database.fetchrow(query, customer.scope.tenant_id)
        return key.open(row["text_sealed"], context=b"consent-ask:" + row["id"].bytes).decode()

    assert "/confirm/" not in await asked(ALICE)
    pages = {
        "brand": "Acme",
        "legal_name": "Acme Inc.",
        "website": "https://acme.example",
        "support_email": "care@acme.example",
        "support_phone": "+18885550142",
        "programmes": [
            {"use_case": "marketing", "type": "promotional", "name": "Offers", "purpose": "offers"}
        ],
    }
    assert (await customer.api.put("/v1/hosted-pages", json=pages)).status_code == 200
    link = re.search(r"https://\S+/confirm/\S+", await asked(BOB))
    assert link is not None
    async with world.client() as browser:
        assert (await browser.get(link[0])).status_code == 200


async def test_asking_again_never_makes_a_granted_consent_pending(customer, database) -> None:
    """A form filled in twice must not take away what was given."""
    await write(customer.api)
    assert (await write(customer.api, double_opt_in=True))["state"] == "granted"
    query = "SELECT count(*) FROM consent_asks WHERE tenant_id = $1"
    assert await database.fetchval(query, customer.scope.tenant_id) == 0


async def test_a_test_keys_consent_counts_for_no_live_one(customer, world, make_key) -> None:
    """Consents made up in a test must not let a live message out."""
    async with world.client(await make_key(customer.id, mode="test")) as tester:
        await write(tester)
    assert (await customer.api.get(PATH)).json()["data"] == []


async def test_an_import_is_taken_whole_or_not_at_all_and_comes_out_again(customer) -> None:
    """A second try of a mended file must be no puzzle."""
    head = "number,use_case,type,given_at,text\n"
    good = f"{ALICE},marketing,promotional,2026-01-05T10:00:00Z,{WORDS.replace(',', ';')}\n"
    bad = "12,marketing,promotional,,\n+12065550182,x y,otp,,\n+12065550182,otp,otp,2999-01-01T00:00:00Z,\n"
    refused = (await customer.api.post(f"{PATH}/import", json={"csv": head + good + bad})).json()
    assert (refused["applied"], refused["faults"]) == (False, 3)
    assert [each["column"] for each in refused["errors"]] == ["number", "use_case", "given_at"]
    dry = (await customer.api.post(f"{PATH}/import", json={"csv": head + good, "dry_run": True})).json()
    assert (dry["applied"], dry["changed"], dry["rows"]) == (False, 0, 1)
    assert (await customer.api.get(PATH)).json()["data"] == []
    done = (await customer.api.post(f"{PATH}/import", json={"csv": head + good})).json()
    assert (done["applied"], done["changed"]) == (True, 1)
    file = await customer.api.get(f"{PATH}/export")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.text.splitlines()[1].startswith(f"{ALICE},marketing,promotional,granted,import,")


async def test_what_was_given_before_a_withdrawal_does_not_take_it_back(customer) -> None:
    """Last month's file is imported again, and who left meanwhile has left; a word of today counts."""
    given = "2026-01-05T10:00:00Z"
    file = f"number,use_case,type,given_at,text\n{ALICE},marketing,promotional,{given},I agree\n"
    await write(customer.api, use_case="polls")
    for changed in (1, 0):
        done = (await customer.api.post(f"{PATH}/import", json={"csv": file})).json()
        assert (done["applied"], done["changed"]) == (True, changed)
        await customer.api.delete(f"{PATH}/{ALICE}/marketing")
        shown = (await customer.api.get(f"{PATH}/{ALICE}")).json()
        assert [each["state"] for each in shown["consents"]] == ["withdrawn", "granted"]
    assert (await write(customer.api, given_at=given))["state"] == "withdrawn"
    events = [line["event"] for line in shown["records"] if line["use_case"] == "marketing"]
    assert events == ["granted", "withdrawn", "granted"], "each is in the ledger, and who left need not again"
    assert (await write(customer.api))["state"] == "granted"


async def test_consents_of_another_tenant_are_absent(customer, enrol) -> None:
    """Consent never moves between brands."""
    made = await write(customer.api)
    other = await enrol()
    assert (await other.api.get(f"{PATH}/{ALICE}")).json()["consents"] == []
    assert (await other.api.get(PATH)).json()["data"] == []
    assert (await other.api.get(f"{PATH}/texts/{made['text_hash']}")).status_code == 404


async def test_pages_of_consents_come_without_gaps(customer) -> None:
    """Every consent once, however small the pages."""
    for number in (ALICE, BOB, "+12065550183"):
        await write(customer.api, number)
    seen, after = [], None
    while True:
        params = {"limit": 1} | ({} if after is None else {"after": after})
        page = (await customer.api.get(PATH, params=params)).json()
        seen += [each["number"] for each in page["data"]]
        after = page["next_cursor"]
        if after is None:
            break
    assert sorted(seen) == sorted({ALICE, BOB, "+12065550183"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "12"}, "invalid_number"),
        ({"given_at": "2999-01-01T00:00:00Z"}, "in_the_future"),
        ({"use_case": "x y"}, None),
        ({"method": "sms"}, None),
    ],
)
async def test_a_bad_consent_is_refused_naming_the_field(customer, change, code) -> None:
    """Nothing half true may stand in the ledger."""
    answer = await customer.api.post(PATH, json=consent() | change)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "/" + next(iter(change))
    assert code in {None, fault["code"]}


async def test_no_role_may_change_or_delete_a_line(database) -> None:
    """A proof that could be edited proves nothing."""
    for table in (ConsentRecord.__tablename__, "consent_texts"):
        for role in ("tollgate_app", "tollgate_worker", "tollgate_ingest"):
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                query = "SELECT has_table_privilege($1, $2, $3)"
                assert not await database.fetchval(query, role, table, right), (table, role, right)
