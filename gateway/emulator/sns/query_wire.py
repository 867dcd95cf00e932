"""The AWS query protocol: form fields in, XML out."""

import re
import uuid
from xml.sax.saxutils import escape

import msgspec

NAMESPACES = {
    "sns": "http://sns.amazonaws.com/doc/2010-03-31/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
UNSAFE_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class QueryError(Exception):
    """An error answer of a query API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Fields(msgspec.Struct, frozen=True):
    """The form fields of one call."""

    values: dict[str, str]

    def required(self, name: str) -> str:
        """Return a field, or raise InvalidParameter."""
        value = self.values.get(name)
        if not value:
            raise QueryError("InvalidParameter", f"Invalid parameter: {name} is required")
        return value

    def optional(self, name: str, default: str = "") -> str:
        """Return a field or its default."""
        return self.values.get(name, default)

    def entries(self, name: str) -> dict[str, str]:
        """Return a map sent as ``Name.entry.1.key`` and ``Name.entry.1.value``."""
        prefix = f"{name}.entry."
        keys = {
            field.removesuffix(".key"): value
            for field, value in self.values.items()
            if field.startswith(prefix) and field.endswith(".key")
        }
        return {key: self.values.get(f"{stem}.value", "") for stem, key in keys.items()}


def result_xml(action: str, inner: str, api: str = "sns") -> bytes:
    """Return the answer of an action; ``inner`` is the XML inside its result."""
    result = f"<{action}Result>{inner}</{action}Result>" if inner else ""
    return (
        f'<{action}Response xmlns="{NAMESPACES[api]}">{result}'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    ).encode()


def error_xml(error: QueryError, api: str = "sns") -> bytes:
    """Return an error answer."""
    return (
        f'<ErrorResponse xmlns="{NAMESPACES[api]}"><Error><Type>Sender</Type><Code>{error.code}</Code>'
        f"<Message>{text(error.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    ).encode()


def element(name: str, value: str) -> str:
    """Return one XML element with text."""
    return f"<{name}>{text(value)}</{name}>"


def entries_xml(name: str, entries: dict[str, str]) -> str:
    """Return a map as the query protocol writes it."""
    inner = "".join(
        f"<entry>{element('key', key)}{element('value', value)}</entry>" for key, value in entries.items()
    )
    return f"<{name}>{inner}</{name}>"


def text(value: str) -> str:
    """Return text safe inside XML; characters that XML cannot hold become question marks."""
    return escape(UNSAFE_IN_XML.sub("?", value))
