"""The operator's pages: every onboarding at a glance, one of them, and the inbox."""

import asyncio
import hmac
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from gateway.console.errors import ApiRefused, NoSuchPage
from gateway.console.pages import go_to
from gateway.console.paths import paged, plain
from gateway.console.ports import Answer
from gateway.console.questions import QUESTIONS
from gateway.console.visit import ONCE, WAIT, Fields, Visit, is_version, needed
from gateway.console.words import OPERATOR_STATE_WORDS, RUN_WORDS, STEP_TITLES
from tenants.people import sessions, signing_in
from tenants.people.signing_in import Attempt

HOME: Final = "/console/operator"
_WRONG: Final = "That is not the operator's key."
_UNPROCESSABLE: Final = 422
SAID_ON_THE_PAGE: Final = frozenset({409, 422})


@get("/operator/sign-in", include_in_schema=False)
async def get_operator_sign_in(visit: NamedDependency[Visit]) -> Response[str]:
    """Ask for the operator's key."""
    return visit.page("operator_sign_in.html", error="")


@post("/operator/sign-in", include_in_schema=False)
async def sign_operator_in(visit: NamedDependency[Visit]) -> Response[str]:
    """Exchange the key for a session; the key itself stays in no browser."""
    sent, site, now = await visit.form(), visit.site, visit.site.clock.now()
    attempt = Attempt(account="operator", network=visit.network())
    right = hmac.compare_digest(sent.get("key", "").encode(errors="replace"), site.operator_key.encode())
    async with site.transaction() as session:
        if until := await signing_in.held_until(session, attempt, pepper=site.pepper, now=now):
            return visit.held(visit.page("operator_sign_in.html", error=WAIT), until)
        if not right:
            await signing_in.failed(session, attempt, pepper=site.pepper, now=now)
            return visit.page("operator_sign_in.html", status=_UNPROCESSABLE, error=_WRONG)
        await signing_in.succeeded(session, attempt, pepper=site.pepper)
        secret = await sessions.begin(
            session, None, "open", pepper=site.pepper, now=now, instead_of=visit.secret
        )
    return visit.signed_in(secret, HOME)


