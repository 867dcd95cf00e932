"""Does AWS answer, and does it know us?"""

from typing import Any, Final
from urllib.parse import urlsplit

import aioboto3
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError

from gateway.carrier.media_stage import BUCKET_CONFIG
from gateway.cli.findings import Finding, fault, fine
from gateway.settings import Settings

_PROBE: Final = "tollgate-doctor"
"""Key of the file that is written and deleted again."""
_PATIENCE: Final = AioConfig(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})


async def aws_findings(settings: Settings) -> list[Finding]:
    """Return what one harmless call to AWS End User Messaging shows, and whether SNS can reach us."""
    account = await _account(settings)
    bucket = await bucket_findings(settings) if account.held else []  # one fault is told once
    return [account, *bucket, _public_url(settings)]


async def _account(settings: Settings) -> Finding:
    where = settings.aws_endpoint_url or f"AWS in {settings.aws_region}"
    try:
        session: Any = aioboto3.Session()
        async with session.client(
            "pinpoint-sms-voice-v2",
            region_name=settings.aws_region,
            endpoint_url=settings.aws_endpoint_url,
            config=_PATIENCE,
        ) as client:
            answer = await client.describe_account_attributes()
    except ClientError as error:
        return fault(
            "AWS",
            f"{where} refused: {error}",
            "Give it credentials that may call sms-voice:* and sns:*, and check TOLLGATE_AWS_REGION.",
        )
    except (BotoCoreError, ValueError) as error:  # an endpoint that is none is a ValueError
        return fault(
            "AWS",
            f"{where} does not answer: {error}",
            "Check credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE or a role), TOLLGATE_AWS_REGION, "
            "AWS_ENDPOINT_URL and the network.",
        )
    tiers = [each["Value"] for each in answer["AccountAttributes"] if each["Name"] == "ACCOUNT_TIER"]
    if "SANDBOX" in tiers:
        return fine(
            "AWS", f"{where} answers", "The account is in the SMS sandbox: ask AWS for production access."
        )
    return fine("AWS", f"{where} answers")


async def bucket_findings(settings: Settings) -> list[Finding]:
    """Put and delete an empty file where files for MMS are staged; nothing where no bucket is set."""
    name = settings.aws_media_bucket
    if name is None:
        return []
    try:
        session: Any = aioboto3.Session()
        async with session.client(
            "s3",
            region_name=settings.aws_region,
            endpoint_url=settings.aws_endpoint_url,
            config=BUCKET_CONFIG,
        ) as client:
            await client.put_object(Bucket=name, Key=_PROBE, Body=b"", ContentType="text/plain")
            await client.delete_object(Bucket=name, Key=_PROBE)
    except (ClientError, BotoCoreError) as error:
        return [
            fault(
                "media bucket",
                f"{name} does not take a file: {error}",
                "Make the bucket in the account and Region that sends, let the gateway's credentials call "
                "s3:PutObject, s3:GetObject and s3:DeleteObject in it, or unset TOLLGATE_AWS_MEDIA_BUCKET.",
            )
        ]
    return [fine("media bucket", f"{name} takes files")]


def _public_url(settings: Settings) -> Finding:
    parts = urlsplit(settings.public_url)
    if parts.scheme == "https" or settings.aws_endpoint_url is not None:
        return fine("public URL", settings.public_url)
    return fault(
        "public URL",
        f"SNS cannot post receipts to {settings.public_url}",
        "Set TOLLGATE_PUBLIC_URL to the https address of the API as AWS sees it.",
    )
