"""Valid values for shapes of the service model, and values that break one constraint each."""

import base64
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

PATTERNED = {
    r"arn:[A-Za-z0-9_:/-]+": "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-1",
    r"arn:\S+": "arn:aws:sns:us-east-1:123456789012:topic",
    r"\+?[1-9][0-9]{1,18}": "+14254147755",
    r"[A-Z]{2}": "US",
    r"[0-9]{0,2}\.[0-9]{1,5}": "0.5",
    r"s3://([a-z0-9\.-]{3,63})/(.+)": "s3://bucket/key.png",
    r"\+[({\s\[]?[1-9][0-9(){}\s\[\],.-]{1,38}": "+14254147755",
}
"""Pattern -> a value that matches; every other pattern takes letters."""


def valid(shape: Shape) -> Any:
    """Return a value that keeps every constraint of a shape, with its required members only."""
    if isinstance(shape, StructureShape):
        return {name: valid(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, ListShape):
        return [valid(shape.member)] * max(1, shape.metadata.get("min", 0))
    if isinstance(shape, MapShape):
        return {valid(shape.key): valid(shape.value)}
    if isinstance(shape, StringShape):
        return _text(shape)
    return {
        "boolean": True,
        "integer": shape.metadata.get("min", 1),
        "long": shape.metadata.get("min", 1),
        "timestamp": 4_000_000_000,
        "blob": base64.b64encode(b"%PDF-1.7").decode(),
    }[shape.type_name]


def broken(shape: Shape, path: str) -> Iterator[tuple[str, str, Any]]:
    """Yield ``(field, constraint, value)`` for every constraint of a shape, broken by one step."""
    if isinstance(shape, StructureShape):
        yield from _broken_structure(shape, path)
    elif isinstance(shape, ListShape):
        yield from _broken_list(shape, path)
    elif isinstance(shape, MapShape):
        yield from _broken_map(shape, path)
    elif isinstance(shape, StringShape):
        yield from _broken_text(shape, path)
    elif shape.type_name in {"integer", "long"}:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None:
            yield path, "min", low - 1
        if high is not None:
            yield path, "max", high + 1
    elif shape.type_name == "blob":
        yield path, "max", base64.b64encode(b"x" * (shape.metadata["max"] + 1)).decode()


def _broken_structure(shape: StructureShape, path: str) -> Iterator[tuple[str, str, Any]]:
    whole = valid(shape)
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        yield prefix + name, "required", {key: value for key, value in whole.items() if key != name}
    yield f"{prefix}NoSuchMember", "unknown", {**whole, "NoSuchMember": 1}
    for name, member in shape.members.items():
        for field, constraint, value in broken(member, prefix + name):
            yield field, constraint, {**whole, name: value}


def _broken_list(shape: ListShape, path: str) -> Iterator[tuple[str, str, Any]]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if low > 0:
        yield path, "min", []
    if high is not None:
        yield path, "max", [valid(shape.member)] * (high + 1)
    for field, constraint, value in broken(shape.member, f"{path}[0]"):
        yield field, constraint, [value]


def _broken_map(shape: MapShape, path: str) -> Iterator[tuple[str, str, Any]]:
    high = shape.metadata.get("max")
    if high is not None and isinstance(shape.key, StringShape) and not shape.key.enum:
        low = shape.key.metadata.get("min", 1)
        keys = [chr(65 + n // 26) + chr(65 + n % 26) if low == 2 else f"k{n}" for n in range(high + 1)]
        yield path, "max", {key: valid(shape.value) for key in keys}
    for _, constraint, key in broken(shape.key, path):
        yield f"{path}.key", constraint, {key: valid(shape.value)}
    good = valid(shape.key)
    for field, constraint, value in broken(shape.value, f"{path}.{good}"):
        yield field, constraint, {good: value}


def _broken_text(shape: StringShape, path: str) -> Iterator[tuple[str, str, Any]]:
    if shape.enum:
        yield path, "enum", "NO_SUCH_VALUE"
        return
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    good = _text(shape)
    if low > 0:
        yield path, "min", good[: low - 1]
    if high is not None:
        yield path, "max", good + "1" * (high + 1 - len(good))
    pattern = shape.metadata.get("pattern")
    if pattern not in {None, ".*", ".+", r"[\s\S]+"}:
        yield (
            path,
            "pattern",
            "  " if pattern.startswith("(?!") else (good[: low - 1] + "\u00e9 \n")[: high or 9],
        )


def _text(shape: StringShape) -> str:
    if shape.enum:
        return str(shape.enum[0])
    pattern = shape.metadata.get("pattern")
    return PATTERNED.get(pattern, "a" * max(1, shape.metadata.get("min", 1)))
