"""`/v1/keywords`: words of the tenant's own, and what STOP, HELP and JOIN answer."""

from typing import Annotated, Any, Final

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType, field
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, id_after, page_of
from gateway.api.lists.short_lists import ShortLimit, part_of
from gateway.api.path_ids import path_id
from gateway.api.refusals import Refusal
from gateway.messages.view import timestamp
from tenants.accounts.plan import CountryCode
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.keywords import service, store
from tenants.keywords.matching import Action
from tenants.keywords.models import Keyword
from tenants.keywords.service import NewKeyword, Vocabulary
from tenants.keywords.texts import chosen
from tenants.keywords.words import BUILT_IN, WORDS, BuiltIn

_READ: Final = {NEEDS: "senders:read"}
_WRITE: Final = {NEEDS: "opt-outs"}
_KIND: Final = "keyword"
_Reply = Annotated[str, Meta(min_length=1, max_length=service.MAX_REPLY)]
_List = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z")]


class KeywordBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A keyword to add."""

    word: Annotated[str, Meta(min_length=1, max_length=service.MAX_WORD)]
    """A text that begins with it counts; case, accents, blanks and punctuation do not."""
    action: Action = "reply"
    """`reply` only answers; `opt_out` and `opt_in` change a list, too; `help` answers what HELP does."""
    country: CountryCode | UnsetType = UNSET
    """Where it counts, by the person's number; everywhere where absent."""
    list_: _List | UnsetType = field(name="list", default=UNSET)
    """The list that it puts on or takes off; where absent, what STOP and JOIN mean on the number."""
    reply: _Reply | UnsetType = UNSET
    """`{brand}` stands for the tenant's name. Required for `reply`."""


class KeywordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a keyword changes; its word and country stay."""

    action: Action | UnsetType = UNSET
    list_: _List | UnsetType | None = field(name="list", default=UNSET)
    reply: _Reply | UnsetType | None = UNSET


class KeywordView(Struct, frozen=True, kw_only=True):
    """A keyword of the tenant's own."""

    id: str
    word: str
    country: str | None
    action: str
    list_: str | None = field(name="list")
    reply: str | None
    registered: bool
    """Whether carriers have it on file: it is changed by a support case, and locked here."""
    created_at: str | None


class BuiltInView(Struct, frozen=True, kw_only=True):
    """STOP, HELP or JOIN, which nobody deletes or renames."""

    keyword: str
    words: dict[str, list[str]]
    """All that counts as it, by language; English counts everywhere, the others where they are spoken."""
    texts: dict[str, str]
    """The tenant's own texts by language; `all` is for languages without one."""
    text: str
    """What is answered in English, with `{brand}` for the tenant's name."""


class TextBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text for a built-in keyword."""

    text: Annotated[str, Meta(min_length=1, max_length=320)]
    """20 to 160 characters as sent; `{brand}` stands for the tenant's name."""


class TextFindingView(Struct, frozen=True, kw_only=True):
    """Something that carriers may object to."""

    code: str
    detail: str


class TextView(Struct, frozen=True, kw_only=True):
    """A text as it holds now."""

    keyword: str
    language: str
    text: str
    notices: list[TextFindingView]


def keyword_view(row: Keyword) -> KeywordView:
    """Return a keyword as the wire shows it."""
    return KeywordView(
        id=encode("kwd", row.id),
        word=row.word,
        country=row.country or None,
        action=row.action,
        list_=row.list_name,
        reply=row.reply,
        registered=row.registered,
        created_at=timestamp(row.created_at),
    )


@get("/keywords", opt=_READ, responses=refusals(*TENANT), summary="List the tenant's own keywords")
async def list_keywords(
    request: ApiRequest, desk: NamedDependency[Desk], limit: Limit = DEFAULT_LIMIT, after: After = None
) -> Page[KeywordView]:
    """Return a page of keywords, the newest first."""
    async with desk.tenant(request.auth) as session:
        rows = await store.keywords(request.auth, session, limit=limit + 1, after=id_after(request, after))
    return page_of(request, rows, limit, view=keyword_view, place=lambda row: row.id)


@post(
    "/keywords",
    status_code=201,
    opt=_WRITE,
    responses=refusals(*TENANT, *WITH_BODY, *WITH_IDEMPOTENCY, "keyword_reserved", "name_taken", "conflict"),
    summary="Add a keyword",
    description="No keyword may begin with a word that stops, in any language: STOP always wins.",
)
async def create_keyword(
    request: ApiRequest, data: JSONBody[KeywordBody], desk: NamedDependency[Desk]
) -> Response[KeywordView]:
    """Add a word of the tenant's own."""
    wanted = NewKeyword(
        word=data.word,
        action=data.action,
        country="" if data.country is UNSET else data.country,
        list_name=None if data.list_ is UNSET else data.list_,
        reply=None if data.reply is UNSET else data.reply,
    )

    async def work(session: AsyncSession) -> KeywordView:
        return keyword_view(await service.create(request.auth, session, wanted))

    return await desk.tenant_once(request, work, status=201)


