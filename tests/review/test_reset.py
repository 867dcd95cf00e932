"""What a connection that breaks says of a text."""

import asyncio
import contextlib
import socket
import struct

from gateway.carrier.opening import open_aws_carrier
from gateway.carrier.ports import NotSent, OutboundText, Unknown
from gateway.carrier.session import open_session
from tenants.ids import new_uuid
from tests.harness.web import free_listener

TEXT = OutboundText(
    message_id=new_uuid(),
    attempt=1,
    destination="+14155550123",
    body="Hello",
    origination_identity=None,
    promotional=False,
    configuration_set=None,
    max_price_micros=100_000,
    ttl_s=60,
    context={},
)


@contextlib.asynccontextmanager
async def aws_that_resets():
    """Reads the whole request, then sends RST instead of an answer; yields its URL and the requests seen."""
    seen = []

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ]
        seen.append(await reader.readexactly(length))
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def sent_to(url):
    """Return the outcome of one send."""
    async with open_aws_carrier(open_session(), region="us-east-1", endpoint_url=url, in_flight=1) as carrier:
        return await carrier.send(TEXT)


async def test_a_connection_reset_after_the_request_left_is_unknown():
    """AWS may have taken the text; trying again would be a second one."""
    async with aws_that_resets() as (url, seen):
        assert isinstance(await sent_to(url), Unknown)
    assert len(seen) == 1


async def test_a_refused_connection_is_not_sent():
    """Nothing left the machine, so trying again is safe."""
    listener = free_listener()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    assert isinstance(await sent_to(url), NotSent)
