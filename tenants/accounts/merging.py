"""A JSON merge patch (RFC 7396) of a struct that is kept as JSON. Pure."""

from typing import cast

from msgspec import inspect


def merge_patch(kind: inspect.Type, current: object, patch: object) -> object:
    """
    Return `current` with what `patch` names changed, at every depth; lists are replaced as a whole.

    Null takes an entry out of a map. As a struct's member it is a value like any other: the type says whether
    the member may be none, so that null where it means nothing is refused instead of read as "the default".

    Args:
        kind: What `current` is, by `msgspec.inspect.type_info`.
    """
    if not isinstance(patch, dict):
        return patch
    changes = cast("dict[str, object]", patch)
    merged = dict(cast("dict[str, object]", current)) if isinstance(current, dict) else {}
    inner = _object_in(kind)
    if isinstance(inner, inspect.DictType):
        for name, change in changes.items():
            if change is None:
                merged.pop(name, None)
            else:
                merged[name] = merge_patch(inner.value_type, merged.get(name), change)
        return merged
    members = {each.encode_name: each.type for each in inner.fields} if inner is not None else {}
    for name, change in changes.items():
        known = members.get(name)
        merged[name] = change if known is None else merge_patch(known, merged.get(name), change)
    return merged


def _object_in(kind: inspect.Type) -> inspect.DictType | inspect.StructType | None:
    """Return the kind of JSON object that a value of this type is, where it is one."""
    match kind:
        case inspect.DictType() | inspect.StructType():
            return kind
        case inspect.UnionType():
            return next((found for each in kind.types if (found := _object_in(each)) is not None), None)
        case inspect.Metadata():
            return _object_in(kind.type)
        case _:
            return None
