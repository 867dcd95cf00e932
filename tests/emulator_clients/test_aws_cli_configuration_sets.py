"""AWS's walk-through of configuration sets, typed into the aws command line."""

import pytest

from tests.emulator.conftest import Sink, emulated
from tests.emulator_clients.aws_cli import AwsCli, CliProcess, CliRefusedError

US_HANDSET, OTHER_US_HANDSET, GERMAN_HANDSET = "+12065550199", "+12065550188", "+491751234567"


async def subscribe(cli: AwsCli, topic_arn: str, sink: Sink) -> None:
    """Let a topic post to a sink, and wait for the confirmation."""
    endpoint = ("--protocol", "http", "--notification-endpoint", sink.url)
    await cli.run("subscribe", "--topic-arn", topic_arn, *endpoint, service="sns")
    await sink.confirmed(topic_arn)


async def sending_pool(cli: AwsCli, number_type: str, message_type: str, opt_outs: str) -> str:
    """Lease a number, open a pool around it with its own opt-out list, no shared routes and a way back in."""
    number = await cli.run(
        "request-phone-number",
        *("--iso-country-code", "US", "--message-type", message_type),
        *("--number-capabilities", "SMS", "--number-type", number_type),
    )
    pool = await cli.run(
        "create-pool",
        *("--origination-identity", number["PhoneNumberArn"], "--iso-country-code", "US"),
        *("--message-type", message_type),
    )
    await cli.run("create-opt-out-list", "--opt-out-list-name", opt_outs)
    updated = await cli.run(
        "update-pool",
        *("--pool-id", pool["PoolId"], "--no-shared-routes-enabled", "--opt-out-list-name", opt_outs),
    )
    assert (updated["SharedRoutesEnabled"], updated["OptOutListName"]) == (False, opt_outs)
    await cli.run(
        "put-keyword",
        *("--origination-identity", pool["PoolId"], "--keyword", "JOIN", "--keyword-action", "OPT_IN"),
        *("--keyword-message", "You are back."),
    )
    return pool["PoolId"]


async def configuration_set(cli: AwsCli, name: str, topic_arn: str) -> None:
    """Create a set with a destination for every event and one for the log group."""
    await cli.run("create-configuration-set", "--configuration-set-name", name)
    role, logs = "arn:aws:iam::123456789012:role/events", "arn:aws:logs:us-east-1:123456789012:log-group:sms"
    chosen = ("--configuration-set-name", name, "--matching-event-types", "TEXT_ALL")
    await cli.run(
        "create-event-destination",
        *(*chosen, "--event-destination-name", "topic", "--sns-destination", f"TopicArn={topic_arn}"),
    )
    await cli.run(
        "create-event-destination",
        *(*chosen, "--event-destination-name", "logs"),
        *("--cloud-watch-logs-destination", f"IamRoleArn={role},LogGroupArn={logs}"),
    )


async def test_two_use_cases_send_apart_through_their_own_configuration_sets(
    sink: Sink, process: CliProcess
) -> None:
    """A toll-free number stands in for the walk-through's short code, which no API leases."""
    async with emulated() as aws:
        cli = AwsCli(process, aws.base_url)
        topics = {}
        for use_case in ("otp", "marketing"):
            topic = await cli.run("create-topic", "--name", use_case, service="sns")
            topics[use_case] = topic["TopicArn"]
            await subscribe(cli, topic["TopicArn"], sink)
            await configuration_set(cli, use_case, topic["TopicArn"])
        pools = {
            "otp": await sending_pool(cli, "TOLL_FREE", "TRANSACTIONAL", "otp-list"),
            "marketing": await sending_pool(cli, "TEN_DLC", "PROMOTIONAL", "marketing-list"),
        }

        async def send(use_case: str, destination: str) -> str:
            sent = await cli.run(
                "send-text-message",
                *("--destination-phone-number", destination, "--message-body", "Hello from Example Corp"),
                *("--origination-identity", pools[use_case], "--configuration-set-name", use_case),
                *("--message-type", "TRANSACTIONAL" if use_case == "otp" else "PROMOTIONAL"),
                *("--context", f"useCase={use_case}"),
            )
            return sent["MessageId"]

        listed = ("--opt-out-list-name", "marketing-list")
        await cli.run("put-opted-out-number", *listed, "--opted-out-number", US_HANDSET)
        with pytest.raises(CliRefusedError, match="DESTINATION_PHONE_NUMBER_OPTED_OUT"):
            await send("marketing", US_HANDSET)
        for use_case, destination in (("otp", US_HANDSET), ("marketing", OTHER_US_HANDSET)):
            event = await sink.final(await send(use_case, destination))
            assert event["context"]["useCase"] == use_case
        arrived = {
            (topic["TopicArn"], event["context"]["useCase"])
            for topic, event in zip(sink.notifications, sink.events, strict=True)
        }
        assert arrived == {(topic_arn, use_case) for use_case, topic_arn in topics.items()}
        with pytest.raises(CliRefusedError) as abroad:
            await send("otp", GERMAN_HANDSET)
        assert str(abroad.value).startswith(
            "An error occurred (ConflictException) when calling the SendTextMessage operation: "
            'Conflict Occurred - Reason="NO_ORIGINATION_IDENTITIES_FOUND"'
        )
        sets = (await cli.run("describe-configuration-sets"))["ConfigurationSets"]
        assert {each["ConfigurationSetName"]: len(each["EventDestinations"]) for each in sets} == {
            "otp": 2,
            "marketing": 2,
        }
