"""Several accounts behind one emulator, reached through roles."""

import aioboto3

from tests.emulator.conftest import ONE_ATTEMPT, REGION, Aws, emulated

ROLE = "arn:aws:iam::210987654321:role/gateway"


async def numbers_through_role(aws: Aws) -> tuple[str, list[str]]:
    """Assume the role, lease a number there, and return its ARN and the numbers that are seen."""
    session = aioboto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name=REGION)
    async with session.client("sts", endpoint_url=aws.base_url, config=ONE_ATTEMPT) as sts:
        assumed = await sts.assume_role(RoleArn=ROLE, RoleSessionName="test", ExternalId="tenant")
    given = assumed["Credentials"]
    other = aioboto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=REGION,
    )
    async with other.client("pinpoint-sms-voice-v2", endpoint_url=aws.base_url, config=ONE_ATTEMPT) as sms:
        leased = await sms.request_phone_number(
            IsoCountryCode="US",
            MessageType="TRANSACTIONAL",
            NumberCapabilities=["SMS"],
            NumberType="TOLL_FREE",
        )
        seen = (await sms.describe_phone_numbers())["PhoneNumbers"]
    return leased["PhoneNumberArn"], [each["PhoneNumberArn"] for each in seen]


async def test_a_role_leads_into_an_account_of_its_own() -> None:
    """Resources of one account are not seen from another, and signatures of both hold."""
    async with emulated(credentials={"AKID": "secret"}) as aws:
        own = await aws.number()
        arn, seen = await numbers_through_role(aws)
        assert ":210987654321:" in arn
        assert seen == [arn]
        assert ":123456789012:" in own["PhoneNumberArn"]
        foreign, answer = await aws.raw("DescribePools", {})
        assert (foreign, answer["__type"]) == (400, "IncompleteSignature")
