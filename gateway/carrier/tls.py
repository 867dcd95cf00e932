"""
One TLS context for all AWS clients of a process.

Each client of aiobotocore makes its own with its first request, and reads the certificate authorities into
it: 28 ms of CPU in which the event loop stands still, with every control call to an account a client of its
own. The authorities are the same for all, so they are read once (docs/adr/0028).
"""

import copy
import ssl
from functools import cache
from typing import Any, cast

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from botocore.httpsession import create_urllib3_context, get_cert_path


def with_shared_tls(config: AioConfig | None) -> AioConfig:
    """
    Return the configuration for a client that takes the process's TLS context.

    One that names an HTTP session of its own keeps it: what that is for must not be lost.
    """
    shared: Any = AioConfig() if config is None else copy.copy(config)
    if shared.http_session_cls is AIOHTTPSession:
        shared.http_session_cls = SharedTlsSession
    return cast("AioConfig", shared)


class SharedTlsSession(AIOHTTPSession):
    """aiobotocore's HTTP session; one through a proxy, or with a certificate of its own, is as it was."""

    def _create_connector(self: Any, proxy_url: str | None) -> aiohttp.TCPConnector:
        """`self` is Any: what it has of its own is not in its stub."""
        if proxy_url or self._cert_file or not self._verify:
            usual: Any = super()
            connector: aiohttp.TCPConnector = usual._create_connector(proxy_url)  # noqa: SLF001 - it is ours, too
            return connector
        context = _context(get_cert_path(self._verify))
        return aiohttp.TCPConnector(limit=self._max_pool_connections, ssl=context, **self._connector_args)


@cache
def _context(authorities: Any) -> ssl.SSLContext:
    """Return botocore's context for a bundle of authorities, read once."""
    context: ssl.SSLContext = create_urllib3_context()
    if authorities:
        context.load_verify_locations(authorities)
    return context
