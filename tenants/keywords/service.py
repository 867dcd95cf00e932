"""What a tenant does with keywords: adds, changes and removes its own, words the built-in ones' answers."""

import re
from collections.abc import Mapping
from typing import Any, Final, get_args
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.accounts import service as accounts
from tenants.audit import store as audit
from tenants.errors import Conflict, InvalidInput, InvalidInputs, NotFound
from tenants.ids import encode
from tenants.keywords import store
from tenants.keywords.folding import squeezed
from tenants.keywords.matching import Action, OwnKeyword, hides_built_in
from tenants.keywords.models import Keyword
from tenants.keywords.texts import TextFinding, findings
from tenants.keywords.words import BuiltIn
from tenants.scope import TenantScope

MOST_KEYWORDS: Final = 200
"""Of one tenant; AWS's own limit is 30 a number, which a gateway that matches by itself does not meet."""
MAX_WORD: Final = 30
"""AWS's longest keyword."""
MAX_REPLY: Final = 1600
_LANGUAGE: Final = re.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?")
_LIST: Final = re.compile("[a-z0-9-]{1,40}")


class NewKeyword(Struct, frozen=True, kw_only=True):
    """A keyword as its tenant wants it."""

    word: str
    action: Action = "reply"
    country: str = ""
    list_name: str | None = None
    reply: str | None = None


class Vocabulary(Struct, frozen=True, kw_only=True):
    """All that a tenant's texts are matched with and answered by."""

    own: tuple[OwnKeyword, ...]
    texts: Mapping[tuple[str, str], str]
    brand: str


async def vocabulary(scope: TenantScope, session: AsyncSession) -> Vocabulary:
    """Read a tenant's keywords, texts and name."""
    own = [_own(row) for row in await store.keywords(scope, session)]
    texts = await store.texts(scope, session)
    return Vocabulary(own=tuple(own), texts=texts, brand=(await brands_of(scope, session))[0])


async def create(scope: TenantScope, session: AsyncSession, wanted: NewKeyword) -> Keyword:
    """
    Add a keyword.

    Raises:
        InvalidInput: The word is none, or a field breaks a rule.
        Conflict: The word stands before a built-in one, is there already, or there are too many.
    """
    folded = _check_word(wanted.word)
    _check(wanted.action, wanted.list_name, wanted.reply)
    if await store.same(scope, session, folded, wanted.country) is not None:
        raise Conflict("name_taken", f"there is a keyword that reads like {wanted.word}")
    if await store.count(scope, session) >= MOST_KEYWORDS:
        raise Conflict("conflict", f"a tenant has at most {MOST_KEYWORDS} keywords; remove one")
    row = await store.add(
        scope,
        session,
        word=wanted.word.strip(),
        folded=folded,
        country=wanted.country,
        action=wanted.action,
        list_name=wanted.list_name,
        reply=wanted.reply,
    )
    await _note(scope, session, row, "keyword.created")
    return row


async def change(
    scope: TenantScope, session: AsyncSession, keyword_id: UUID, changes: Mapping[str, Any]
) -> Keyword:
    """
    Change what a keyword does or answers; its word stays what it is.

    Raises:
        NotFound: The tenant has no such keyword.
        InvalidInput: A field breaks a rule.
        Conflict: Carriers have the keyword on file.
    """
    row = await _changeable(scope, session, keyword_id)
    for name, value in changes.items():
        setattr(row, name, value)
    _check(row.action, row.list_name, row.reply)
    await session.flush()
    await _note(scope, session, row, "keyword.changed")
    return row


async def remove(scope: TenantScope, session: AsyncSession, keyword_id: UUID) -> None:
    """
    Remove a keyword.

    Raises:
        NotFound: The tenant has no such keyword.
        Conflict: Carriers have the keyword on file.
    """
    row = await _changeable(scope, session, keyword_id)
    await _note(scope, session, row, "keyword.removed")
    await session.delete(row)
    await session.flush()


