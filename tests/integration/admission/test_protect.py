"""The protect gate: country rules and number overrides, as the script and as the fallback judge them."""

from uuid import UUID

import msgspec
import pytest

from gateway.admission.fallback import decide_without_redis
from gateway.admission.policy import protect_block
from gateway.admission.projection import override_list
from gateway.admission.verdict import Admitted, Refused
from tests.integration.admission.conftest import RECIPIENT

CONFIGURATION, OTHER = UUID(int=5), UUID(int=6)
ADMITTED = Admitted(remaining=None, reset_ms=0)
BY_COUNTRY = Refused(gate="protect_blocked", scope="country_rule")
BY_NUMBER = Refused(gate="protect_blocked", scope="number_override")
US_BLOCKED = frozenset({protect_block(CONFIGURATION, "sms", "US")})
SOON_MS = 1_800_000_000_500
"""Half a second after the tenant's clock begins."""


@pytest.mark.parametrize(
    ("blocks", "overrides", "asked", "verdict"),
    [
        pytest.param(frozenset(), {}, {}, ADMITTED, id="no rule"),
        pytest.param(US_BLOCKED, {}, {}, BY_COUNTRY, id="a blocked country"),
        pytest.param(US_BLOCKED, {}, {"country": "CA"}, ADMITTED, id="another country"),
        pytest.param(US_BLOCKED, {}, {"channel": "voice"}, ADMITTED, id="another channel"),
        pytest.param(US_BLOCKED, {}, {"protect": OTHER}, ADMITTED, id="another configuration"),
        pytest.param(US_BLOCKED, {}, {"protect": None}, ADMITTED, id="no configuration"),
        pytest.param(frozenset(), {RECIPIENT: b"B0"}, {}, BY_NUMBER, id="a blocked number"),
        pytest.param(US_BLOCKED, {RECIPIENT: b"A0"}, {}, ADMITTED, id="an allowed number"),
        pytest.param(US_BLOCKED, {RECIPIENT: b"B0"}, {}, BY_NUMBER, id="both: the number is named"),
        pytest.param(US_BLOCKED, {b"another": b"A0"}, {}, BY_COUNTRY, id="another number"),
        pytest.param(frozenset(), {RECIPIENT: b"B0"}, {"protect": OTHER}, ADMITTED, id="of another one"),
        pytest.param(
            US_BLOCKED,
            {RECIPIENT: b"A0"},
            {"country": "DE"},
            Refused(gate="country_not_allowed"),
            id="no override opens a country",
        ),
        pytest.param(US_BLOCKED, {RECIPIENT: b"A%d" % SOON_MS}, {}, ADMITTED, id="before its expiry"),
        pytest.param(
            US_BLOCKED, {RECIPIENT: b"A1800000000000"}, {}, BY_COUNTRY, id="inert at its very expiry"
        ),
        pytest.param(frozenset(), {RECIPIENT: b"B1"}, {}, ADMITTED, id="long after"),
    ],
)
async def test_the_script_judges_by_country_and_number(tenant, blocks, overrides, asked, verdict) -> None:
    """The number before the country, inside the configuration that the caller found."""
    await tenant.project(
        {override_list(CONFIGURATION): overrides} if overrides else {}, protect_blocks=blocks
    )
    assert await tenant.ask(**({"protect": CONFIGURATION} | asked)) == verdict


async def test_an_opt_out_stands_above_an_allow_override(tenant) -> None:
    """AWS decides so, too."""
    await tenant.project({"all": [RECIPIENT], override_list(CONFIGURATION): {RECIPIENT: b"A0"}})
    assert await tenant.ask(protect=CONFIGURATION) == Refused(gate="opted_out")


async def test_an_override_expires_by_itself(tenant) -> None:
    """Nobody has to take it away."""
    tenant.now_us = (SOON_MS - 1) * 1000
    await tenant.project({override_list(CONFIGURATION): {RECIPIENT: b"B%d" % SOON_MS}})
    assert await tenant.ask(protect=CONFIGURATION) == BY_NUMBER
    tenant.now_us = SOON_MS * 1000
    assert await tenant.ask(protect=CONFIGURATION) == ADMITTED


async def test_overrides_change_one_by_one(tenant) -> None:
    """A change is one command, not a projection of ten thousand."""
    tenant_id, gate = tenant.policy.tenant_id, tenant.gate
    await tenant.project()
    await gate.put_override(tenant_id, CONFIGURATION, RECIPIENT, b"B0")
    assert await tenant.ask(protect=CONFIGURATION) == BY_NUMBER
    await gate.put_override(tenant_id, CONFIGURATION, RECIPIENT, b"A0")
    assert await tenant.ask(protect=CONFIGURATION) == ADMITTED
    await gate.put_override(tenant_id, CONFIGURATION, RECIPIENT, b"B0")
    await gate.remove_override(tenant_id, CONFIGURATION, RECIPIENT)
    assert await tenant.ask(protect=CONFIGURATION) == ADMITTED


async def test_an_override_that_arrives_while_all_are_replaced_is_kept(tenant) -> None:
    """It was committed after the read: only the journal knows it."""
    await tenant.project()

    async def read() -> dict[str, dict[bytes, bytes]]:
        await tenant.gate.put_override(tenant.policy.tenant_id, CONFIGURATION, RECIPIENT, b"B0")
        return {override_list(OTHER): {b"somebody": b"A0"}}

    assert await tenant.gate.project(tenant.policy, read)
    assert await tenant.ask(protect=CONFIGURATION) == BY_NUMBER


async def test_a_replacement_forgets_what_is_no_more(tenant) -> None:
    """The overrides of a deleted configuration leave with it."""
    await tenant.project({override_list(CONFIGURATION): {RECIPIENT: b"B0"}})
    await tenant.project({})
    assert await tenant.ask(protect=CONFIGURATION) == ADMITTED


async def test_ten_thousand_overrides_are_projected_whole(tenant) -> None:
    """They travel in pieces; no hash is parted from its value."""
    many = {b"%016d" % number: b"A0" for number in range(9_999)} | {RECIPIENT: b"B0"}
    await tenant.project({override_list(CONFIGURATION): many})
    key = f"{tenant.prefix}:override:{CONFIGURATION.hex}"
    assert await tenant.client.hlen(key) == 10_000
    assert await tenant.client.hget(key, b"%016d" % 7_777) == b"A0"
    assert await tenant.ask(protect=CONFIGURATION) == BY_NUMBER


@pytest.mark.parametrize("said", [None, "ALWAYS_ALLOW", "ALWAYS_BLOCK"])
@pytest.mark.parametrize("blocks", [frozenset(), US_BLOCKED])
@pytest.mark.parametrize("protect", [None, CONFIGURATION])
@pytest.mark.parametrize("opted_out", [False, True])
async def test_without_redis_the_same_is_decided(tenant, said, blocks, protect, opted_out) -> None:
    """What protects people does not open because a cache is away."""
    marks = {None: {}, "ALWAYS_ALLOW": {RECIPIENT: b"A0"}, "ALWAYS_BLOCK": {RECIPIENT: b"B0"}}[said]
    lists = {override_list(CONFIGURATION): marks} if marks else {}
    await tenant.project(lists | ({"all": [RECIPIENT]} if opted_out else {}), protect_blocks=blocks)
    admission = msgspec.structs.replace(tenant.admission, protect=protect)
    fallback = decide_without_redis(
        tenant.policy, admission, opted_out=opted_out, override=said if protect else None
    )
    assert fallback == await tenant.gate.decide(admission)
