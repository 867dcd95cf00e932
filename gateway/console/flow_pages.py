"""A tenant's onboarding, from the checklist to going live."""

import secrets
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Struct, structs

from gateway.console import advised, forms
from gateway.console.errors import ApiRefused, NoSuchPage
from gateway.console.forms import Group
from gateway.console.pages import go_to
from gateway.console.paths import paged, plain
from gateway.console.ports import Answer, listed
from gateway.console.questions import QUESTIONS, groups_of, room_in
from gateway.console.visit import ONCE, Visit, is_version, needed
from gateway.console.words import STATE_WORDS, STEP_TITLES

HOME: Final = "/console/onboarding"
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_CHANGED: Final = (
    "Somebody else changed the answers while you wrote. Yours still stand below; look at theirs on the "
    "checklist, or save again to replace them."
)
_BIG_REFUSALS: Final = frozenset({401, 403, 500, 503})
_SIMULATED: Final = "+14254147755"
"""AWS's simulator number for a text that arrives; a test key reaches no carrier anyway."""


class _Sheet(Struct, frozen=True, kw_only=True):
    """A question as it is asked now."""

    name: str
    onboarding: Any
    groups: tuple[Group, ...]


@get("/onboarding", include_in_schema=False)
async def get_checklist(visit: NamedDependency[Visit], saved: FromQuery[str] = "") -> Response[str]:
    """Show every step, and whose turn it is."""
    return await _checklist(visit, said=f"{STEP_TITLES[saved]}: saved." if saved in STEP_TITLES else "")


