"""Free and busy TCP ports on loopback."""

import socket

from gateway.errors import ConfigurationError


def settled_port(wanted: int, option: str) -> int:
    """
    Return `wanted` if it is free, or any free port for 0.

    Raises:
        ConfigurationError: Something else listens there; the text names the option that chooses another.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise ConfigurationError(
                f"port {wanted} is in use ({error.strerror}): stop what listens there, or choose another "
                f"with {option}"
            ) from error
        return int(probe.getsockname()[1])
