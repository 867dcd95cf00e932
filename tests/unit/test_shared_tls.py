"""AWS clients of a process share a TLS context: authorities are read once, and decide who is trusted."""

import contextlib
import ssl
from asyncio import StreamReader, StreamWriter, start_server
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import SSLError

from gateway.carrier.aws import send_config
from gateway.carrier.one_request import OneRequest
from gateway.carrier.session import open_session
from gateway.carrier.tls import with_shared_tls
from tests.harness.certificates import self_signed

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


async def _answer(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    writer.close()


@contextlib.asynccontextmanager
async def aws_by_tls(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Run a server that answers anything; yields its URL and a file with its only authority."""
    made = self_signed("localhost")
    pair, authority = folder / "pair.pem", folder / "authority.pem"
    pair.write_bytes(made.certificate + made.key)
    authority.write_bytes(made.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    async with await start_server(_answer, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}", str(authority)


async def call(url: str, **options: Any) -> None:
    """Make one control call with a client of its own."""
    options.setdefault("config", AioConfig(retries={"total_max_attempts": 1}))
    async with open_session().client(
        "pinpoint-sms-voice-v2", region_name="us-east-1", endpoint_url=url, **options
    ) as client:
        await client.describe_account_attributes()


@pytest.fixture
def authorities_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bundles that any TLS context has read."""
    read: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def counting(context: ssl.SSLContext, cafile: str, *rest: Any) -> None:
        read.append(cafile)
        load(context, cafile, *rest)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counting)
    return read


async def test_many_clients_read_the_authorities_once(tmp_path: Path, authorities_read: list[str]) -> None:
    """Each reading stops the event loop for as long as a one-time password should take altogether."""
    async with aws_by_tls(tmp_path) as (url, authority):
        for _ in range(3):
            await call(url, verify=authority)
    assert authorities_read == [authority]


async def test_a_bundle_of_the_environment_is_believed(tmp_path: Path, monkeypatch: Any) -> None:
    """As by any AWS SDK."""
    async with aws_by_tls(tmp_path) as (url, authority):
        monkeypatch.setenv("AWS_CA_BUNDLE", authority)
        await call(url)


async def test_whom_no_authority_vouches_for_is_not_believed(tmp_path: Path) -> None:
    """Not even after another client, with other authorities, has believed it."""
    async with aws_by_tls(tmp_path) as (url, authority):
        await call(url, verify=authority)
        with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            await call(url)


async def test_who_wants_no_certificates_checked_gets_none_checked(tmp_path: Path) -> None:
    """That is an option of the client, which the shared context must not overrule."""
    async with aws_by_tls(tmp_path) as (url, _):
        await call(url, verify=False)


def test_a_configuration_is_copied() -> None:
    """One that a caller keeps is not changed behind its back."""
    own: Any = AioConfig(read_timeout=7)
    shared: Any = with_shared_tls(own)
    assert shared.read_timeout == 7
    assert shared.http_session_cls is not own.http_session_cls


async def test_a_client_for_sends_reads_no_authorities_either(
    tmp_path: Path, authorities_read: list[str]
) -> None:
    """And keeps the session that follows no redirect."""
    config = send_config(1)
    shared: Any = with_shared_tls(config)
    assert shared.http_session_cls is OneRequest
    async with aws_by_tls(tmp_path) as (url, authority):
        for _ in range(2):
            await call(url, verify=authority, config=config)
    assert authorities_read == [authority]
