"""AWS's protect configurations follow ours: made, changed, shared out, put right, taken away."""

from datetime import UTC, datetime
from uuid import UUID

import aioboto3
import pytest
from msgspec.structs import replace

from gateway.carrier import protect_desired as copies
from gateway.carrier.control import control_of
from gateway.carrier.protect_sync import ProtectSync
from gateway.carrier.protect_wish import NumberRule, Wanted, number_changes, rule_changes, share_out
from gateway.carrier.provision.ports import ProvisionRequest, SenderWish
from gateway.carrier.session import open_session
from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from tenants.accounts import service as accounts
from tenants.protection import account as of_operator
from tenants.protection import overrides, service
from tenants.senders import store as sender_store
from tests.harness.tenants import SECRET_KEY, enrol

WANTED = Wanted(
    id=UUID(int=1),
    version=1,
    name="x",
    rules={"sms": {"US": "FILTER", "FR": "ALLOW"}},
    countries=frozenset({"US", "CA"}),
    tenant_id=UUID(int=2),
)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_what_a_tenant_did_not_declare_is_closed_at_aws_too() -> None:
    """Even where a rule allows it; and AWS is told only of what differs."""
    held = {"US": "ALLOW", "CA": "ALLOW", "FR": "ALLOW", "DE": "BLOCK"}
    assert rule_changes(WANTED, "SMS", held) == {"US": "FILTER", "FR": "BLOCK"}
    assert rule_changes(replace(WANTED, countries=None), "SMS", held) == {"US": "FILTER", "DE": "ALLOW"}


def test_numbers_are_changed_where_they_differ() -> None:
    """What has expired at AWS is as good as gone."""
    wanted = replace(
        WANTED,
        numbers={
            "+1": NumberRule(action="ALWAYS_ALLOW"),
            "+2": NumberRule(action="ALWAYS_BLOCK", expires_at=NOW.replace(year=2027)),
        },
    )
    held = {
        "+1": NumberRule(action="ALLOW"),
        "+2": NumberRule(action="BLOCK"),
        "+3": NumberRule(action="BLOCK"),
        "+4": NumberRule(action="BLOCK", expires_at=NOW),
    }
    changes = number_changes(wanted, held, NOW)
    assert (list(changes.put), changes.delete) == (["+2"], ["+3"])


def test_the_quota_is_shared_out_in_order() -> None:
    """Who has one keeps it; strangers' configurations count as well."""
    many = [replace(WANTED, id=UUID(int=n)) for n in range(1, 5)]
    assert share_out(many, {many[3].id}, at_aws=3, most=5) == {each.id for each in (*many[:2], many[3])}
    assert share_out(many, set(), at_aws=9, most=5) == frozenset()


@pytest.fixture
async def client(emulator):
    """AWS, as anybody else in the account could call it."""
    async with aioboto3.Session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=emulator.base_url
    ) as client:
        yield client


@pytest.fixture
async def tenant(worker_engine, provisioner):
    """A tenant with a sender and a configuration set at the emulator."""
    scope = await enrol(worker_engine)
    await provisioner.provision(
        scope, ProvisionRequest(senders=(SenderWish(country="US", type="TOLL_FREE"),))
    )
    return scope


def syncing(worker_engine, database_url, **more):
    return ProtectSync(
        database_url,
        worker_engine,
        control_of(open_session()),
        secret_key=SECRET_KEY,
        clock=SystemClock(),
        **more,
    )


async def link_of(worker_engine, configuration_id):
    async with worker_transaction(worker_engine) as session:
        for known in await sender_store.accounts(session):
            found = (await copies.links(session, known.id)).get(configuration_id)
            if found is not None:
                return found
    return None


async def us_rule(client, aws_id):
    answer = await client.get_protect_configuration_country_rule_set(
        ProtectConfigurationId=aws_id, NumberCapability="SMS"
    )
    rules = answer["CountryRuleSet"]
    return rules["US"]["ProtectStatus"], rules["FR"]["ProtectStatus"]


