"""Which messages AWS lets an identity carry, as it describes it itself."""

import pytest

from gateway.carrier.carried_types import carried_types
from gateway.carrier.control import control_of
from gateway.carrier.session import open_session
from tenants.ids import new_uuid
from tenants.senders.models import AwsAccount
from tenants.senders.service import SenderFacts


@pytest.fixture
def account(emulator):
    """An account at the emulator."""
    return AwsAccount(id=new_uuid(), name="a", region="us-east-1", endpoint_url=emulator.base_url)


@pytest.fixture
async def aws(account):
    """Its control calls."""
    async with control_of(open_session())(account) as control:
        yield control


def named(type_, arn, *, value="x", country="US"):
    """What an operator says of an identity, as far as AWS is asked by it."""
    return SenderFacts(
        account_id=new_uuid(), type=type_, value=value, country=country, arn=arn, parts_per_second=1.0
    )


@pytest.mark.parametrize(
    ("message_type", "ours"),
    [("PROMOTIONAL", ("promotional",)), ("TRANSACTIONAL", ("otp", "transactional"))],
)
async def test_a_number_and_a_pool_carry_one_type(account, aws, message_type, ours):
    """For as long as they live."""
    number = await aws.call(
        "request_phone_number",
        IsoCountryCode="CA",
        MessageType=message_type,
        NumberCapabilities=["SMS"],
        NumberType="LONG_CODE",
    )
    assert await carried_types(account, named("LONG_CODE", number["PhoneNumberArn"])) == ours
    pool = await aws.call(
        "create_pool",
        OriginationIdentity=number["PhoneNumberId"],
        IsoCountryCode="CA",
        MessageType=message_type,
    )
    assert await carried_types(account, named("SHARED", pool["PoolArn"])) == ours


@pytest.mark.parametrize(
    ("types", "ours"),
    [
        (["TRANSACTIONAL"], ("otp", "transactional")),
        (["TRANSACTIONAL", "PROMOTIONAL"], ("otp", "transactional", "promotional")),
    ],
)
async def test_a_sender_id_carries_what_it_was_requested_for(account, aws, types, ours):
    """Of one by the same name that is not the one that was named, nothing is said."""
    value = f"S{new_uuid().hex[-9:]}"
    made = await aws.call("request_sender_id", SenderId=value, IsoCountryCode="FR", MessageTypes=types)
    told = await carried_types(account, named("SENDER_ID", made["SenderIdArn"], value=value, country="FR"))
    assert told == ours
    assert await carried_types(account, named("SENDER_ID", "arn:aws:x", value=value, country="FR")) is None


@pytest.mark.parametrize("arn", ["arn:aws:sms-voice:us-east-1:1:phone-number/phone-none", "arn:aws:nothing"])
async def test_of_what_aws_does_not_describe_nothing_is_said(account, arn):
    """Another account may share it, and let nobody describe it."""
    assert await carried_types(account, named("LONG_CODE", arn)) is None


async def test_an_account_that_does_not_answer_says_nothing(account):
    """Adding a sender waits for nobody."""
    account.endpoint_url = "http://127.0.0.1:9"
    assert await carried_types(account, named("LONG_CODE", "arn:aws:nothing")) is None
