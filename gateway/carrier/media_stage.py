"""
Files for MMS in S3, through aioboto3: in the bucket that the account that sends them names.

The bucket is of the same account and Region as the sender, as SendMediaMessage wants it, private and
encrypted by its own default; AWS reads it with the rights of the credentials that send.
"""

from typing import Final

from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError

from gateway.carrier.session import AwsSession, session_of
from gateway.errors import Unavailable
from tenants.senders.models import AwsAccount

BUCKET_CONFIG: Final = AioConfig(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 3},
    request_checksum_calculation="when_required",
    s3={"addressing_style": "path"},
)
"""A put may be repeated: the same key and the same bytes."""


class S3Stage:
    """Opens a client per file: files are few, and one of them is more work than its client."""

    def __init__(self, own: AwsSession) -> None:
        self._own = own

    async def put(self, account: AwsAccount, key: str, content: bytes, *, content_type: str) -> str:
        """
        Store a file in the account's bucket; returns its `s3://` address.

        Raises:
            Unavailable: S3 did not take it, or the account has no bucket.
        """
        bucket = account.media_bucket
        if bucket is None:
            raise Unavailable(f"the AWS account {account.name} has no bucket for files")
        session = session_of(self._own, account)
        try:
            async with session.client(
                "s3", region_name=account.region, endpoint_url=account.endpoint_url, config=BUCKET_CONFIG
            ) as client:
                await client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the bucket {bucket} did not take a file: {error}") from error
        return f"s3://{bucket}/{key}"
