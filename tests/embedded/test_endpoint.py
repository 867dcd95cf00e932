"""A port is chosen where nothing else will take it."""

import socket

from gateway.embedded.cluster import BUS_OFFSET
from gateway.embedded.endpoint import LOOPBACK, PORTS, free_port, is_free

LOWEST_EPHEMERAL = 32_768
"""Of Linux; other systems begin higher."""


def test_no_port_is_in_the_range_of_outgoing_connections() -> None:
    """A client that reconnects to a dead server in that range can end up connected to itself."""
    assert max(PORTS) + BUS_OFFSET < LOWEST_EPHEMERAL


def test_drawn_port_is_free_at_every_offset() -> None:
    """A cluster node needs two."""
    port = free_port((0, BUS_OFFSET))
    with socket.create_server((LOOPBACK, port)), socket.create_server((LOOPBACK, port + BUS_OFFSET)):
        assert not is_free(port, (0,))
        assert not is_free(port, (BUS_OFFSET,))


def test_port_is_free_again_as_soon_as_its_server_is_gone() -> None:
    """Closed connections linger for a minute and must not move a restarted server."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            accepted, _ = server.accept()
            accepted.close()
    assert is_free(port, (0,))
