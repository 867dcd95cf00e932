"""Tags given when a resource is created."""

from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.errors import validation
from gateway.emulator.state.records import TagSet


def check_tags(call: Call) -> dict[str, str]:
    """Return the tags of a Create or Request, or raise when a key comes twice."""
    tags: list[dict[str, str]] = call.input.get("Tags", [])
    keys = {tag["Key"] for tag in tags}
    if len(keys) != len(tags):
        raise validation("INVALID_PARAMETER", "Tag keys must be unique", "Tags")
    return {tag["Key"]: tag["Value"] for tag in tags}


def keep_tags(call: Call, arn: str, tags: dict[str, str]) -> dict[str, Any]:
    """Attach tags to a new resource and return the member that repeats them in the answer."""
    if not tags:
        return {}
    call.store.put(TagSet(scope=call.store.scope, arn=arn, tags=tags))
    return {"Tags": tag_list(tags)}


def drop_tags(call: Call, arn: str) -> None:
    """Forget the tags of a resource that is gone."""
    kept = call.store.find(TagSet, arn)
    if kept is not None:
        call.store.remove(kept)


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as the API lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
