"""Tags and policies of any resource, addressed by ARN."""

import json
from typing import Any

from gateway.emulator.arns import own
from gateway.emulator.call import Call
from gateway.emulator.errors import not_found, quota, validation
from gateway.emulator.operations.lookups import KINDS
from gateway.emulator.operations.tagging import check_tags, tag_list
from gateway.emulator.state.records import Record, ResourcePolicy, SenderId, TagSet

RECORDS: dict[str, type[Record]] = {kind: record for record, kind in KINDS.items()}

SHAREABLE = frozenset({"phone-number", "pool", "sender-id", "opt-out-list"})
"""Kinds that a policy may share with other accounts."""


def tag_resource(call: Call) -> dict[str, Any]:
    """Add tags; those with the same key are replaced."""
    arn = _existing(call)
    kept = call.store.find(TagSet, arn)
    tags = {**(kept.tags if kept else {}), **check_tags(call)}
    if len(tags) > call.world.options.effective_quotas().tags_per_resource:
        raise quota("TAGS_PER_RESOURCE")
    call.store.put(TagSet(scope=call.store.scope, arn=arn, tags=tags))
    return {}


def untag_resource(call: Call) -> dict[str, Any]:
    """Remove tags; those that are not there are no error."""
    arn = _existing(call)
    kept = call.store.find(TagSet, arn)
    if kept is not None:
        gone = set(call.input["TagKeys"])
        kept.tags = {key: value for key, value in kept.tags.items() if key not in gone}
        call.store.put(kept)
    return {}


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """List tags."""
    arn = _existing(call)
    kept = call.store.find(TagSet, arn)
    return {"ResourceArn": arn, "Tags": tag_list(kept.tags if kept else {})}


def put_resource_policy(call: Call) -> dict[str, Any]:
    """Set the policy of a resource."""
    arn = _shareable(call)
    text: str = call.input["Policy"]
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise validation("CANNOT_PARSE", "The policy is not valid JSON", "Policy") from broken
    if not isinstance(document, dict):
        raise validation("CANNOT_PARSE", "The policy must be a JSON object", "Policy")
    policy = ResourcePolicy(scope=call.store.scope, arn=arn, policy=text, created_s=call.now_s)
    call.store.put(policy)
    return _described(policy)


def get_resource_policy(call: Call) -> dict[str, Any]:
    """Tell the policy of a resource, an empty one if none was set."""
    arn = _shareable(call)
    policy = call.store.find(ResourcePolicy, arn)
    return _described(policy) if policy else {"ResourceArn": arn, "Policy": "{}"}


def delete_resource_policy(call: Call) -> dict[str, Any]:
    """Remove the policy of a resource."""
    arn = _shareable(call)
    policy = call.store.find(ResourcePolicy, arn)
    if policy is None:
        raise not_found("policy", arn)
    call.store.remove(policy)
    return _described(policy)


def _described(policy: ResourcePolicy) -> dict[str, Any]:
    return {"ResourceArn": policy.arn, "Policy": policy.policy, "CreatedTimestamp": policy.created_s}


def _shareable(call: Call) -> str:
    arn = _existing(call)
    if own(call.store, arn, "ResourceArn").kind not in SHAREABLE:
        raise validation("INVALID_ARN", "Such a resource has no policy", "ResourceArn")
    return arn


def _existing(call: Call) -> str:
    text: str = call.input["ResourceArn"]
    arn = own(call.store, text, "ResourceArn")
    if arn.kind == "sender-id":
        found = call.store.find(SenderId, arn.id.upper()) is not None
    elif arn.kind in RECORDS:
        found = call.store.find(RECORDS[arn.kind], arn.id) is not None
    else:
        raise validation("INVALID_ARN", f"Not a kind of this service: {arn.kind}", "ResourceArn")
    if not found:
        raise not_found(arn.kind, text)
    return text


OPERATIONS = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
    "PutResourcePolicy": put_resource_policy,
    "GetResourcePolicy": get_resource_policy,
    "DeleteResourcePolicy": delete_resource_policy,
}
