"""The routes of the public pages; a GET changes nothing, for links are opened by machines, too."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect
from msgspec.structs import replace

from gateway.api.desk import Desk
from gateway.api.form_reading import form_of
from gateway.hosted import forms
from gateway.hosted.rendering import STYLE, Template, answer, page, widget
from gateway.hosted.visiting import (
    Refusal,
    Visit,
    VisitorRequest,
    is_a_machine,
    too_many_guesses,
    too_many_posts,
    too_many_texts,
    visit,
)
from gateway.own_router import OwnRouter
from tenants.consents.links import number_behind, signed_link
from tenants.countries.numbers import Number, parse_number
from tenants.pages.phrases import PHRASES
from tenants.pages.settings import LANGUAGES, Language

Lang = Annotated[str | None, QueryParameter(name="lang", max_length=10)]
Embed = Annotated[str | None, QueryParameter(name="embed", max_length=1)]
_DOCUMENTS: Final[Mapping[str, tuple[Template, str]]] = {
    "terms": ("terms", "terms_title"),
    "privacy": ("privacy", "privacy_title"),
    "paper": ("paper", "paper_title"),
    "script": ("script", "script_title"),
}
_BARE: Final = (
    "<!doctype html><html lang={language}><meta charset=utf-8>"
    '<meta name=viewport content="width=device-width, initial-scale=1">'
    "<title>{said}</title><style>{style}</style><main><h1>{said}</h1></main></html>"
)
_SPOKEN: Final[Mapping[str | None, Language]] = {each: each for each in LANGUAGES}
_NOWHERE: Final = frozenset({404, 405})
_SERVER_ERROR: Final = 500
_MOST_FIELD: Final = 16_384
"""A CAPTCHA's token is the longest."""


@get(["/{slug:str}/terms", "/{slug:str}/privacy", "/{slug:str}/paper", "/{slug:str}/script"])
async def get_document(
    request: VisitorRequest, slug: FromPath[str], desk: NamedDependency[Desk], lang: Lang = None
) -> Response[str]:
    """Show the terms, the privacy policy, the paper form or the script to read out."""
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    template, title = _DOCUMENTS[request.url.path.rpartition("/")[2]]
    return page(visitor.site, template, title)


@get("/{slug:str}/widget.js")
async def get_widget(
    request: VisitorRequest, slug: FromPath[str], desk: NamedDependency[Desk], lang: Lang = None
) -> Response[str]:
    """Return the script that shows the form on the tenant's own site."""
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    return Response(widget(visitor.site), media_type="text/javascript; charset=utf-8")


@get("/{slug:str}/opt-in")
async def get_opt_in(
    request: VisitorRequest,
    slug: FromPath[str],
    desk: NamedDependency[Desk],
    lang: Lang = None,
    embed: Embed = None,
) -> Response[str]:
    """Show the form, every box unticked."""
    visitor = await visit(request, desk, slug, lang)
    return no_page() if visitor is None else _opt_in(visitor, embedded=embed == "1")


