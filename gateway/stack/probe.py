"""Whether a process answers over HTTP yet."""

from http import HTTPStatus
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

_DEADLINE_S = 5.0


def answers(url: str) -> bool:
    """Say whether a GET of `url` is answered with 200; blocks, so call it from a thread."""
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=_DEADLINE_S) as response:
            return bool(response.status == HTTPStatus.OK)
    except (URLError, OSError):
        return False