@get("/operator", include_in_schema=False)
async def list_onboardings(visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Response[str]:
    """Show a hundred onboardings, and what is in the inbox."""
    page = needed(await visit.ask_as_operator("GET", f"/v1/admin/onboardings{paged(after)}"))
    tasks = needed(await visit.ask_as_operator("GET", f"/v1/admin/inbox{paged()}"))
    return visit.page(
        "operator.html",
        onboardings=[_row(each) for each in page["data"]],
        next_cursor=page["next_cursor"],
        titles=STEP_TITLES,
        words=OPERATOR_STATE_WORDS,
        tasks=len(tasks["data"]),
        more_tasks=tasks["next_cursor"] is not None,
    )


@get("/operator/tenants", include_in_schema=False)
async def find_tenant(visit: NamedDependency[Visit], tenant: FromQuery[str] = "") -> Response[str]:
    """Lead to a tenant by its id, which is all that is known of one that has not begun."""
    visit.operator()
    return go_to(f"{HOME}/tenants/{plain(tenant.strip())}" if tenant.strip() else HOME)


@get("/operator/tenants/{tenant:str}", include_in_schema=False)
async def get_tenant(
    tenant: FromPath[str],
    visit: NamedDependency[Visit],
    people: FromQuery[str] = "",
    invitations: FromQuery[str] = "",
) -> Response[str]:
    """Show one tenant's onboarding with its answers; the lists below go on behind their cursors."""
    return await _tenant(visit, tenant, after_person=people, after_invitation=invitations)


@get("/operator/tenants/{tenant:str}/provisioning", include_in_schema=False)
async def get_provisioning(tenant: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Show the newest run at AWS, step by step; the page fetches itself again while it runs."""
    home = f"/v1/admin/tenants/{plain(tenant)}"
    shown, runs = await asyncio.gather(
        visit.ask_as_operator("GET", home),
        visit.ask_as_operator("GET", f"{home}/provision/runs?limit=10"),
    )
    found = needed(runs)["data"]
    return visit.page(
        "provisioning.html",
        tenant=needed(shown),
        run=found[0] if found else None,
        earlier=found[1:],
        words=RUN_WORDS,
    )


@post("/operator/tenants/{tenant:str}/{act:str}", include_in_schema=False)
async def judge_tenant(
    tenant: FromPath[str], act: FromPath[str], visit: NamedDependency[Visit]
) -> Response[str]:
    """Approve, send back, decide, or invite."""
    sent = await visit.written()
    version = sent.get("version", "")
    seen: dict[str, str | int] = {"version": int(version)} if is_version(version) else {}
    match act:
        case "approve":
            body = seen
        case "send-back":
            body = {"why": sent.get("why", ""), **seen}
        case "decide":
            body = {"registrant": sent.get("registrant", ""), **seen}
        case "invitations":
            return await _invite(visit, tenant, sent)
        case _:
            raise NoSuchPage
    path = f"/v1/admin/tenants/{plain(tenant)}/onboarding/{act}"
    said = await visit.ask_as_operator("POST", path, body, once=sent.get(ONCE) or None)
    if said.good:
        return go_to(f"{HOME}/tenants/{tenant}")
    return await _tenant(visit, tenant, said=said, written=sent)


@post("/operator/tenants/{tenant:str}/people/{person:str}/remove", include_in_schema=False)
async def remove_person(
    tenant: FromPath[str], person: FromPath[str], visit: NamedDependency[Visit]
) -> Response[str]:
    """Take a person out of the console."""
    await visit.written()
    path = f"/v1/admin/tenants/{plain(tenant)}/people/{plain(person)}"
    said = await visit.ask_as_operator("DELETE", path)
    return go_to(f"{HOME}/tenants/{tenant}") if said.good else await _tenant(visit, tenant, said=said)


@get("/operator/inbox", include_in_schema=False)
async def get_inbox(visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Response[str]:
    """Show a hundred of what waits for a person."""
    tasks = needed(await visit.ask_as_operator("GET", f"/v1/admin/inbox{paged(after)}"))
    return visit.page("inbox.html", tasks=tasks["data"], next_cursor=tasks["next_cursor"], after=after)


@post("/operator/inbox/{task:str}", include_in_schema=False)
async def resolve_task(task: FromPath[str], visit: NamedDependency[Visit]) -> Response[str]:
    """Settle a task with a note."""
    sent = await visit.written()
    body = {"note": sent.get("note") or "looked at in the console"}
    path = f"/v1/admin/inbox/{plain(task)}/resolve"
    needed(await visit.ask_as_operator("POST", path, body, once=sent.get(ONCE) or None))
    after = sent.get("after", "")
    return go_to(f"{HOME}/inbox" + (f"?after={plain(after)}" if after else ""))


async def _invite(visit: Visit, tenant: str, sent: Fields) -> Response[str]:
    path = f"/v1/admin/tenants/{plain(tenant)}/invitations"
    said = await visit.ask_as_operator(
        "POST", path, {"email": sent.get("email", "")}, once=sent.get(ONCE) or None
    )
    if said.good:
        return await _tenant(visit, tenant, said=said, invited=said.body)
    return await _tenant(visit, tenant, said=said, written=sent)


async def _tenant(
    visit: Visit,
    tenant: str,
    *,
    said: Answer | None = None,
    invited: Any = None,
    written: Fields | None = None,
    after_person: str = "",
    after_invitation: str = "",
) -> Response[str]:
    """Show a tenant; `written` was in a form that was not taken, and stands there still."""
    visit.operator()
    if said is not None and not said.good and said.status not in SAID_ON_THE_PAGE:
        raise ApiRefused(said)
    home = f"/v1/admin/tenants/{plain(tenant)}"
    shown, onboarding, people, invitations = await asyncio.gather(
        visit.ask_as_operator("GET", home),
        visit.ask_as_operator("GET", f"{home}/onboarding"),
        visit.ask_as_operator("GET", f"{home}/people{paged(after_person)}"),
        visit.ask_as_operator("GET", f"{home}/invitations{paged(after_invitation)}"),
    )
    failed = said is not None and not said.good
    return visit.page(
        "operator_tenant.html",
        status=said.status if failed and said is not None else 200,
        tenant=needed(shown),
        onboarding=needed(onboarding),
        people=needed(people),
        invitations=needed(invitations),
        invited=invited,
        written=written or {},
        titles=STEP_TITLES,
        words=OPERATOR_STATE_WORDS,
        questions=QUESTIONS,
        error=detail_of(said) if failed and said is not None else "",
    )


def _row(onboarding: Any) -> dict[str, Any]:
    states = {step["name"]: step for step in onboarding["steps"]}
    first = None if onboarding["next"] is None else states[onboarding["next"]]
    waits = _waits_for(onboarding, first)
    return {
        "id": onboarding["tenant_id"],
        "name": onboarding["tenant_name"],
        "done": sum(step["state"] == "done" for step in onboarding["steps"]),
        "of": len(onboarding["steps"]),
        "step": first,
        "waits": waits,
        "since": onboarding["updated_at"],
    }


def _waits_for(onboarding: Any, first: Any) -> str:
    if first is None:
        return "nobody"
    if first["state"] != "waiting":
        return "tenant"
    return "carrier" if first["name"] == "registrations" and onboarding["approved_at"] else "operator"


def detail_of(said: Answer) -> str:
    """Return what is wrong, of the first field where fields are."""
    problem = said.problem
    return problem.errors[0].detail if problem.errors else problem.detail
