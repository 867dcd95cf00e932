"""Reading a json-1.0 request off the wire: which action, which Region, which body."""

import re
from typing import Any, cast

import msgspec

from gateway.emulator.errors import AwsError, serialization, unknown_operation
from gateway.emulator.model.service import TARGET_PREFIX

CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]{1,32})/(?P<service>[a-z0-9-]+)/"
)
LONGEST_WHOLE = 15
"""Digits of a number that stands in a query or a form."""

JSON_TYPES = ("application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json")


class Request(msgspec.Struct, frozen=True):
    """An HTTP request, read whole."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    """Lower-case names; repeated ones joined with a comma."""
    body: bytes


class Caller(msgspec.Struct, frozen=True):
    """Who signed, as far as the credential scope says. Whether the signature holds is another question."""

    access_key: str
    region: str
    service: str


def caller_of(request: Request, default_region: str) -> Caller:
    """Return who the request claims to come from."""
    found = CREDENTIAL.search(request.headers.get("authorization", ""))
    if found is None:
        return Caller("", default_region, "")
    return Caller(found["key"], found["region"], found["service"])


def action_of(request: Request) -> str:
    """Return the action that ``X-Amz-Target`` names."""
    target = request.headers.get("x-amz-target", "")
    prefix, _, action = target.partition(".")
    if prefix != TARGET_PREFIX or not action:
        raise unknown_operation(target or "X-Amz-Target is missing")
    return action


def whole(text: str) -> int | None:
    """Return what a number without a sign says; None for anything else, and for what no place can be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_WHOLE else None


def payload_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of the body, without members that are null."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise AwsError(
            "UnsupportedMediaTypeException", f"Content-Type {media_type!r} is not supported", status=415
        )
    if not request.body:
        return {}
    try:
        payload = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise serialization("The body is not valid JSON") from broken
    if not isinstance(payload, dict):
        raise serialization("The body must be a JSON object")
    members = cast("dict[str, Any]", payload)
    return {name: value for name, value in members.items() if value is not None}