@get("/onboarding/questions/{name:str}", include_in_schema=False)
async def get_question(name: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Show one question with what was answered."""
    sheet = await _sheet(visit, name)
    answer = sheet.onboarding["answers"][name]
    if name == "senders":
        answer = advised.in_order(answer, _reach(sheet.onboarding))
    return _question(visit, sheet, forms.shown(sheet.groups, answer or {}), {})


@post("/onboarding/questions/{name:str}", include_in_schema=False)
async def answer_question(name: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Store an answer; one that is not taken is shown again with what was written."""
    sent = await visit.written()
    sheet = await _sheet(visit, name, sent)
    if name == "use_cases":
        sent = forms.moved_up(sheet.groups, sent)
    filled = forms.read(sheet.groups, sent)
    version = sent.get("version", "")
    if filled.errors:
        return _question(visit, sheet, forms.kept(sheet.groups, sent), filled.errors, version=version)
    answer = _senders(sheet, filled.answer) if name == "senders" else filled.answer
    body = {name: answer, "version": int(version)} if is_version(version) else {name: answer}
    said = await visit.ask("PATCH", "/v1/onboarding", body)
    return go_to(_next_page(name, said.body)) if said.good else _not_taken(visit, sheet, sent, said)


@post("/onboarding/{act:str}", include_in_schema=False)
async def act(act: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Ask for approval, get the senders, or go live."""
    path = {"submit": "submit", "provision": "provision", "go-live": "go-live"}.get(act)
    if path is None:
        raise NoSuchPage
    sent = await visit.written()
    said = await visit.ask("POST", f"/v1/onboarding/{path}", once=sent.get(ONCE) or None)
    if said.good:
        return go_to(HOME)
    if said.status in _BIG_REFUSALS:
        raise ApiRefused(said)
    return await _checklist(visit, error=said.problem.detail, status=said.status)


@get("/onboarding/test", include_in_schema=False)
async def get_test(visit: NamedDependency[Visit], message: FromQuery[str] = "") -> Response[str]:
    """Show the test message and its receipt, or the button that sends it."""
    onboarding = await visit.read("/v1/onboarding")
    sent = events = None
    if message:
        sent = needed(await _ask_in_test(visit, "GET", f"/v1/messages/{plain(message)}"))
        events = needed(await _ask_in_test(visit, "GET", f"/v1/messages/{plain(message)}/events"))["data"]
    waiting = sent is not None and sent["final_at"] is None
    return visit.page(
        "sandbox.html",
        onboarding=onboarding,
        sample=_sample(onboarding),
        sent=sent,
        events=events,
        waiting=waiting,
        error="",
    )


@post("/onboarding/test", include_in_schema=False)
async def send_test(visit: NamedDependency[Visit]) -> Response[str]:
    """Send the first sample as a test key would: all the way but to a carrier."""
    sent, onboarding = await visit.written(), await visit.read("/v1/onboarding")
    programmes = listed(onboarding, "use_cases", "programmes")
    body = {
        "to": _SIMULATED,
        "body": _sample(onboarding),
        "type": programmes[0]["type"] if programmes else "transactional",
    }
    once = sent.get(ONCE) or secrets.token_urlsafe(18)
    said = await _ask_in_test(visit, "POST", "/v1/messages", body, once=once)
    if said.good:
        return go_to(f"{HOME}/test?message={said.body['id']}")
    return visit.page(
        "sandbox.html",
        status=said.status,
        onboarding=onboarding,
        sample=_sample(onboarding),
        sent=None,
        events=None,
        waiting=False,
        error=said.problem.detail,
    )


async def _ask_in_test(
    visit: Visit, method: str, path: str, body: Any = None, *, once: str | None = None
) -> Answer:
    scope = structs.replace(visit.scope(), live=False)
    return await visit.site.ask(method, path, body, scope=scope, once=once)


async def _checklist(visit: Visit, *, said: str = "", error: str = "", status: int = 200) -> Response[str]:
    onboarding = await visit.read("/v1/onboarding")
    registrations: list[Any] = []
    if onboarding["approved_at"]:
        registrations = (await visit.read(f"/v1/registrations{paged()}"))["data"]
    return visit.page(
        "checklist.html",
        status=status,
        onboarding=onboarding,
        titles=STEP_TITLES,
        words=STATE_WORDS,
        questions=QUESTIONS,
        done=sum(step["state"] == "done" for step in onboarding["steps"]),
        states={step["name"]: step["state"] for step in onboarding["steps"]},
        registrations=registrations,
        said=said,
        error=error,
    )


async def _sheet(visit: Visit, name: str, sent: dict[str, str] | None = None) -> _Sheet:
    visit.scope()
    if name not in QUESTIONS:
        raise NoSuchPage
    onboarding = await visit.read("/v1/onboarding")
    return _Sheet(name=name, onboarding=onboarding, groups=await _groups(visit, name, onboarding, sent))


async def _groups(visit: Visit, name: str, onboarding: Any, sent: dict[str, str] | None) -> tuple[Group, ...]:
    if name != "senders":
        programmes = listed(onboarding, "use_cases", "programmes")
        return groups_of(name, use_cases=len(programmes) + 1 if sent is None else room_in(sent))
    reach = _reach(onboarding)
    if not reach:
        return ()
    wish = advised.wish_of(onboarding["answers"])
    advice = needed(await visit.ask("POST", "/v1/senders/advice", wish))
    return advised.groups_of(advice["data"], reach, onboarding["answers"][name])


def _senders(sheet: _Sheet, given: dict[str, Any]) -> dict[str, Any]:
    stored = sheet.onboarding["answers"][sheet.name]
    return advised.with_further(advised.without_idle_values(given), stored, _reach(sheet.onboarding))


def _reach(onboarding: Any) -> list[str]:
    return list(dict.fromkeys(listed(onboarding, "reach", "countries")))


def _question(
    visit: Visit,
    sheet: _Sheet,
    values: dict[str, str],
    errors: dict[str, str],
    *,
    status: int | None = None,
    version: str = "",
) -> Response[str]:
    """Show a question; `values` were written over the answers of `version`, by default the present one."""
    return visit.page(
        "question.html",
        status=status or (_UNPROCESSABLE if errors else 200),
        question=QUESTIONS[sheet.name],
        groups=sheet.groups,
        labels=forms.labels_of(sheet.groups),
        values=values,
        errors=errors,
        version=version or sheet.onboarding["version"],
        lacks_reach=sheet.name == "senders" and not sheet.groups,
    )


def _not_taken(visit: Visit, sheet: _Sheet, sent: dict[str, str], said: Answer) -> Response[str]:
    if said.status not in {_CONFLICT, _UNPROCESSABLE}:
        raise ApiRefused(said)
    errors, version = forms.faults_of(said.problem, f"/{sheet.name}/", sheet.groups), sent.get("version", "")
    if said.problem.code == "answers_changed":
        errors, version = {"": _CHANGED}, ""
    kept = forms.kept(sheet.groups, sent)
    return _question(visit, sheet, kept, errors, status=said.status, version=version)


def _next_page(name: str, onboarding: Any) -> str:
    """After an answer comes the next open question; after the last, the checklist."""
    order = list(QUESTIONS)
    states = {step["name"]: step["state"] for step in onboarding["steps"]}
    later = [each for each in order[order.index(name) + 1 :] if states[each] == "open"]
    return f"{HOME}/questions/{later[0]}" if later else f"{HOME}?saved={name}"


def _sample(onboarding: Any) -> str:
    programmes = listed(onboarding, "use_cases", "programmes")
    return str(programmes[0]["samples"][0]) if programmes else "This is a test message."