async def test_a_configuration_lives_at_aws_as_it_lives_here(
    worker_engine, database_url, client, tenant
) -> None:
    """Made, filled, put in force, repaired after a stranger's hand, made anew, and taken away."""
    sync = syncing(worker_engine, database_url)
    async with worker_transaction(worker_engine) as session:
        key = accounts.data_key_of(await accounts.get(tenant, session), SECRET_KEY)
        row = await service.create(tenant, session, name="sign-up")
        other = await service.create(tenant, session, name="other")
        await service.set_country_rules(tenant, session, row.id, channel="sms", changes={"US": "MONITOR"})
        await overrides.put(
            tenant, session, key, number="+12065550111", action="ALWAYS_BLOCK", now=datetime.now(UTC)
        )
    await sync.round()
    link = await link_of(worker_engine, row.id)
    assert (link.state, link.drift, link.fault) == ("own", [], None)
    assert await us_rule(client, link.aws_id) == ("MONITOR", "BLOCK")
    held = await client.list_protect_configuration_rule_set_number_overrides(
        ProtectConfigurationId=link.aws_id
    )
    assert [(o["DestinationPhoneNumber"], o["Action"]) for o in held["RuleSetNumberOverrides"]] == [
        ("+12065550111", "BLOCK")
    ]
    sets = (await client.describe_configuration_sets())["ConfigurationSets"]
    assert link.aws_id in {each.get("ProtectConfigurationId") for each in sets}

    await client.update_protect_configuration_country_rule_set(
        ProtectConfigurationId=link.aws_id,
        NumberCapability="SMS",
        CountryRuleSetUpdates={"US": {"ProtectStatus": "BLOCK"}},
    )
    await sync.round()
    assert await us_rule(client, link.aws_id) == ("BLOCK", "BLOCK"), "not due: nothing is asked of AWS"
    await _make_due(worker_engine, link)
    await sync.round()
    link = await link_of(worker_engine, row.id)
    assert await us_rule(client, link.aws_id) == ("MONITOR", "BLOCK")
    assert link.drift == ["SMS US: BLOCK at AWS, MONITOR wanted"]

    async with worker_transaction(worker_engine) as session:
        await service.delete(tenant, session, row.id, replacement=other.id)
    await sync.round()
    assert await link_of(worker_engine, row.id) is None
    left = (await client.describe_protect_configurations())["ProtectConfigurations"]
    assert link.aws_id not in {each["ProtectConfigurationId"] for each in left}


async def test_a_copy_that_a_stranger_deleted_is_made_anew(
    worker_engine, database_url, client, tenant
) -> None:
    """Its ClientToken must not bring the dead one back."""
    sync = syncing(worker_engine, database_url)
    async with worker_transaction(worker_engine) as session:
        row = await service.create(tenant, session, name="deleted")
    await sync.round()
    first = await link_of(worker_engine, row.id)
    for each in (await client.describe_configuration_sets())["ConfigurationSets"]:
        if each.get("ProtectConfigurationId") == first.aws_id:
            await client.disassociate_protect_configuration(
                ProtectConfigurationId=first.aws_id, ConfigurationSetName=each["ConfigurationSetName"]
            )
    await client.delete_protect_configuration(ProtectConfigurationId=first.aws_id)
    await _make_due(worker_engine, first)
    await sync.round()
    assert (await link_of(worker_engine, row.id)).aws_id is None
    await sync.round()
    assert (await link_of(worker_engine, row.id)).aws_id not in {None, first.aws_id}


async def test_beyond_the_quota_the_gateway_enforces_alone(worker_engine, database_url, tenant) -> None:
    """AWS gives an account 25; nobody is left without protection for that."""
    async with worker_transaction(worker_engine) as session:
        row = await service.create(tenant, session, name="one too many")
    await syncing(worker_engine, database_url, most=0).round()
    link = await link_of(worker_engine, row.id)
    assert (link.state, link.aws_id, link.synced_version) == ("shared", None, row.version)


async def test_the_operators_default_is_the_accounts(worker_engine, database_url, client, tenant) -> None:
    """Sends that name no configuration meet it at AWS, too."""
    async with worker_transaction(worker_engine) as session:
        row = await of_operator.create(session, name="everybody", default=True)
        await of_operator.set_country_rules(session, row.id, channel="sms", changes={"US": "FILTER"})
    await syncing(worker_engine, database_url).round()
    link = await link_of(worker_engine, row.id)
    known = (await client.describe_protect_configurations())["ProtectConfigurations"]
    assert [each["ProtectConfigurationId"] for each in known if each["AccountDefault"]] == [link.aws_id]
    assert await us_rule(client, link.aws_id) == ("FILTER", "ALLOW")


async def _make_due(worker_engine, link) -> None:
    """As an hour does."""
    link.checked_at = None if link.checked_at is None else link.checked_at.replace(year=2020)
    async with worker_transaction(worker_engine) as session:
        await copies.put_link(session, link)
