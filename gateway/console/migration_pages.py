"""The operator's pages of a tenant's migration: files in, a plan to look at, and countries that come over."""

import asyncio
from typing import Any, Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.console.errors import ApiRefused
from gateway.console.operator_pages import HOME, SAID_ON_THE_PAGE, detail_of
from gateway.console.pages import go_to
from gateway.console.paths import plain
from gateway.console.ports import Answer
from gateway.console.visit import ONCE, Visit, needed

FILES: Final = {
    "volumes": "Volumes",
    "numbers": "Senders",
    "templates": "Texts",
    "opt_outs": "Opt-outs",
    "consents": "Consents",
}
_LARGEST_FORM: Final = 11 * 1024 * 1024
_SHARE: Final = "share-"
_DIGITS: Final = 3
_UNPROCESSABLE: Final = 422


@get("/operator/tenants/{tenant:str}/migration", include_in_schema=False)
async def get_migration(tenant: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Ask for the files, and show how far each country is."""
    return await _migration(visit, tenant, {})


@post(
    "/operator/tenants/{tenant:str}/migration/files",
    request_max_body_size=_LARGEST_FORM,
    include_in_schema=False,
)
async def send_files(tenant: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Plan what the files hold, or apply it; the page keeps them, so that a plan is applied by one button."""
    parts = await visit.parts()
    sent = parts.fields
    act = "apply" if sent.get("act") == "apply" else "plan"
    body, wrong = {"provider": sent.get("provider", "")}, ""
    for name, title in FILES.items():
        try:
            chosen = await _text(parts.files.get(f"{name}-file"))
        except UnicodeDecodeError:
            wrong = f"{title}: the file is not UTF-8. Save it as CSV in UTF-8 and choose it again."
            continue
        if text := chosen or sent.get(name, ""):
            body[name] = text
    if wrong:
        return await _migration(visit, tenant, body, wrong=wrong)
    path = f"/v1/admin/tenants/{plain(tenant)}/migration/{act}"
    said = await visit.ask_as_operator("POST", path, body, once=sent.get(ONCE) or None)
    return await _migration(visit, tenant, body, said=said)


@post("/operator/tenants/{tenant:str}/migration/shares", include_in_schema=False)
async def send_shares(tenant: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Change how much of each country comes from here."""
    sent = await visit.written()
    given = {name.removeprefix(_SHARE): text for name, text in sent.items() if name.startswith(_SHARE)}
    shares = {country: _percent(text) for country, text in given.items()}
    path = f"/v1/admin/tenants/{plain(tenant)}/migration/cut-over"
    said = await visit.ask_as_operator("PUT", path, {"shares": shares})
    if said.good:
        return go_to(f"{HOME}/tenants/{tenant}/migration")
    return await _migration(visit, tenant, {}, said=said, shares=given)


def _percent(text: str) -> int | str:
    """Return a number, or what was written for the API to refuse."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else text


async def _text(file: UploadFile | None) -> str:
    """
    Return what an uploaded file says; nothing where none was chosen.

    Raises:
        UnicodeDecodeError: It is not UTF-8; to guess would write other letters than its author did.
    """
    if file is None:
        return ""
    return (await file.read()).decode("utf-8-sig").replace("\x00", "")


async def _migration(
    visit: Visit,
    tenant: str,
    given: dict[str, str],
    *,
    said: Answer | None = None,
    shares: dict[str, str] | None = None,
    wrong: str = "",
) -> Response[str]:
    visit.operator()
    failed = said is not None and not said.good
    if said is not None and failed and said.status not in SAID_ON_THE_PAGE:
        raise ApiRefused(said)
    home = f"/v1/admin/tenants/{plain(tenant)}"
    shown, state = await asyncio.gather(
        visit.ask_as_operator("GET", home), visit.ask_as_operator("GET", f"{home}/migration")
    )
    found: Any = needed(state)
    report: Any = said.body if said is not None and said.good else None
    return visit.page(
        "migration.html",
        status=_UNPROCESSABLE if wrong else said.status if said is not None and failed else 200,
        tenant=needed(shown),
        migration=found,
        given={"provider": found["provider"]} | given,
        shares=shares or {},
        files=FILES,
        report=report,
        left=[] if report is None else [row for row in report["rows"] if row["outcome"] not in _SETTLED],
        error=detail_of(said) if said is not None and failed else wrong,
    )


_SETTLED: Final = frozenset({"new", "known"})
