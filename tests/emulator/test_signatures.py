"""SigV4, where the emulator knows credentials."""

import aioboto3
import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import ONE_ATTEMPT, REGION, Aws, emulated


async def call_with(aws: Aws, key: str, secret: str) -> None:
    """Make one signed call."""
    session = aioboto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
    async with session.client(
        "pinpoint-sms-voice-v2", endpoint_url=aws.base_url, config=ONE_ATTEMPT
    ) as client:
        await client.describe_pools()


async def test_a_request_signed_with_a_known_key_passes() -> None:
    """Both for the service and for SNS, as the real clients sign."""
    async with emulated(credentials={"AKID": "secret"}) as aws:
        await aws.sms.describe_pools()
        await aws.sns.create_topic(Name="signed")


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKID", "wrong", "InvalidSignatureException"),
        ("OTHER", "secret", "UnrecognizedClientException"),
    ],
)
async def test_a_wrong_signature_is_refused_with_403(key: str, secret: str, code: str) -> None:
    """Nothing else about the request is looked at."""
    async with emulated(credentials={"AKID": "secret"}) as aws:
        with pytest.raises(ClientError) as caught:
            await call_with(aws, key, secret)
        response = caught.value.response
        assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (403, code)


async def test_a_signature_of_long_ago_has_expired() -> None:
    """Fifteen minutes of skew are too many."""
    async with emulated(credentials={"AKID": "secret"}) as aws:
        await aws.control("POST", "clock", {"advance_seconds": 1000})
        with pytest.raises(ClientError) as caught:
            await aws.sms.describe_pools()
        assert caught.value.response["Error"]["Code"] == "RequestExpired"


async def test_an_unsigned_or_half_signed_request_is_refused() -> None:
    """No credentials, no service."""
    async with emulated(credentials={"AKID": "secret"}) as aws:
        status, answer = await aws.raw("DescribePools", {})
        assert (status, answer["__type"]) == (400, "IncompleteSignature")
        async with aws.http.post(
            aws.base_url, headers={"X-Amz-Target": "PinpointSMSVoiceV2.DescribePools"}
        ) as bare:
            assert bare.status == 403


async def test_without_credentials_any_signature_is_taken(aws: Aws) -> None:
    """The default, so that tests need no set-up."""
    await call_with(aws, "ANY", "thing")
