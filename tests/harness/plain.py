"""
What a client is given that speaks plain HTTP to this machine: a TLS context that trusts nobody.

Without one httpx reads all public authorities for every client it makes, 20 ms of a core each.
"""

import ssl
from typing import Final

NO_AUTHORITIES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
