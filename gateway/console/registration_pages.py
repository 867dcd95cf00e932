"""A tenant's registrations: what carriers ask, what they answered, and handing in."""

from typing import Any, Final, cast
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from gateway.console import registered
from gateway.console.errors import ApiRefused, NoSuchPage
from gateway.console.pages import go_to
from gateway.console.paths import paged, plain
from gateway.console.ports import Answer, listed
from gateway.console.visit import ONCE, Fields, Visit, needed

HOME: Final = "/console/registrations"
_LARGEST_FORM: Final = 2_200_000
"""Four files of 500 KB and the form around them."""
_FILE: Final = "file:"
"""Before the path of a field that takes a file."""
_CHOOSE_AGAIN: Final = "Choose the file again: it was not attached, as something else was not taken."
_SAID_AT_THE_FORM: Final = frozenset({400, 402, 409, 413, 415, 422})
_CHANGED: Final = (
    "Somebody else changed the form while you wrote. What you wrote still stands below; look at theirs in "
    "another window, or save again to replace it."
)
_ON: Final = frozenset({"attach", "prepare", "submit"})
"""What may be done with a form once it is stored, with the files that were chosen."""


@get("/registrations", include_in_schema=False)
async def get_registrations(visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Response[str]:
    """List a hundred registrations, and those that the chosen senders may need."""
    return await _listed(visit, after=after)


@post("/registrations", include_in_schema=False)
async def open_registration(visit: NamedDependency[Visit]) -> Response[str]:
    """Open a draft."""
    sent = await visit.written()
    kind = sent.get("type", "")
    body: dict[str, Any] = {"type": kind, "name": sent.get("name") or kind}
    if sent.get("parent"):
        body["parent"] = sent["parent"]
    said = await visit.site.ask(
        "POST", "/v1/registrations", body, scope=visit.scope(), once=sent.get(ONCE) or None
    )
    if said.good:
        return go_to(f"{HOME}/{said.body['id']}")
    return await _listed(visit, error=said.problem.detail, status=said.status)


@get("/registrations/{registration:str}", include_in_schema=False)
async def get_registration(registration: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Show a registration with its form."""
    return await _registration(visit, registration)


@post(
    "/registrations/{registration:str}",
    include_in_schema=False,
    request_max_body_size=_LARGEST_FORM,
)
async def fill_registration(registration: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Store fields, all or none, and the files; go on with them if the button says so."""
    parts, held = await visit.parts(), await _held(visit, registration)
    form, sent = await visit.read(f"/v1/registration-forms/{held['type']}"), parts.fields
    files = {path: file for path in registered.attachments(form) if (file := parts.files.get(_FILE + path))}
    values, edition, act = registered.given(form, sent), sent.get("edition") or None, sent.get("then", "")
    if act and act not in _ON:
        raise NoSuchPage
    if not act or registered.is_news(values, held["values"]):
        body = {"values": values, "edition": edition}
        said = await visit.ask("PUT", f"/v1/registrations/{registration}/fields", body)
        if not said.good:
            edition = None if said.problem.code == "registration_changed" else edition
            errors = _faults(said) | dict.fromkeys(files, _CHOOSE_AGAIN)
            return await _registration(
                visit, registration, said=said, errors=errors, kept=values, edition=edition
            )
    refused = await _attach(visit, registration, files, once=sent.get(ONCE))
    if refused is not None:
        return refused
    if act and act != "attach":
        return await _act(visit, registration, act, sent)
    return go_to(f"{HOME}/{registration}")


@post("/registrations/{registration:str}/confirm-cost", include_in_schema=False)
async def confirm_cost(registration: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Accept what the page named as the cost."""
    sent = await visit.written()
    body: dict[str, Any] = {name: sent.get(name, "") for name in ("monthly_usd", "once_usd")}
    if "unit" in sent:
        body["by_plan"] = {name: sent.get(name, "") for name in ("unit", "one_time", "monthly")}
    path = f"/v1/registrations/{plain(registration)}/confirm-cost"
    said = await visit.ask("POST", path, body, once=sent.get(ONCE) or None)
    return (
        go_to(f"{HOME}/{registration}") if said.good else await _registration(visit, registration, said=said)
    )


@post("/registrations/{registration:str}/versions", include_in_schema=False)
async def begin_version(registration: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Begin another version of what was decided on."""
    return await _act(visit, registration, "versions", await visit.written())


@get("/registrations/{registration:str}/review", include_in_schema=False)
async def review_registration(registration: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Show what AWS holds beside what was filled in."""
    held = await _held(visit, registration)
    said = await visit.ask("GET", f"/v1/registrations/{registration}/review")
    if not said.good:
        return await _registration(visit, registration, said=said)
    return visit.page("review.html", registration=held, review=said.body)


async def _attach(
    visit: Visit, registration: str, files: dict[str, UploadFile], *, once: str | None
) -> Response[str] | None:
    """Put files into their fields; returns the page of the first that was not taken."""
    for at, (field, file) in enumerate(files.items()):
        query = f"name={quote(file.filename[:100], safe='')}&field={quote(field, safe='')}"
        path = f"/v1/registrations/{plain(registration)}/attachments?{query}"
        said = await visit.ask("POST", path, await file.read(), once=f"{once}-{at}" if once else None)
        if not said.good:
            later = dict.fromkeys(list(files)[at:], _CHOOSE_AGAIN)
            errors = later | {field: said.problem.detail}
            return await _registration(visit, registration, said=said, errors=errors)
    return None


async def _act(visit: Visit, registration: str, act: str, sent: Fields) -> Response[str]:
    path, once = f"/v1/registrations/{plain(registration)}/{act}", sent.get(ONCE)
    said = await visit.ask("POST", path, once=f"{once}-{act}" if once else None)
    return (
        go_to(f"{HOME}/{registration}") if said.good else await _registration(visit, registration, said=said)
    )


async def _held(visit: Visit, registration: str) -> Any:
    return await visit.read(f"/v1/registrations/{plain(registration)}")


async def _listed(visit: Visit, *, error: str = "", status: int = 200, after: str = "") -> Response[str]:
    onboarding = await visit.read("/v1/onboarding")
    offered = (await visit.read("/v1/registration-forms"))["data"]
    held = await visit.read(f"/v1/registrations{paged(after)}")
    choices = listed(onboarding, "senders", "choices")
    return visit.page(
        "registrations.html",
        status=status,
        registrations=held["data"],
        next_cursor=held["next_cursor"],
        needed=registered.fitting(offered, choices),
        chosen=bool(choices),
        approved=onboarding["approved_at"] is not None,
        error=error,
    )


async def _registration(
    visit: Visit,
    registration: str,
    *,
    said: Answer | None = None,
    errors: dict[str, str] | None = None,
    kept: dict[str, Any] | None = None,
    edition: str | None = None,
) -> Response[str]:
    """
    Show a registration.

    Args:
        said: The API's refusal.
        errors: By field, what is wrong; None for what the refusal names.
        kept: What was written over the values of `edition`, the present one if that is None.
    """
    if said is not None and said.status not in _SAID_AT_THE_FORM:
        raise ApiRefused(said)
    held = await _held(visit, registration)
    form = await visit.read(f"/v1/registration-forms/{held['type']}")
    onboarding = needed(await visit.ask("GET", "/v1/onboarding"))
    editable = held["status"] in {"draft", "ready"}
    written = {path: "" if value is None else value for path, value in (kept or {}).items()}
    values = cast("dict[str, Any]", held["values"]) | written
    profile = onboarding["answers"]["profile"] if editable else None
    parts = registered.parts_of(form, values, profile)
    return visit.page(
        "registration.html",
        status=200 if said is None else said.status,
        registration=held,
        edition=edition or held["edition"],
        form=form,
        parts=parts,
        labels={entry.path: entry.label for part in parts for entry in part.entries},
        editable=editable,
        missing={each["field"]: each["detail"] for each in held["missing"]},
        errors=errors or ({} if said is None else _faults(said)),
    )


def _faults(said: Answer) -> dict[str, str]:
    """Return faults by the field's path; the API names them `/values/{path}`."""
    problem = said.problem
    if problem.code == "registration_changed":
        return {"": _CHANGED}
    found = {each.field.removeprefix("/values/").removeprefix("/"): each.detail for each in problem.errors}
    return found or {"": problem.detail}