async def mark_registered(
    scope: TenantScope, session: AsyncSession, keyword_id: UUID, *, registered: bool
) -> Keyword:
    """
    Note whether carriers have a keyword on file, which its tenant then cannot change.

    Raises:
        NotFound: The tenant has no such keyword.
    """
    row = await store.keyword(scope, session, keyword_id)
    if row is None:
        raise NotFound("keyword")
    row.registered = registered
    await session.flush()
    await _note(scope, session, row, "keyword.registered" if registered else "keyword.unregistered")
    return row


async def put_text(
    scope: TenantScope, session: AsyncSession, keyword: BuiltIn, language: str, text: str | None
) -> list[TextFinding]:
    """
    Set what a built-in word answers in a language (empty: in all without one of their own); None forgets it.

    Returns what the author should know; nothing of it stands in the way.

    Raises:
        InvalidInput: The language is none.
        InvalidInputs: Carriers would refuse the text.
    """
    if language and _LANGUAGE.fullmatch(language) is None:
        raise InvalidInput("/language", "invalid_language", "a language is written like en, pt or zh-Hant")
    if text is None:
        await store.drop_text(scope, session, keyword, language)
        found: list[TextFinding] = []
    else:
        brands = await brands_of(scope, session)
        found = findings(keyword, text, brands=brands, language=language)
        _refuse_errors(found)
        await store.put_text(scope, session, keyword, language, text)
    detail = {"language": language or "all"}
    await audit.append(scope, session, action="keyword.text_changed", subject=keyword, detail=detail)
    return found


async def brands_of(scope: TenantScope, session: AsyncSession) -> tuple[str, ...]:
    """Return the names by which people know the tenant; at least its own."""
    tenant = await accounts.get(scope, session)
    return tuple(accounts.plan_of(tenant).brands) or (tenant.name,)


def _refuse_errors(found: list[TextFinding]) -> None:
    errors = tuple(
        InvalidInput("/text", each.code, each.detail) for each in found if each.severity == "error"
    )
    if errors:
        raise InvalidInputs("validation_failed", errors[0].detail, errors)


def _check_word(word: str) -> str:
    folded = squeezed(word)
    if not folded or len(word.strip()) > MAX_WORD:
        detail = f"a keyword has 1 to {MAX_WORD} characters, letters or digits among them"
        raise InvalidInput("/word", "invalid_keyword", detail)
    reserved = hides_built_in(word)
    if reserved is not None:
        detail = f"{word.strip()} would stand before {reserved}, which every person may rely on"
        raise Conflict("keyword_reserved", detail)
    return folded


def _check(action: str, list_name: str | None, reply: str | None) -> None:
    if action not in get_args(Action):
        raise InvalidInput("/action", "invalid_action", f"an action is one of {', '.join(get_args(Action))}")
    if list_name is not None and (action not in {"opt_out", "opt_in"} or _LIST.fullmatch(list_name) is None):
        detail = "only opt_out and opt_in name a list: 1 to 40 of a-z, 0-9 and -"
        raise InvalidInput("/list", "invalid_list", detail)
    if action == "reply" and not (reply or "").strip():
        raise InvalidInput("/reply", "required", "a keyword that replies needs a reply")
    if reply is not None and not 0 < len(reply.strip()) <= MAX_REPLY:
        raise InvalidInput("/reply", "invalid_length", f"a reply has 1 to {MAX_REPLY} characters")


async def _changeable(scope: TenantScope, session: AsyncSession, keyword_id: UUID) -> Keyword:
    row = await store.keyword(scope, session, keyword_id)
    if row is None:
        raise NotFound("keyword")
    if row.registered:
        detail = "carriers have this keyword on file: open a support case, and change it when that is done"
        raise Conflict("keyword_registered", detail)
    return row


def _own(row: Keyword) -> OwnKeyword:
    return OwnKeyword(
        id=row.id,
        word=row.word,
        folded=row.folded,
        country=row.country,
        action=row.action,  # type: ignore[arg-type]  # the table's CHECK holds it to the Literal
        list_name=row.list_name,
        reply=row.reply,
    )


async def _note(scope: TenantScope, session: AsyncSession, row: Keyword, action: str) -> None:
    subject = encode("kwd", row.id)
    await audit.append(scope, session, action=action, subject=subject, detail={"does": row.action})