@get(
    "/keywords/built-in",
    opt=_READ,
    responses=refusals(*TENANT),
    summary="List STOP, HELP and JOIN",
    description="With every word that counts as one of them, and what they answer.",
)
async def list_built_in_keywords(
    request: ApiRequest, desk: NamedDependency[Desk], limit: ShortLimit = None, after: After = None
) -> Page[BuiltInView]:
    """Return the built-in keywords."""
    async with desk.tenant(request.auth) as session:
        vocabulary = await service.vocabulary(request.auth, session)
    return part_of(request, [_built_in(word, vocabulary) for word in BUILT_IN], limit, after)


@put(
    "/keywords/built-in/{keyword:str}/texts/{language:str}",
    opt=_WRITE,
    responses=refusals(*TENANT, *WITH_BODY, "not_found"),
    summary="Set what STOP, HELP or JOIN answers",
    description=(
        "`language` is a code such as `es`, or `all` for languages without a text of their own. What "
        "carriers refuse is refused here: length, missing brand, missing confirmation or STOP hint."
    ),
)
async def put_keyword_text(
    request: ApiRequest,
    keyword: FromPath[str],
    language: FromPath[str],
    data: JSONBody[TextBody],
    desk: NamedDependency[Desk],
) -> TextView:
    """Set a text."""
    word = _built_in_word(keyword)
    async with desk.tenant(request.auth) as session:
        found = await service.put_text(request.auth, session, word, _stored(language), data.text)
    notices = [TextFindingView(code=each.code, detail=each.detail) for each in found]
    return TextView(keyword=word, language=language, text=data.text, notices=notices)


@delete(
    "/keywords/built-in/{keyword:str}/texts/{language:str}",
    status_code=204,
    opt=_WRITE,
    responses=refusals(*TENANT, "not_found"),
    summary="Answer the usual text again",
)
async def delete_keyword_text(
    request: ApiRequest, keyword: FromPath[str], language: FromPath[str], desk: NamedDependency[Desk]
) -> None:
    """Forget a text of the tenant's; the keyword itself stays."""
    async with desk.tenant(request.auth) as session:
        await service.put_text(request.auth, session, _built_in_word(keyword), _stored(language), None)


@get(
    "/keywords/{keyword_id:str}",
    opt=_READ,
    responses=refusals(*TENANT, "not_found"),
    summary="Read a keyword",
)
async def get_keyword(
    request: ApiRequest, keyword_id: FromPath[str], desk: NamedDependency[Desk]
) -> KeywordView:
    """Return one keyword."""
    async with desk.tenant(request.auth) as session:
        row = await store.keyword(request.auth, session, path_id("kwd", keyword_id, _KIND))
    if row is None:
        raise NotFound(_KIND)
    return keyword_view(row)


@patch(
    "/keywords/{keyword_id:str}",
    opt=_WRITE,
    responses=refusals(*TENANT, *WITH_BODY, "not_found", "keyword_registered", "keyword_reserved"),
    summary="Change what a keyword does",
)
async def update_keyword(
    request: ApiRequest,
    keyword_id: FromPath[str],
    data: JSONBody[KeywordChange],
    desk: NamedDependency[Desk],
) -> KeywordView:
    """Change action, list or reply."""
    _refuse_built_in(keyword_id)
    wanted = {"action": data.action, "list_name": data.list_, "reply": data.reply}
    changes: dict[str, Any] = {name: value for name, value in wanted.items() if value is not UNSET}
    async with desk.tenant(request.auth) as session:
        row = await service.change(request.auth, session, path_id("kwd", keyword_id, _KIND), changes)
        return keyword_view(row)


@delete(
    "/keywords/{keyword_id:str}",
    status_code=204,
    opt=_WRITE,
    responses=refusals(*TENANT, "not_found", "keyword_registered", "keyword_reserved"),
    summary="Remove a keyword",
)
async def delete_keyword(request: ApiRequest, keyword_id: FromPath[str], desk: NamedDependency[Desk]) -> None:
    """Remove a word of the tenant's own; STOP, HELP and JOIN stay."""
    _refuse_built_in(keyword_id)
    async with desk.tenant(request.auth) as session:
        await service.remove(request.auth, session, path_id("kwd", keyword_id, _KIND))


def _built_in(word: BuiltIn, vocabulary: Vocabulary) -> BuiltInView:
    own = {language or "all": text for (each, language), text in vocabulary.texts.items() if each == word}
    return BuiltInView(
        keyword=word,
        words={language: list(words) for language, words in WORDS[word].items()},
        texts=own,
        text=chosen(word, "en", vocabulary.texts),
    )


def _built_in_word(text: str) -> BuiltIn:
    for word in BUILT_IN:
        if text.upper() == word:
            return word
    raise NotFound(_KIND)


def _refuse_built_in(text: str) -> None:
    if text.upper() in BUILT_IN:
        detail = f"{text.upper()} cannot be changed or deleted; set what it answers instead."
        raise Refusal("keyword_reserved", detail)


def _stored(language: str) -> str:
    return "" if language == "all" else language
