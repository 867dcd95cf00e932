"""Files for MMS in an S3 that is not our own emulator's: moto's server, with its own idea of S3."""

from collections.abc import Iterator

import aioboto3
import pytest
from moto.server import ThreadedMotoServer

from gateway.carrier.media_stage import S3Stage
from gateway.carrier.session import open_session
from gateway.cli.aws_health import bucket_findings
from gateway.errors import Unavailable
from gateway.settings import Settings
from tenants.senders.models import AwsAccount
from tests.unit.media.files import picture

REGION = "us-east-1"


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """A moto server of this module."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def s3(moto_url):
    """S3, as anybody else in the account could call it."""
    async with aioboto3.Session().client("s3", region_name=REGION, endpoint_url=moto_url) as client:
        yield client


@pytest.fixture
async def bucket(s3) -> str:
    """A bucket that exists."""
    await s3.create_bucket(Bucket="tollgate-media")
    return "tollgate-media"


def account(moto_url: str, bucket: str | None) -> AwsAccount:
    return AwsAccount(
        name="default", region=REGION, endpoint_url=moto_url, role_arn=None, media_bucket=bucket
    )


def settings(moto_url: str, bucket: str | None) -> Settings:
    return Settings(
        database_url="postgresql://nowhere.invalid/x",
        redis_url="redis://nowhere.invalid",
        operator_key="operator key of the tests",
        secret_key="secret key of the tests",
        aws_region=REGION,
        aws_endpoint_url=moto_url,
        aws_media_bucket=bucket,
    )


async def test_a_file_lies_in_the_bucket_with_its_type_and_every_byte(moto_url, s3, bucket) -> None:
    """Putting it twice leaves one: an upload is repeated after a lost answer."""
    content = picture("PNG")
    for _ in range(2):
        address = await S3Stage(open_session()).put(
            account(moto_url, bucket), "a/b.png", content, content_type="image/png"
        )
    assert address == "s3://tollgate-media/a/b.png"
    found = await s3.get_object(Bucket=bucket, Key="a/b.png")
    assert (await found["Body"].read(), found["ContentType"]) == (content, "image/png")
    listed = await s3.list_objects_v2(Bucket=bucket)
    assert [each["Key"] for each in listed["Contents"]] == ["a/b.png"]


@pytest.mark.parametrize("named", ["no-such-bucket", None])
async def test_without_a_bucket_nothing_is_accepted_and_the_reason_is_named(moto_url, named) -> None:
    """A 503 that a retry may mend, never a message whose file is nowhere."""
    with pytest.raises(Unavailable, match=named or "no bucket"):
        await S3Stage(open_session()).put(account(moto_url, named), "x.png", b"x", content_type="image/png")


async def test_the_doctor_tries_the_bucket_and_leaves_nothing_there(moto_url, s3, bucket) -> None:
    """Permission to write shows only by writing."""
    [found] = await bucket_findings(settings(moto_url, bucket))
    assert (found.held, found.subject) == (True, "media bucket")
    listed = await s3.list_objects_v2(Bucket=bucket, Prefix="tollgate-doctor")
    assert listed["KeyCount"] == 0


async def test_the_doctor_says_what_to_do_about_a_bucket_that_is_not_there(moto_url) -> None:
    """Before the first picture, not with it; and without a bucket there is nothing to say."""
    [found] = await bucket_findings(settings(moto_url, "no-such-bucket"))
    assert (found.held, "s3:PutObject" in found.way_out) == (False, True)
    assert await bucket_findings(settings(moto_url, None)) == []