@post("/{slug:str}/opt-in", status_code=200)
async def post_opt_in(
    request: VisitorRequest, slug: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """Take a form; whoever fills in the trap is thanked and forgotten."""
    fields, ticked = await _fields(request)
    visitor = await visit(request, desk, slug, fields.get("lang"))
    if visitor is None:
        return no_page()
    embedded, typed = fields.get("embed") == "1", fields.get("number", "")
    again = partial(_opt_in, visitor, embedded=embedded, typed=typed, ticked=ticked)
    if no := await too_many_posts(visitor, desk):
        return _refused(again, no)
    number = parse_number(typed)
    if not isinstance(number, Number):
        return again(status=422, notice="bad_number")
    chosen = [each for each in visitor.site.settings.programmes if each.use_case in ticked]
    if not chosen:
        return again(status=422, notice="choose_one")
    if not fields.get("company"):
        no = await is_a_machine(visitor, desk, fields)
        no = no or await too_many_texts(visitor, desk, number, asks=True)
        if no is not None:
            return _refused(again, no)
        await forms.agree(visitor, desk, number.e164, chosen, "widget" if embedded else "web")
    done = "check_phone" if visitor.site.settings.double_opt_in else "subscribed"
    return page(visitor.site, "message", "opt_in_title", notice=done, framed=embedded)


@get("/{slug:str}/confirm/{link:str}")
async def get_confirm(
    request: VisitorRequest,
    slug: FromPath[str],
    link: FromPath[str],
    desk: NamedDependency[Desk],
    lang: Lang = None,
) -> Response[str]:
    """Show what a phone would confirm."""
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    number = number_behind(visitor.scope, visitor.key, "confirm", link, now=desk.services.clock.now())
    if number is None:
        return _no_confirmation(visitor, "bad_link", status=404)
    waiting = await forms.pending(visitor, desk, number)
    if not waiting:
        return _no_confirmation(visitor, "nothing")
    here = f"{request.url.path}?lang={visitor.site.language}"
    return page(visitor.site, "confirm", "confirm_title", pending=waiting, here=here)


@post("/{slug:str}/confirm/{link:str}", status_code=200)
async def post_confirm(
    request: VisitorRequest,
    slug: FromPath[str],
    link: FromPath[str],
    desk: NamedDependency[Desk],
    lang: Lang = None,
) -> Response[str]:
    """Confirm by the button behind a signed link."""
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    number = number_behind(visitor.scope, visitor.key, "confirm", link, now=desk.services.clock.now())
    if number is None:
        return _no_confirmation(visitor, "bad_link", status=404)
    if not await forms.confirm(visitor, desk, number):
        return _no_confirmation(visitor, "nothing")
    return page(visitor.site, "message", "confirm_title", notice="subscribed")


@get("/{slug:str}/preferences")
async def get_number(
    request: VisitorRequest, slug: FromPath[str], desk: NamedDependency[Desk], lang: Lang = None
) -> Response[str]:
    """Ask for the number to which a code is texted."""
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    return _number(visitor)


@post("/{slug:str}/preferences/code", status_code=200)
async def post_code(
    request: VisitorRequest, slug: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str]:
    """Text a code; the answer is the same whether the number is known or not."""
    fields, _ = await _fields(request)
    visitor = await visit(request, desk, slug, fields.get("lang"))
    if visitor is None:
        return no_page()
    typed = fields.get("number", "")
    again = partial(_number, visitor, typed=typed)
    if no := await too_many_posts(visitor, desk):
        return _refused(again, no)
    number = parse_number(typed)
    if not isinstance(number, Number):
        return again(status=422, notice="bad_number")
    if not fields.get("company"):
        if no := await is_a_machine(visitor, desk, fields):
            return _refused(again, no)
        if no := await too_many_texts(visitor, desk, number):
            return _refused(partial(_code, visitor, number), replace(no, notice="enough_codes"))
        await forms.text_code(visitor, desk, number.e164)
    return _code(visitor, number, status=200, notice="code_sent")


@post("/{slug:str}/preferences/enter", status_code=200)
async def post_enter(
    request: VisitorRequest, slug: FromPath[str], desk: NamedDependency[Desk]
) -> Response[str] | Redirect:
    """Take a code, and lead to the phone's own page."""
    fields, _ = await _fields(request)
    visitor = await visit(request, desk, slug, fields.get("lang"))
    if visitor is None:
        return no_page()
    here, now = visitor.site.links.preferences, desk.services.clock.now()
    typed = fields.get("number", "")
    again = partial(_number, visitor, typed=typed)
    if no := await too_many_posts(visitor, desk):
        return _refused(again, no)
    number = parse_number(typed)
    if not isinstance(number, Number):
        return again(status=422, notice="bad_number")
    if no := await too_many_guesses(visitor, desk):
        return _refused(again, no)
    if not await forms.proves(visitor, desk, number.e164, fields.get("code", "").strip()):
        return _code(visitor, number, status=422, notice="bad_code")
    link = signed_link(
        visitor.scope, visitor.key, "preferences", number.e164, expires_at=now + forms.LINK_LIVES
    )
    return Redirect(f"{here}/{link}?lang={visitor.site.language}", status_code=303)


@get("/{slug:str}/preferences/{link:str}")
async def get_preferences(
    request: VisitorRequest,
    slug: FromPath[str],
    link: FromPath[str],
    desk: NamedDependency[Desk],
    lang: Lang = None,
) -> Response[str]:
    """Show what a phone receives."""
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    return await _preferences(visitor, desk, link)


@post("/{slug:str}/preferences/{link:str}", status_code=200)
async def post_preferences(
    request: VisitorRequest,
    slug: FromPath[str],
    link: FromPath[str],
    desk: NamedDependency[Desk],
    lang: Lang = None,
) -> Response[str]:
    """Change what a phone receives."""
    fields, ticked = await _fields(request)
    visitor = await visit(request, desk, slug, lang)
    if visitor is None:
        return no_page()
    number = number_behind(visitor.scope, visitor.key, "preferences", link, now=desk.services.clock.now())
    if number is not None and fields.get("do") == "stop":
        await forms.stop_all(visitor, desk, number)
    elif number is not None:
        await forms.choose(visitor, desk, number, ticked)
    return await _preferences(visitor, desk, link, notice="saved")


def hosted_routes(judge: Callable[[VisitorRequest, Exception], Response[Any]]) -> Router:
    """
    Return the public pages.

    Args:
        judge: The API's answer to what went wrong, which it notes; visitors are told so by a page.
    """

    def page_of_fault(request: VisitorRequest, error: Exception) -> Response[Any]:
        said = judge(request, error)
        status = said.status_code or _SERVER_ERROR
        if status < _SERVER_ERROR:
            return no_page() if status in _NOWHERE else said
        shown = _bare("not_now", status, language=request.query_params.get("lang"))
        if "Retry-After" in said.headers:
            shown.headers["Retry-After"] = said.headers["Retry-After"]
        return shown

    return OwnRouter(
        "/p",
        route_handlers=[
            get_document,
            get_widget,
            get_opt_in,
            post_opt_in,
            get_confirm,
            post_confirm,
            get_number,
            post_code,
            post_enter,
            get_preferences,
            post_preferences,
        ],
        include_in_schema=False,
        exception_handlers={HTTPException: page_of_fault, Exception: page_of_fault},
    )


async def _preferences(visitor: Visit, desk: Desk, link: str, notice: str | None = None) -> Response[str]:
    number = number_behind(visitor.scope, visitor.key, "preferences", link, now=desk.services.clock.now())
    if number is None:
        way_on = (visitor.site.links.preferences, visitor.site.say("send_code"))
        return page(visitor.site, "message", "prefs_title", status=404, notice="bad_link", way_on=way_on)
    here = f"{visitor.site.links.preferences}/{link}?lang={visitor.site.language}"
    wanted = await forms.wanted_now(visitor, desk, number)
    return page(visitor.site, "preferences", "prefs_title", notice=notice, here=here, wanted=wanted)


def _no_confirmation(visitor: Visit, notice: str, *, status: int = 200) -> Response[str]:
    """Say that nothing waits behind a link, and lead to where one begins anew."""
    way_on = (visitor.site.links.opt_in, visitor.site.say("opt_in_title"))
    return page(visitor.site, "message", "confirm_title", status=status, notice=notice, way_on=way_on)


def _number(
    visitor: Visit, *, status: int = 200, notice: str | None = None, typed: str = ""
) -> Response[str]:
    here = visitor.site.links.preferences
    return page(visitor.site, "number", "prefs_title", status=status, notice=notice, here=here, typed=typed)


def _code(visitor: Visit, number: Number, *, status: int, notice: str) -> Response[str]:
    here = visitor.site.links.preferences
    return page(
        visitor.site, "code", "prefs_title", status=status, notice=notice, here=here, typed=number.e164
    )


def _opt_in(
    visitor: Visit,
    *,
    status: int = 200,
    notice: str | None = None,
    embedded: bool = False,
    typed: str = "",
    ticked: Collection[str] = (),
) -> Response[str]:
    """Show the form; no box is ticked but by whoever sends it again."""
    return page(
        visitor.site,
        "opt_in",
        "opt_in_title",
        status=status,
        notice=notice,
        framed=embedded,
        embedded=embedded,
        typed=typed,
        ticked=ticked,
        here=visitor.site.links.opt_in,
    )


def _refused(page_with: Callable[..., Response[str]], no: Refusal) -> Response[str]:
    """Return a form again as the answer to one that was refused."""
    shown = page_with(status=no.status, notice=no.notice)
    if no.retry_after_s is not None:
        shown.headers["Retry-After"] = str(no.retry_after_s)
    return shown


def no_page() -> Response[str]:
    """Return the page of an address at which there is none."""
    return _bare("not_found", 404)


def _bare(phrase: str, status: int, *, language: str | None = None) -> Response[str]:
    """Return a page of nobody's."""
    spoken = _SPOKEN.get(language, "en")
    html = _BARE.format(language=spoken, style=STYLE, said=PHRASES[spoken][phrase])
    return answer(html, None, status=status)


async def _fields(request: VisitorRequest) -> tuple[dict[str, str], frozenset[str]]:
    """Return the fields of a form and its ticked boxes; files and what is too long count as empty."""
    form = await form_of(request)
    kept = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    fields = {name: value for name, value in kept if len(value) <= _MOST_FIELD and "\x00" not in value}
    return fields, frozenset(value for name, value in kept if name == "use_case")
