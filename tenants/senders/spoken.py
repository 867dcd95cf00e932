"""What each type of sender is called in a sentence. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SPOKEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SHORT_CODE": "short code",
        "TEN_DLC": "10DLC number",
        "LONG_CODE": "long code",
        "TOLL_FREE": "toll-free number",
        "SENDER_ID": "sender ID",
    }
)
"""What a tenant can choose; shared routes are the operator's to allow, and nobody gets one."""
