"""
Every other gate of a send by one table, over HTTP: admitted, refused, on its edge, and when it is over.

The rules have their table in `tests/unit/rules`, the gates of Redis theirs in `tests/integration/admission`;
here are those that need prices, senders, templates and consents, and the list of where each code is tried.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import get_args
from uuid import uuid4

import pytest

from gateway.admission.segments import BODY_MAX_CHARACTERS
from gateway.admission.verdict import GateName
from gateway.intake.outcome import DeclineCode
from tests.contract.test_price_books import HEAD
from tests.harness.numbers import german_number, us_number
from tests.harness.stack import US, US_PROMOTIONAL
from tests.harness.waiting import until
from tests.integration.admission import test_gate_table as admission
from tests.unit.rules import test_gate_table as rules

COLUMNS = ("admit", "refuse", "edge", "after")
GERMAN = {"country": "DE", "type": "SENDER_ID", "value": "ACMEBANK", "parts_per_second": 100}
SALE = {"body": "Sale at Acme. Reply STOP to opt out", "type": "promotional"}
MICRO = Decimal("0.000001")


async def send(customer, **members):
    """Send to a new number, unless one is given."""
    return await customer.send(**({"to": us_number()} | members))


async def price_of(customer) -> Decimal:
    """Return what `Hello` costs."""
    answer = await customer.live.post("/v1/messages/estimate", json={"to": us_number(), "body": "Hello"})
    return Decimal(answer.json()["price"]["estimated"])


async def insufficient_credits(stack) -> AsyncIterator:
    """The last micro-dollar decides."""
    customer = await stack.customer(credit=None)
    price = await price_of(customer)
    home = f"/v1/admin/tenants/{customer.id}/credits"
    await stack.operate("post", home, {"amount": str(price)})
    yield "admit", await send(customer, body="Hello")
    yield "refuse", await send(customer, body="Hello")
    await stack.operate("post", home, {"amount": str(price - MICRO)})
    yield "edge", await send(customer, body="Hello")
    await stack.operate("post", home, {"amount": str(MICRO)})
    yield "after", await send(customer, body="Hello")


async def spend_limit_reached(stack) -> AsyncIterator:
    """A cap that is met exactly is not passed."""
    customer = await stack.customer()
    price, home = await price_of(customer), f"/v1/admin/tenants/{customer.id}/budgets"
    await stack.operate("put", home, {"budgets": [{"cap": str(2 * price)}]})
    yield "admit", await send(customer, body="Hello")
    yield "edge", await send(customer, body="Hello")
    yield "refuse", await send(customer, body="Hello")
    await stack.operate("put", home, {"budgets": [{"cap": str(3 * price)}]})
    yield "after", await send(customer, body="Hello")


async def price_over_max(stack) -> AsyncIterator:
    """The limit is inclusive, and of the whole message."""
    customer = await stack.customer()
    price = await price_of(customer)
    yield "admit", await send(customer, body="Hello", max_price=str(price + MICRO))
    yield "refuse", await send(customer, body="Hello", max_price=str(price - MICRO))
    yield "edge", await send(customer, body="Hello", max_price=str(price))
    yield "after", await send(customer, body="Hello")


async def no_price(stack) -> AsyncIterator:
    """A book that sells no calls sells texts; another one sells both. Test keys meet the same prices."""
    texts, both = uuid4().hex[:12], uuid4().hex[:12]
    for name, csv in ((texts, HEAD), (both, HEAD + "*,voice,0.25,0.2,24\n")):
        await stack.operate("post", f"/v1/admin/price-books/{name}/import", {"csv": csv})
    customer = await stack.customer(plan={"price_book": texts}, provision=False)
    voice = {"to": us_number(), "channel": "voice", "body": "Hello"}

    async def ask(**members):
        return await customer.test.post("/v1/messages", json={"to": us_number(), "body": "Hello"} | members)

    async def sold():
        answer = await ask()
        return answer if answer.json().get("code") != "no_price" else None

    yield "admit", await until(sold)
    yield "refuse", await ask(**voice)
    yield "edge", await ask(**voice, max_price="9")
    await stack.operate("patch", f"/v1/admin/tenants/{customer.id}", {"plan": {"price_book": both}})
    yield "after", await ask(**voice)


async def use_case_mismatch(stack) -> AsyncIterator:
    """A template is sent as what it was approved for."""
    customer = await stack.customer(senders=[US, US_PROMOTIONAL])
    parcel = {"id": await stack.approved_template(customer, body="A customer: your parcel is here")}
    yield "admit", await send(customer, template=parcel, type="transactional")
    yield "refuse", await send(customer, template=parcel, type="promotional")
    yield "edge", await send(customer, template=parcel)
    sale = {
        "id": await stack.approved_template(customer, body=f"A customer: {SALE['body']}", type="promotional")
    }
    yield "after", await send(customer, template=sale, type="promotional")


async def consent_required(stack) -> AsyncIterator:
    """A consent that is only asked for is none."""
    customer = await stack.customer(senders=[US, US_PROMOTIONAL], plan={"consent_required": ["promotional"]})
    number = us_number()
    consent = {
        "number": number,
        "use_case": "marketing",
        "type": "promotional",
        "method": "paper",
        "text": "I agree to receive offers of Acme.",
    }
    yield "admit", await send(customer, to=number, body="Your parcel is here")
    yield "refuse", await send(customer, to=number, **SALE)
    asked = await customer.live.post("/v1/consents", json=consent | {"double_opt_in": True})
    assert asked.is_success, asked.text
    yield "edge", await send(customer, to=number, **SALE)
    given = await customer.live.post("/v1/consents", json=consent | {"use_case": "news"})
    assert given.is_success, given.text
    yield "after", await send(customer, to=number, **SALE)


async def no_originator(stack) -> AsyncIterator:
    """Who may write to a country needs a sender that reaches it."""
    customer = await stack.customer(countries=["US", "DE"])
    yield "admit", await send(customer, body="Hello")
    yield "refuse", await send(customer, to=german_number(), body="Hello")
    yield "edge", await send(customer, **SALE)
    body = {"senders": [GERMAN, US_PROMOTIONAL], "dedicated_pool": False}
    await stack.operate("post", f"/v1/admin/tenants/{customer.id}/provision", body)
    yield "after", await send(customer, to=german_number(), body="Hello")


async def invalid_number(stack) -> AsyncIterator:
    """One digit too few is another thing than a number of somebody else."""
    customer = await stack.customer()
    number = us_number()
    yield "admit", await send(customer, to=number, body="Hello")
    yield "refuse", await send(customer, to=number[:-1], body="Hello")
    yield "edge", await send(customer, to=number + "0", body="Hello")
    yield "after", await send(customer, to=us_number(), body="Hello")


async def invalid_template_variables(stack) -> AsyncIterator:
    """As long as its length and no longer, and of its kind."""
    customer = await stack.customer()
    template_id = await stack.approved_template(
        customer,
        body="A customer: your code is {code}",
        variables={"code": {"kind": "digits", "max_length": 6}},
    )

    async def fill(code: str):
        return await send(customer, template={"id": template_id, "variables": {"code": code}})

    yield "admit", await fill("1234")
    yield "refuse", await fill("1234567")
    yield "edge", await fill("123456")
    yield "after", await fill("12345")


async def body_too_long(stack) -> AsyncIterator:
    """The last character decides."""
    customer = await stack.customer()
    yield "admit", await send(customer, body="x" * 160)
    yield "refuse", await send(customer, body="x" * (BODY_MAX_CHARACTERS + 1))
    yield "edge", await send(customer, body="x" * BODY_MAX_CHARACTERS)
    yield "after", await send(customer, body="x" * (BODY_MAX_CHARACTERS - 1))


GATES = {
    insufficient_credits: (402, False),
    spend_limit_reached: (402, True),
    price_over_max: (422, True),
    no_price: (422, False),
    use_case_mismatch: (403, True),
    consent_required: (403, False),
    no_originator: (409, False),
    invalid_number: (422, False),
    invalid_template_variables: (422, True),
    body_too_long: (422, True),
}
"""Gate, to its status and whether the send on its edge passes."""
ELSEWHERE = {
    "pumping_suspected": "tests/integration/admission/test_pumping.py, over streams of ten thousand",
    "media_refused": "tests/integration/media/test_pictures_and_calls.py, over files of every kind",
    "media_unavailable": "tests/integration/media/test_pictures_and_calls.py, over servers that fail",
}
NO_GATES = {
    "validation_failed": "the request itself is not well-formed",
    "not_supported": "the channel cannot do it at all",
    "idempotency_mismatch": "the key stands for another request",
    "message_not_cancelable": "not a send",
}


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.__name__)
async def test_each_gate_in_each_column(stack, gate) -> None:
    """A refusal names its code, charges nothing, and is over once its reason is."""
    status, edge_passes = GATES[gate]
    columns = {column: answer async for column, answer in gate(stack)}
    assert set(columns) == set(COLUMNS)
    for column, answer in columns.items():
        passes = {"admit": True, "refuse": False, "edge": edge_passes, "after": True}[column]
        told = answer.json()
        if passes:
            assert answer.status_code == 202, (column, answer.text)
        else:
            assert (answer.status_code, told.get("code")) == (status, gate.__name__), (column, answer.text)
            assert told["charged"] is False


def test_every_code_of_a_send_has_its_row_somewhere() -> None:
    """A gate that is added without its four columns fails here."""
    tried = {gate.__name__ for gate in GATES}
    tried |= {code for _, code in rules.TABLE} | admission.TABLE.keys() | ELSEWHERE.keys()
    assert tried | NO_GATES.keys() == {*get_args(DeclineCode), *get_args(GateName)}
    assert not tried & NO_GATES.keys()
