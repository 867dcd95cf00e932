"""Plain boto3 in threads, and aioboto3: pages, exceptions, retries, client tokens."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.retryhandler
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulator.conftest import REGION, Aws, emulated

DEFAULT_ATTEMPTS = 5
"""Requests of boto3's default (legacy) retry mode, the first one included."""


@pytest.fixture
async def aws() -> AsyncIterator[Aws]:
    """An emulator of this test."""
    async with emulated() as running:
        yield running


def open_client(aws: Aws, config: Config | None = None) -> Any:
    """Return a boto3 client as ``boto3.client(...)`` makes it, unless a configuration is given."""
    session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=REGION)
    return session.client("pinpoint-sms-voice-v2", endpoint_url=aws.base_url, config=config)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the shortest wait each time boto3 throws its dice between attempts; how often it tries stays."""
    dice = SimpleNamespace(random=lambda: 0.0)
    monkeypatch.setattr(botocore.retryhandler, "random", dice)


async def refusal(call: Callable[..., Any], **members: Any) -> dict[str, Any]:
    """Make a call that must fail, in a thread, and return the response of the error."""
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(call, **members)
    return caught.value.response


async def posts(aws: Aws, action: str) -> int:
    """Return how many requests for an action have arrived."""
    return (await aws.control("GET", "stats"))["actions"].get(action, 0)


async def fail(aws: Aws, action: str, **rates: float) -> None:
    """Let an action fail."""
    await aws.control("POST", "faults", {"actions": {action: rates}})


async def populate(aws: Aws) -> dict[str, dict[str, Any]]:
    """Make three of everything that has a list, and return the parameters that the lists need."""
    numbers = [await aws.number() for _ in range(4)]
    pool = await aws.sms.create_pool(
        OriginationIdentity=numbers[0]["PhoneNumberId"], IsoCountryCode="US", MessageType="TRANSACTIONAL"
    )
    pool_id = pool["PoolId"]
    for number in numbers[1:3]:
        await aws.sms.associate_origination_identity(
            PoolId=pool_id, OriginationIdentity=number["PhoneNumberId"], IsoCountryCode="US"
        )
    await aws.sms.create_pool(
        OriginationIdentity=numbers[3]["PhoneNumberId"], IsoCountryCode="US", MessageType="TRANSACTIONAL"
    )
    for country in ("GB", "DE", "FR"):
        await aws.sms.request_sender_id(SenderId="Brand", IsoCountryCode=country)
    for name in ("one", "two", "three"):
        await aws.sms.create_opt_out_list(OptOutListName=name)
        await aws.sms.create_configuration_set(ConfigurationSetName=name)
        await aws.sms.create_registration(RegistrationType="US_TOLL_FREE_REGISTRATION")
        await aws.sms.create_registration_attachment(AttachmentBody=b"%PDF-1.7")
        protect = await aws.sms.create_protect_configuration()
        await aws.sms.put_keyword(
            OriginationIdentity=pool_id, Keyword=name, KeywordMessage=name, KeywordAction="OPT_IN"
        )
    protect_id = protect["ProtectConfigurationId"]
    for last in range(3):
        recipient = f"+1206555010{last}"
        await aws.sms.put_opted_out_number(OptOutListName="one", OptedOutNumber=recipient)
        await aws.sms.create_verified_destination_number(DestinationPhoneNumber=recipient)
        await aws.sms.put_protect_configuration_rule_set_number_override(
            ProtectConfigurationId=protect_id, DestinationPhoneNumber=recipient, Action="BLOCK"
        )
    return await needed(aws, pool_id, protect_id)


async def needed(aws: Aws, pool_id: str, protect_id: str) -> dict[str, dict[str, Any]]:
    """Return the required parameters of the actions that list what belongs to something."""
    kind = {"RegistrationType": "US_TOLL_FREE_REGISTRATION"}
    registration = (await aws.sms.describe_registrations())["Registrations"][0]["RegistrationId"]
    await aws.sms.put_registration_field_value(
        RegistrationId=registration, FieldPath="companyInfo.companyName", TextValue="Example Corp"
    )
    await aws.sms.put_registration_field_value(
        RegistrationId=registration, FieldPath="companyInfo.city", TextValue="Seattle"
    )
    return {
        "DescribeKeywords": {"OriginationIdentity": pool_id},
        "DescribeOptedOutNumbers": {"OptOutListName": "one"},
        "DescribeRegistrationFieldDefinitions": kind,
        "DescribeRegistrationSectionDefinitions": kind,
        "DescribeRegistrationFieldValues": {"RegistrationId": registration},
        "DescribeRegistrationVersions": {"RegistrationId": registration},
        "ListPoolOriginationIdentities": {"PoolId": pool_id},
        "ListProtectConfigurationRuleSetNumberOverrides": {"ProtectConfigurationId": protect_id},
        "ListRegistrationAssociations": {"RegistrationId": registration},
    }


def items_by_page(client: Any, action: str, page_size: int, parameters: dict[str, Any]) -> list[list[Any]]:
    """Return what each page of a paginator lists."""
    paginator = client.get_paginator(action)
    [listing] = [key.expression for key in paginator.result_keys]
    pages = paginator.paginate(PaginationConfig={"PageSize": page_size}, **parameters)
    return [page[listing] for page in pages]


async def test_every_paginator_gives_the_same_items_on_small_pages(aws: Aws) -> None:
    """In the same order, none twice, and never more on a page than was asked for."""
    parameters = await populate(aws)
    client = open_client(aws)
    paged = {
        action: name
        for name, action in client.meta.method_to_api_mapping.items()
        if client.can_paginate(name)
    }
    assert len(paged) >= 20
    short = set()
    for action, name in paged.items():
        given = parameters.get(action, {})
        [whole] = await asyncio.to_thread(items_by_page, client, name, 100, given)
        pages = await asyncio.to_thread(items_by_page, client, name, 1, given)
        assert [item for page in pages for item in page] == whole, action
        assert all(len(page) <= 1 for page in pages), action
        if len(pages) == 1:
            short.add(action)
    assert short <= {
        "DescribeAccountAttributes",
        "DescribeRegistrationVersions",
        "ListRegistrationAssociations",
    }


async def test_aioboto3_pages_like_boto3(aws: Aws) -> None:
    """Its paginators are asynchronous iterators over the same tokens."""
    for country in ("GB", "DE", "FR", "ES", "IT"):
        await aws.sms.request_sender_id(SenderId="Brand", IsoCountryCode=country)
    pages = aws.sms.get_paginator("describe_sender_ids").paginate(PaginationConfig={"PageSize": 2})
    seen = [[each["IsoCountryCode"] for each in page["SenderIds"]] async for page in pages]
    assert [len(page) for page in seen] == [2, 2, 1]
    assert sorted(itertools.chain.from_iterable(seen)) == ["DE", "ES", "FR", "GB", "IT"]


async def test_a_conflict_says_what_is_in_the_way(aws: Aws) -> None:
    """Modelled exceptions carry Reason, ResourceType and ResourceId as members of the response."""
    client = open_client(aws)
    number = await asyncio.to_thread(
        client.request_phone_number,
        IsoCountryCode="US",
        MessageType="TRANSACTIONAL",
        NumberCapabilities=["SMS"],
        NumberType="TOLL_FREE",
        DeletionProtectionEnabled=True,
    )
    with pytest.raises(client.exceptions.ConflictException) as caught:
        await asyncio.to_thread(client.release_phone_number, PhoneNumberId=number["PhoneNumberId"])
    response = caught.value.response
    assert (response["Reason"], response["ResourceType"], response["ResourceId"]) == (
        "DELETION_PROTECTION_ENABLED",
        "phone-number",
        number["PhoneNumberId"],
    )
    assert response["Error"]["Code"] == "ConflictException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


async def test_a_wrong_value_and_a_missing_resource_have_their_own_exceptions(aws: Aws) -> None:
    """ValidationException names the fields, ResourceNotFoundException the resource."""
    client = open_client(aws, Config(parameter_validation=False))
    with pytest.raises(client.exceptions.ValidationException) as invalid:
        await asyncio.to_thread(client.send_text_message, DestinationPhoneNumber="nobody", MessageBody="hi")
    assert [each["Name"] for each in invalid.value.response["Fields"]] == ["DestinationPhoneNumber"]
    with pytest.raises(client.exceptions.ResourceNotFoundException) as missing:
        await asyncio.to_thread(client.delete_pool, PoolId="pool-" + "0" * 32)
    assert missing.value.response["ResourceType"] == "pool"


@pytest.mark.usefixtures("unhurried")
async def test_a_throttled_default_client_tries_again_and_gets_through(aws: Aws) -> None:
    """Half of the requests are refused; what the caller sees are answers."""
    await fail(aws, "DescribePools", throttle_rate=0.5)
    client = open_client(aws)
    answers = [await asyncio.to_thread(client.describe_pools) for _ in range(8)]
    retried = sum(each["ResponseMetadata"]["RetryAttempts"] for each in answers)
    assert retried > 0
    assert await posts(aws, "DescribePools") == len(answers) + retried


@pytest.mark.usefixtures("unhurried")
async def test_a_default_client_gives_up_on_throttling_after_five_requests(aws: Aws) -> None:
    """The last refusal is what it raises."""
    await fail(aws, "*", throttle_rate=1.0)
    response = await refusal(open_client(aws).describe_pools)
    assert response["Error"]["Code"] == "ThrottlingException"
    assert response["ResponseMetadata"]["RetryAttempts"] == DEFAULT_ATTEMPTS - 1
    assert await posts(aws, "DescribePools") == DEFAULT_ATTEMPTS


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize(
    ("attempts", "requests"), [(None, DEFAULT_ATTEMPTS), (1, 1)], ids=["default", "one attempt"]
)
async def test_a_send_answered_500_is_sent_as_often_as_the_client_is_told(
    aws: Aws, attempts: int | None, requests: int
) -> None:
    """SendTextMessage has no client token: with the default, one call becomes five texts."""
    number = await aws.number()
    await fail(aws, "SendTextMessage", accept_then_error_rate=1.0)
    config = None if attempts is None else Config(retries={"total_max_attempts": attempts})
    response = await refusal(
        open_client(aws, config).send_text_message,
        DestinationPhoneNumber="+12065550199",
        MessageBody="hello",
        OriginationIdentity=number["PhoneNumberId"],
    )
    assert response["Error"]["Code"] == "InternalServerException"
    assert await posts(aws, "SendTextMessage") == requests
    assert (await aws.control("GET", "stats"))["accepted_sends"] == requests


@pytest.mark.usefixtures("unhurried")
async def test_a_retried_request_with_a_client_token_is_done_once(aws: Aws) -> None:
    """boto3 invents the token and keeps it over its retries, so five requests lease one number."""
    await fail(aws, "RequestPhoneNumber", accept_then_error_rate=1.0)
    await refusal(
        open_client(aws).request_phone_number,
        IsoCountryCode="US",
        MessageType="TRANSACTIONAL",
        NumberCapabilities=["SMS"],
        NumberType="TOLL_FREE",
    )
    assert await posts(aws, "RequestPhoneNumber") == DEFAULT_ATTEMPTS
    assert len((await aws.sms.describe_phone_numbers())["PhoneNumbers"]) == 1


async def test_threads_with_one_client_token_get_one_answer(aws: Aws) -> None:
    """The same call again is answered from memory, whoever comes first; other parameters are refused."""
    client, token = open_client(aws), str(uuid.uuid4())

    def create() -> Any:
        made = client.create_configuration_set(ConfigurationSetName="set", ClientToken=token)
        del made["ResponseMetadata"]
        return made

    async with asyncio.TaskGroup() as threads:
        calls = [threads.create_task(asyncio.to_thread(create)) for _ in range(8)]
    [first, *others] = [call.result() for call in calls]
    assert all(other == first for other in others)
    assert len((await aws.sms.describe_configuration_sets())["ConfigurationSets"]) == 1
    response = await refusal(client.create_configuration_set, ConfigurationSetName="other", ClientToken=token)
    assert response["Error"]["Code"] == "ValidationException"


async def test_threads_and_tasks_send_side_by_side(aws: Aws) -> None:
    """Each text has an id of its own, whichever library sent it."""
    number = await aws.number()
    text = {"MessageBody": "hello", "OriginationIdentity": number["PhoneNumberId"]}
    client = open_client(aws, Config(max_pool_connections=20))

    def from_thread(last: int) -> str:
        return client.send_text_message(DestinationPhoneNumber=f"+120655501{last:02}", **text)["MessageId"]

    async with asyncio.TaskGroup() as senders:
        threads = [senders.create_task(asyncio.to_thread(from_thread, last)) for last in range(20)]
        tasks = [senders.create_task(aws.send(f"+120655502{last:02}", **text)) for last in range(20)]
    sent = {each.result() for each in (*threads, *tasks)}
    kept = (await aws.control("GET", "messages"))["data"]
    assert len(sent) == 40
    assert {each["message_id"] for each in kept} == sent
