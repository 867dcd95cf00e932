"""The fields of a form that came as one line of text. Pure; nothing of what people typed is kept."""

from typing import Final
from urllib.parse import parse_qsl

KIND: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 500


def is_url_encoded(content_type: str) -> bool:
    """Return whether a body says that it is such a form."""
    return content_type.partition(";")[0].strip().lower() == KIND


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """
    Return the fields in their order, empty ones included.

    Litestar's own reading keeps the last thousand forms of all visitors in memory, numbers and codes with
    them, however many fields each has.

    Raises:
        ValueError: It is no UTF-8, or has more than 500 fields.
    """
    return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
