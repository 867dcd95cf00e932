"""
What the emulated AWS account has of one tenant or of one registration.

Other scenarios of the session fill the same account, and AWS answers in pages: so nothing is counted for the
account as a whole, and every list is read to its end.
"""

from contextlib import asynccontextmanager

from gateway.carrier.provision.spare_numbers import TAG as SPARE
from gateway.carrier.registrations import TAG
from gateway.carrier.session import open_session


@asynccontextmanager
async def account(fleet):
    """A client of the emulated account."""
    client = open_session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=fleet.emulator.base_url
    )
    async with client as aws:
        yield aws


async def every(aws, action, member, **members):
    """A list over all of its pages."""
    pages = aws.get_paginator(action).paginate(**members)
    return [each async for page in pages for each in page[member]]


async def of_tenant(fleet, slug):
    """How many of each thing are one tenant's: whatever provisioning makes bears its opt-out list's name."""
    name = f"tg-{slug}"
    ours = [{"Name": "opt-out-list-name", "Values": [name]}]
    async with account(fleet) as aws:
        numbers = await every(aws, "describe_phone_numbers", "PhoneNumbers", Filters=ours)
        pools = await every(aws, "describe_pools", "Pools", Filters=ours)
        sets = await every(aws, "describe_configuration_sets", "ConfigurationSets")
        lists = await every(aws, "describe_opt_out_lists", "OptOutLists")
    return {
        "numbers": len(numbers),
        "pools": len(pools),
        "sets": [each["ConfigurationSetName"] for each in sets].count(name),
        "lists": [each["OptOutListName"] for each in lists].count(name),
    }


async def of_registration(fleet, reference):
    """How many registrations and numbers AWS holds under our id of a registration."""
    async with account(fleet) as aws:
        registrations = await every(aws, "describe_registrations", "Registrations")
        numbers = await every(aws, "describe_phone_numbers", "PhoneNumbers")
        arns = [each["RegistrationArn"] for each in registrations]
        found = [await _tagged(aws, arn, reference) for arn in arns]
        leased = [await _tagged(aws, each["PhoneNumberArn"], reference) for each in numbers]
    return sum(found), sum(leased)


async def _tagged(aws, arn, reference):
    shown = await aws.list_tags_for_resource(ResourceArn=arn)
    return {"Key": TAG, "Value": reference} in shown["Tags"]


async def spare_numbers(fleet, reference):
    """AWS's ids of the numbers that were leased under a reference."""
    async with account(fleet) as aws:
        found = []
        for each in await every(aws, "describe_phone_numbers", "PhoneNumbers"):
            shown = await aws.list_tags_for_resource(ResourceArn=each["PhoneNumberArn"])
            if {"Key": SPARE, "Value": reference} in shown["Tags"]:
                found.append(each["PhoneNumberId"])
    return found
