"""Opt-outs by every way, keywords, and two-way settings, as the API has them."""

import asyncio

import pytest
from sqlalchemy import text

from gateway.api.recipients.opt_out_changing import opt_out_all
from gateway.db.transaction import worker_transaction
from tenants.optouts import service
from tests.contract.test_redundancy import counted
from tests.harness.waiting import until

NUMBER, OTHER = "+12065550100", "+12065550101"


async def ledger(customer, **params):
    """The lines of the ledger, the oldest first."""
    answer = await customer.api.get("/v1/opt-outs/changes", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def whole_ledger(customer, lines):
    """The ledger of all once it has so many lines: it lists what no earlier line can join."""

    async def listed():
        found = await ledger(customer)
        return found if len(found) >= lines else None

    return await until(listed, within_s=150)


async def test_every_way_leads_into_one_ledger(customer, operator) -> None:
    """Who asked, by which way, and what for; what changed nothing leaves no line."""
    await customer.api.put(f"/v1/opt-outs/{NUMBER}")
    await customer.api.put(f"/v1/opt-outs/{NUMBER}")
    file = {"csv": f"number,opted_out,note\n{NUMBER},false,asked by mail\n{OTHER},,\n"}
    assert (await customer.api.post("/v1/opt-outs/import", json=file)).json()["changed"] == 2
    spoken = {"number": OTHER, "agent": "Jo", "opted_out": False, "note": "call 17"}
    path = f"/v1/admin/tenants/{customer.id}/opt-outs"
    assert (await operator.post(path, json=spoken)).json()["changed"] is True
    lines = await whole_ledger(customer, 4)
    assert [(each["number"], each["change"], each["source"], each["note"]) for each in lines] == [
        (NUMBER, "opted_out", "api", None),
        (NUMBER, "opted_in", "csv", "asked by mail"),
        (OTHER, "opted_out", "csv", None),
        (OTHER, "opted_in", "call_centre", "call 17"),
    ]
    assert [each["actor"][:4] for each in lines] == ["key_", "key_", "key_", "Jo"]
    assert [each["number"] for each in await ledger(customer, number=OTHER)] == [OTHER, OTHER]
    theirs = (await operator.get(f"{path}/changes", params={"number": OTHER})).json()["data"]
    assert theirs == lines[2:]


async def test_the_ledger_of_another_tenant_is_invisible(customer, stranger) -> None:
    """Not even that a number is known."""
    await customer.api.put(f"/v1/opt-outs/{NUMBER}")
    await whole_ledger(customer, 1)
    assert await ledger(stranger) == []
    assert await ledger(stranger, number=NUMBER) == []


async def test_a_change_of_a_slow_transaction_is_not_stepped_over(customer, world, engines) -> None:
    """It was written first and is committed last: whoever follows the cursor must meet it all the same."""
    key = await world.services.data_keys.of(customer.scope.tenant_id)

    async def put(session, number):
        await service.put(customer.scope, session, key, number=number)

    async with worker_transaction(engines["operator"]) as session:
        await put(session, NUMBER)
        for number in (OTHER, "+12065550102", "+12065550103"):
            await customer.api.put(f"/v1/opt-outs/{number}")
        assert [line["number"] for line in await ledger(customer, number=OTHER)] == [OTHER]
        first = await customer.api.get("/v1/opt-outs/changes", params={"limit": 1})
    place, seen = first.json()["next_cursor"], [line["number"] for line in first.json()["data"]]
    follow = {} if place is None else {"after": place}

    async def told_of_four():
        found = [line["number"] for line in await ledger(customer, **follow)]
        return seen + found if len(seen + found) == 4 else None

    assert (await until(told_of_four, within_s=20))[0] == NUMBER


class Follower:
    """Another system that keeps the last cursor it was given."""

    def __init__(self, customer) -> None:
        self.customer, self.after, self.lines = customer, {}, {}

    async def read(self):
        """Read on to the end as it is now; every number that it was ever told, in order."""
        while True:
            params = {"limit": 3} | self.after
            page = (await self.customer.api.get("/v1/opt-outs/changes", params=params)).json()
            self.lines |= {line["id"]: line["number"] for line in page["data"]}
            if page["next_cursor"] is None:
                return list(self.lines.values())
            self.after = {"after": page["next_cursor"]}


async def test_a_file_that_is_committed_late_is_not_stepped_over(customer, world, engines) -> None:
    """Two files at once: one is taken first and committed last, the other's transaction began before it."""
    key = await world.services.data_keys.of(customer.scope.tenant_id)
    late, early = ([f"+120655510{each:02d}" for each in range(at, at + 20)] for at in (0, 50))
    follower = Follower(customer)

    async def take(session, numbers):
        wishes = [service.Wish(number=number, list_name="all") for number in numbers]
        await opt_out_all(customer.scope, session, key, wishes, source="csv")

    async with worker_transaction(engines["operator"]) as first:
        await first.execute(text("SELECT now()"))
        await customer.api.put(f"/v1/opt-outs/{NUMBER}")
        await whole_ledger(customer, 1)
        async with worker_transaction(engines["operator"]) as slow:
            await take(slow, late)
            await take(first, early)
            await first.commit()
            await follower.read()

    async def told_of_all():
        return len(await follower.read()) == 1 + len(late) + len(early)

    await until(told_of_all, within_s=20)
    assert await follower.read() == [NUMBER, *late, *early]


def file_of(numbers, *, taken_off_between):
    """A file that opts numbers out, in their order; half way through it another is taken off, if wanted."""
    rows = [f"{number},true" for number in numbers]
    if taken_off_between:
        rows.insert(len(rows) // 2, f"{NUMBER},false")
    return {"csv": "\n".join(["number,opted_out", *rows])}


@pytest.mark.parametrize("taken_off_between", [False, True])
async def test_two_files_of_the_same_numbers_are_both_taken(customer, taken_off_between) -> None:
    """Each held what the other waited for, and Postgres ended one of them."""
    numbers = [f"+1206555{each:04d}" for each in range(200, 1400)]
    files = [file_of(each, taken_off_between=taken_off_between) for each in (numbers, numbers[::-1])]
    answers = await asyncio.gather(
        *(customer.api.post("/v1/opt-outs/import", json=each, timeout=60) for each in files)
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sum(answer.json()["changed"] for answer in answers) == len(numbers)


async def test_an_opt_out_on_a_list_that_is_none_is_refused(customer, stranger, operator) -> None:
    """A typo would be taken for an opt-out that no send ever looks at."""
    listed = (await customer.api.get("/v1/opt-out-lists")).json()["data"]
    assert [(each["name"], each["stops"]) for each in listed] == [
        (name, name) for name in ("all", "otp", "transactional", "promotional")
    ]
    path = "/v1/opt-out-lists/nope/numbers"
    for method, where in (("PUT", f"{path}/{NUMBER}"), ("DELETE", f"{path}/{NUMBER}"), ("GET", path)):
        answer = await customer.api.request(method, where)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "all, otp, transactional, promotional" in answer.json()["detail"]
    filtered = await customer.api.get("/v1/opt-outs?list=nope")
    assert (filtered.status_code, filtered.json()["errors"][0]["field"]) == (422, "?list")
    file = await customer.api.post("/v1/opt-outs/import", json={"csv": f"number,list\n{NUMBER},nope\n"})
    assert [(each["column"], each["code"]) for each in file.json()["errors"]] == [("list", "unknown_list")]
    spoken = {"number": NUMBER, "agent": "Jo", "list": "nope"}
    told = await operator.post(f"/v1/admin/tenants/{customer.id}/opt-outs", json=spoken)
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, "/list")
    assert await ledger(customer) == []
    await customer.api.post("/v1/keywords", json={"word": "NOPE", "action": "opt_out", "list": "nope"})
    assert (await customer.api.put(f"{path}/{NUMBER}")).status_code == 200
    own = (await customer.api.get("/v1/opt-out-lists")).json()["data"][-1]
    assert own == {"name": "nope", "stops": None}
    assert (await stranger.api.put(f"{path}/{NUMBER}")).status_code == 404


async def test_a_file_with_a_fault_changes_nothing_and_says_where_it_is(customer) -> None:
    """Half a file would leave the author to find out which half."""
    rows = ["number,list", f"{NUMBER},promotional", "5559999,all", f"{OTHER},NOT A LIST", f"{OTHER}", ""]
    answer = (await customer.api.post("/v1/opt-outs/import", json={"csv": "\n".join(rows)})).json()
    assert (answer["applied"], answer["rows"], answer["faults"]) == (False, 4, 3)
    assert [(each["line"], each["column"], each["code"]) for each in answer["errors"]] == [
        (3, "number", "invalid_number"),
        (4, "list", "invalid_list"),
        (5, "number", "wrong_cells"),
    ]
    assert "5559999" not in str(answer)
    assert await ledger(customer) == []


@pytest.mark.parametrize(
    "csv", ["phone\n+12065550100\n", "list\nall\n", "number,number\n1,1\n", 'number\n"', "\ufeff", "\n\n"]
)
async def test_what_is_no_such_file_is_answered_with_its_fault(customer, csv) -> None:
    """A file of another form is a mistake to name."""
    answer = await customer.api.post("/v1/opt-outs/import", json={"csv": csv})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["applied"], answer.json()["faults"]) == (False, 1)


async def test_a_dry_run_changes_nothing(customer, world) -> None:
    """It says what the file would do, and does not."""
    file = {"csv": f"number\n{NUMBER}\n", "dry_run": True}
    answer = (await customer.api.post("/v1/opt-outs/import", json=file)).json()
    assert (answer["applied"], answer["rows"], answer["faults"], answer["changed"]) == (False, 1, 0, 0)
    assert await ledger(customer) == []
    assert world.projection.opt_outs == []


async def test_an_import_is_projected_and_done_once_per_key(customer, world) -> None:
    """In force at once, and no second time for a client that asks again."""
    headers, file = {"Idempotency-Key": "file-1"}, {"csv": f"number\n{NUMBER}\n"}
    first = await customer.api.post("/v1/opt-outs/import", json=file, headers=headers)
    again = await customer.api.post("/v1/opt-outs/import", json=file, headers=headers)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [(name, out) for _, name, _, out in world.projection.opt_outs] == [("all", True)]


async def test_a_file_of_thousands_is_taken_in_a_few_statements(customer, engines) -> None:
    """Five statements for each of the ten thousand numbers of a file would outlast a client's patience."""
    hook = (
        await customer.api.post("/v1/webhook-endpoints", json={"url": "https://hooks.example.com/a"})
    ).json()
    numbers = [f"+1206555{each:04d}" for each in range(2_000)]
    await customer.api.put(f"/v1/opt-outs/{numbers[7]}")
    rows = "\n".join([*(f"{each},a file" for each in numbers), f"{numbers[1]},again"])
    with counted(engines["tenant"]) as asked:
        answer = await customer.api.post("/v1/opt-outs/import", json={"csv": f"number,note\n{rows}\n"})
    assert (answer.json()["rows"], answer.json()["changed"]) == (2_001, 1_999)
    assert len(asked) < 100
    lines = await ledger(customer, number=numbers[1])
    assert [(each["change"], each["source"], each["note"]) for each in lines] == [
        ("opted_out", "csv", "a file")
    ]
    newest = (await customer.api.get("/v1/audit", params={"limit": 100})).json()["data"]
    assert [row["action"] for row in newest] == ["opt_out.created"] * 100
    told, cursor = 0, {}
    while True:
        page = (await customer.api.get("/v1/events", params={"limit": 100} | cursor)).json()
        told += sum(each["type"] == "opt_out.created" for each in page["data"])
        if not page["data"] or page["next_cursor"] is None:
            break
        cursor = {"after": page["next_cursor"]}
    assert told == len(numbers)
    owed = (await customer.api.get(f"/v1/webhook-endpoints/{hook['id']}/deliveries?limit=100")).json()
    assert [row["event_type"] for row in owed["data"]] == ["opt_out.created"] * 100


async def test_two_files_at_once_do_not_wait_for_each_other(customer, world, engines, database) -> None:
    """Each held what the other wanted next, and one of them was refused."""
    key = await world.services.data_keys.of(customer.scope.tenant_id)
    numbers = [f"+1206555{each:04d}" for each in range(501)]
    first, *between, last = sorted(numbers, key=key.recipient_hash)

    async def take(session, rows):
        wishes = [service.Wish(number=number, list_name="all") for number in rows]
        return await opt_out_all(customer.scope, session, key, wishes, source="csv")

    async def take_all():
        async with worker_transaction(engines["operator"]) as session:
            return await take(session, [last, *between, first])

    async with worker_transaction(engines["operator"]) as other:
        holder = await other.scalar(text("SELECT pg_backend_pid()"))
        await take(other, [first])
        file = asyncio.create_task(take_all())

        async def waits():
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
            return await database.fetchval(blocked, holder) == 1

        await until(waits)
        assert len(await take(other, [last])) == 1
    assert len(await file) == len(between)


async def test_a_file_that_takes_off_and_puts_back_is_done_in_its_order(customer) -> None:
    """What is said last holds."""
    rows = f"{NUMBER},true\n{NUMBER},false\n{OTHER},true\n{OTHER},false\n{OTHER},true\n"
    answer = await customer.api.post("/v1/opt-outs/import", json={"csv": f"number,opted_out\n{rows}"})
    assert answer.json()["changed"] == 5
    listed = (await customer.api.get("/v1/opt-outs")).json()["data"]
    assert [row["number"] for row in listed] == [OTHER]


async def test_a_keyword_is_made_changed_and_removed(customer, stranger) -> None:
    """The tenant's own, and nobody else's."""
    made = await customer.api.post("/v1/keywords", json={"word": "Pizza!", "reply": "Yes"})
    assert made.status_code == 201, made.text
    keyword = made.json()["id"]
    twin = await customer.api.post("/v1/keywords", json={"word": "PIZZA", "reply": "No"})
    assert (twin.status_code, twin.json()["code"]) == (409, "name_taken")
    changed = await customer.api.patch(f"/v1/keywords/{keyword}", json={"reply": "Soon"})
    assert (changed.json()["reply"], changed.json()["word"]) == ("Soon", "Pizza!")
    assert (await stranger.api.get(f"/v1/keywords/{keyword}")).status_code == 404
    assert (await stranger.api.delete(f"/v1/keywords/{keyword}")).status_code == 404
    assert (await customer.api.delete(f"/v1/keywords/{keyword}")).status_code == 204
    assert (await customer.api.get("/v1/keywords")).json()["data"] == []


@pytest.mark.parametrize("word", ["STOP", "stop news", "Help", "JOIN", "arrêt", "Cancel culture", "退订"])
async def test_no_keyword_stands_before_a_built_in_one(customer, word) -> None:
    """Every person may rely on them, in every language."""
    answer = await customer.api.post("/v1/keywords", json={"word": word, "reply": "No"})
    assert (answer.status_code, answer.json()["code"]) == (409, "keyword_reserved"), answer.text


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("word", ["STOP", "help", "JOIN"])
async def test_a_built_in_keyword_is_neither_changed_nor_deleted(customer, method, word) -> None:
    """Only what it answers is the tenant's."""
    body = {"json": {"reply": "x"}} if method == "patch" else {}
    answer = await getattr(customer.api, method)(f"/v1/keywords/{word}", **body)
    assert (answer.status_code, answer.json()["code"]) == (409, "keyword_reserved")


async def test_a_text_is_set_shown_and_forgotten_and_what_carriers_refuse_is_refused(customer) -> None:
    """The author is told what to mend, and what would be better."""
    path = "/v1/keywords/built-in/HELP/texts/all"
    bad = await customer.api.put(path, json={"text": "Call us, we like to talk to you."})
    assert bad.status_code == 422, bad.text
    assert {each["code"] for each in bad.json()["errors"]} == {"brand_missing", "stop_hint_missing"}
    text = "{brand}: help at help.example. Text STOP to cancel."
    good = await customer.api.put(path, json={"text": text})
    assert [each["code"] for each in good.json()["notices"]] == ["rates_missing"]
    listed = {
        each["keyword"]: each for each in (await customer.api.get("/v1/keywords/built-in")).json()["data"]
    }
    assert (listed["HELP"]["texts"], listed["HELP"]["text"]) == ({"all": text}, text)
    assert (await customer.api.delete(path)).status_code == 204
    assert (
        await customer.api.put("/v1/keywords/built-in/PIZZA/texts/all", json={"text": text})
    ).status_code == 404
    wrong = await customer.api.put("/v1/keywords/built-in/HELP/texts/English", json={"text": text})
    assert wrong.status_code == 422


async def test_a_registered_keyword_needs_a_case(customer, operator) -> None:
    """What carriers have on file is not changed behind their back."""
    made = await customer.api.post("/v1/keywords", json={"word": "Alerts", "reply": "Hi"})
    keyword = made.json()["id"]
    lock = f"/v1/admin/tenants/{customer.id}/keywords/{keyword}/registered"
    assert (await operator.put(lock, json={"registered": True})).json()["registered"] is True
    for answer in (
        await customer.api.patch(f"/v1/keywords/{keyword}", json={"reply": "x"}),
        await customer.api.delete(f"/v1/keywords/{keyword}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "keyword_registered")
    await operator.put(lock, json={"registered": False})
    assert (await customer.api.delete(f"/v1/keywords/{keyword}")).status_code == 204
