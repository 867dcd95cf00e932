"""Keywords of numbers and pools."""

from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.errors import conflict, not_found, quota, validation
from gateway.emulator.filters import Readers, filtered
from gateway.emulator.keyword_rules import default_keywords
from gateway.emulator.operations.lookups import identity
from gateway.emulator.operations.phone_numbers import arn_of as number_arn
from gateway.emulator.operations.pools import arn_of as pool_arn
from gateway.emulator.paging import page
from gateway.emulator.state.records import Keyword, PhoneNumber, Pool

READERS: Readers[Keyword] = {"keyword-action": lambda keyword: keyword.action}

Owner = PhoneNumber | Pool


def put_keyword(call: Call) -> dict[str, Any]:
    """Set what a keyword answers and does."""
    owner, wanted = _owner(call), _keyword(call)
    defaults = default_keywords(owner)
    action: str = call.input.get("KeywordAction") or _current_action(call, owner, wanted, defaults)
    if wanted in defaults:
        _check_default(call, defaults[wanted].action, action, wanted)
    if isinstance(owner, PhoneNumber) and owner.number_type == "TOLL_FREE" and wanted not in defaults:
        raise conflict("RESOURCE_MODIFICATION_NOT_ALLOWED", "keyword", wanted)
    keyword = Keyword(
        scope=call.store.scope,
        owner_id=owner.id,
        keyword=wanted,
        message=call.input["KeywordMessage"],
        action=action,
    )
    _check_quota(call, owner, keyword)
    call.store.put(keyword)
    return {**_named(call, owner), **_described(keyword)}


def delete_keyword(call: Call) -> dict[str, Any]:
    """Remove a keyword; HELP and STOP stay."""
    owner, wanted = _owner(call), _keyword(call)
    if wanted in default_keywords(owner):
        raise conflict("RESOURCE_DELETION_NOT_ALLOWED", "keyword", wanted)
    keyword = call.store.find(Keyword, f"{owner.id}/{wanted}")
    if keyword is None:
        raise not_found("keyword", wanted)
    call.store.remove(keyword)
    return {**_named(call, owner), **_described(keyword)}


def describe_keywords(call: Call) -> dict[str, Any]:
    """List the keywords of a number or pool, the built-in ones too."""
    owner = _owner(call)
    known = keywords_in_force(call, owner)
    wanted = [text.upper() for text in call.input.get("Keywords", [])]
    missing = [text for text in wanted if text not in known]
    if missing:
        raise not_found("keyword", missing[0])
    chosen = [known[text] for text in wanted] if wanted else list(known.values())
    shown, following = page(filtered(chosen, call.input.get("Filters"), READERS), call)
    return {**_named(call, owner), "Keywords": [_described(keyword) for keyword in shown], **following}


def keywords_in_force(call: Call, owner: Owner) -> dict[str, Keyword]:
    """Return the keywords of an owner by their text; what was put replaces what is built in."""
    put = {each.keyword: each for each in call.store.grouped(Keyword, owner.id)}
    return {**default_keywords(owner), **put}


def _check_default(call: Call, fixed_action: str, action: str, keyword: str) -> None:
    editable = call.world.options.behaviour.keyword_defaults_editable
    if not editable or action != fixed_action:
        raise conflict("RESOURCE_MODIFICATION_NOT_ALLOWED", "keyword", keyword)


def _current_action(call: Call, owner: Owner, wanted: str, defaults: dict[str, Keyword]) -> str:
    current = call.store.find(Keyword, f"{owner.id}/{wanted}") or defaults.get(wanted)
    return current.action if current else "AUTOMATIC_RESPONSE"


def _check_quota(call: Call, owner: Owner, keyword: Keyword) -> None:
    known = keywords_in_force(call, owner)
    if keyword.keyword in known or len(known) < call.world.options.effective_quotas().keywords_per_identity:
        return
    raise quota("KEYWORDS_PER_POOL" if isinstance(owner, Pool) else "KEYWORDS_PER_PHONE_NUMBER")


def _keyword(call: Call) -> str:
    text: str = call.input["Keyword"]
    if text != text.strip():
        raise validation("INVALID_PARAMETER", "A keyword has no space at either end", "Keyword")
    return text.upper()


def _owner(call: Call) -> Owner:
    found = identity(call, call.input["OriginationIdentity"], None)
    if isinstance(found, PhoneNumber | Pool):
        return found
    raise validation("INVALID_PARAMETER", "Sender IDs have no keywords", "OriginationIdentity")


def _named(call: Call, owner: Owner) -> dict[str, Any]:
    arn = pool_arn(call, owner) if isinstance(owner, Pool) else number_arn(call, owner)
    return {"OriginationIdentityArn": arn, "OriginationIdentity": owner.id}


def _described(keyword: Keyword) -> dict[str, Any]:
    return {
        "Keyword": keyword.keyword,
        "KeywordMessage": keyword.message,
        "KeywordAction": keyword.action,
    }


OPERATIONS = {
    "PutKeyword": put_keyword,
    "DeleteKeyword": delete_keyword,
    "DescribeKeywords": describe_keywords,
}
