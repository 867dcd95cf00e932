"""What is written about the API is what the API is: OpenAPI, the error list, the pages."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

import gateway
import tenants
from gateway.api.body_types import body_structs
from gateway.api.errors_document import errors_markdown
from gateway.api.problems import PROBLEMS, STATUS_CODES
from gateway.api.routes import OPERATOR_ROUTES, TENANT_ROUTES
from gateway.intake.outcome import DeclineCode
from tenants.accounts.operating_models import MODELS

ROOT = Path(gateway.__file__).parent.parent
PUBLIC = {"/healthz", "/readyz", "/metrics", "/openapi.json"}


@pytest.fixture
async def openapi(nobody) -> dict:
    """The document as a caller gets it."""
    return (await nobody.get("/openapi.json")).json()


def test_the_error_page_is_made_from_the_table() -> None:
    """Run `python -m gateway.api.errors_document > docs/errors.md` after a change of the table."""
    assert (ROOT / "docs/errors.md").read_text(encoding="utf-8") == errors_markdown()


WAITS = {
    "quiet_hours", "idempotency_in_flight", "media_unavailable", "pumping_suspected", "messages_in_flight",
}  # fmt: skip
"""Refusals of another status that time alone ends."""


def test_every_code_says_what_happened_and_what_to_do() -> None:
    """A code without a way out is half an answer."""
    for kind in PROBLEMS.values():
        assert re.fullmatch("[a-z_]+", kind.code)
        assert 400 <= kind.status <= 503
        assert kind.explanation.endswith(".")
        assert kind.way_out.endswith((".", "`."))
        assert kind.retryable == (kind.status in {429, 500, 503} or kind.code in WAITS)


def test_the_six_models_are_explained_as_they_are() -> None:
    """They are named by number in plans, rules and answers, and stood nowhere."""
    page = (ROOT / "docs/how-to/onboard-tenants.md").read_text(encoding="utf-8")
    free_text = {"open": "by the plan", "never": "never"}
    for each in MODELS.values():
        row = [f"{each.number}, {each.name}", each.registration_by, free_text[each.free_text]]
        row += [each.pays_aws, each.brand, each.opt_in_by]
        assert f"| {' | '.join(row)} |" in page


def test_every_code_that_a_send_can_be_declined_with_is_in_the_table() -> None:
    """Intake knows no status; the table knows every code of intake."""
    assert set(get_args(DeclineCode)) <= set(PROBLEMS)


def test_every_conflict_of_the_tenants_package_is_in_the_table() -> None:
    """A code that falls through would be shown as a plain `conflict`."""
    raised = set()
    for path in Path(tenants.__file__).parent.rglob("*.py"):
        raised |= set(re.findall(r'raise Conflict\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8")))
    assert raised
    assert raised <= set(PROBLEMS)


def test_every_status_of_the_framework_has_a_code() -> None:
    """Litestar's own refusals are shown in our words."""
    assert all(PROBLEMS[code].status == status for status, code in STATUS_CODES.items())


def test_no_route_is_undocumented(world, openapi) -> None:
    """The inventory of routes is the inventory of the document, method by method."""
    served = {
        (re.sub(r":[a-z]+}", "}", route.path), method.lower())
        for route in world.app.routes
        for method in route.methods
        if method != "OPTIONS"
        and not route.path.startswith(("/docs", "/p/", "/console"))
        and route.path not in {"/", "/openapi.json"}
    }
    documented = {(path, method) for path, item in openapi["paths"].items() for method in item if method in
                  {"get", "post", "put", "patch", "delete"}}  # fmt: skip
    assert served == documented


_NAMED = re.compile(r"(?:\b(GET|POST|PUT|PATCH|DELETE)\s+)?(?<!gateway/api)(/v1/[\w/{}+…-]*(?:\.\w+)?)")


def routes_named_in(text: str) -> set[tuple[str | None, str]]:
    """Return the routes that a text names, each with its method where it says one."""
    return {(method or None, path.rstrip("/")) for method, path in _NAMED.findall(text)}


def not_served(named: set[tuple[str | None, str]], openapi: dict) -> set[tuple[str | None, str]]:
    """Return what of it is no route; a `{name}` or an `acc_…` stands for any step."""
    routes = [
        (re.compile(re.sub(r"{[^}]+}", "[^/]+", path)), {method.upper() for method in item})
        for path, item in openapi["paths"].items()
    ]
    return {
        (method, path)
        for method, path in named
        if not any(route.fullmatch(path) and method in {None, *methods} for route, methods in routes)
    }


def test_every_route_that_a_page_names_is_served(openapi) -> None:
    """Who follows a page must not meet a 404 or a 405."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {page: routes_named_in(page.read_text(encoding="utf-8")) for page in pages}
    assert len(set().union(*named.values())) > 60
    assert {str(page): found for page, each in named.items() if (found := not_served(each, openapi))} == {}


def test_a_page_that_names_no_route_of_ours_is_noticed(openapi) -> None:
    """The check itself can fail, by path and by method."""
    text = "`POST /v1/messages`, /v1/nothing and DELETE /v1/messages/msg_…; see `gateway/api/v1/messages.py`."
    named = routes_named_in(text)
    assert not_served(named, openapi) == {(None, "/v1/nothing"), ("DELETE", "/v1/messages/msg_…")}


async def test_every_metric_that_a_how_to_names_is_exposed(nobody) -> None:
    """An alarm on a name that nothing writes never rings."""
    exposed = set(re.findall(r"# TYPE (tollgate_\w+)", (await nobody.get("/metrics")).text))
    pages = (ROOT / "docs/how-to").glob("*.md")
    named = {
        each for page in pages for each in re.findall(r"`(tollgate_[a-z_]+)[`{]", page.read_text("utf-8"))
    }
    assert len(named) > 10
    assert named - exposed == set()


def curls_without_a_type(text: str) -> list[str]:
    """Return the curl commands of a text that hand JSON over and do not say so: curl says it is a form."""
    commands = re.findall(r"^\$? ?curl (?:.*\\\n)*.*(?:\n +.*)*", text, flags=re.MULTILINE)
    return [
        each for each in commands if re.search(r"\s(-d|--data)\s", each) and "application/json" not in each
    ]


def test_every_curl_that_a_page_shows_says_that_its_body_is_json() -> None:
    """Otherwise it meets a 415, as a command that was never tried does."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    assert sum(len(re.findall(r"\bcurl ", text)) for text in texts.values()) > 5
    assert {str(page): found for page, text in texts.items() if (found := curls_without_a_type(text))} == {}


def test_a_curl_that_sends_a_form_is_noticed() -> None:
    """The check itself can fail."""
    sound = "curl /v1/x -H 'Content-Type: application/json' \\\n  -d '{}'\n"
    unsound = "curl /v1/x -H 'Authorization: Bearer k' \\\n  -d '{}'\n"
    assert curls_without_a_type(f"{sound}\n{unsound}") == [unsound.rstrip()]


def test_every_operation_has_an_id_a_summary_and_its_refusals(openapi) -> None:
    """Client generators name functions by the id; callers handle what is documented."""
    operations = [
        (path, method, operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, _method, operation in operations:
        assert operation["summary"], path
        if path.startswith("/v1/") and not path.startswith("/v1/ingest"):
            assert operation["security"], path
            assert {"401", "422", "500", "503"} <= set(operation["responses"]), path
            refused = operation["responses"]["401"]["content"]
            assert list(refused) == ["application/problem+json"], path


def test_every_struct_of_every_body_refuses_unknown_fields(openapi) -> None:
    """A misspelt field never becomes a silent default, in any route, however deep; the document says so."""
    structs = list(body_structs((*TENANT_ROUTES, *OPERATOR_ROUTES)))
    assert len(structs) > 10
    for struct in structs:
        assert struct.forbid_unknown_fields, struct.cls
        described = openapi["components"]["schemas"][struct.cls.__name__]
        assert described["additionalProperties"] is False, struct.cls


def test_every_post_offers_an_idempotency_key(openapi) -> None:
    """Where the contract promises it, the document shows it."""
    posts = {path: item["post"] for path, item in openapi["paths"].items() if "post" in item}
    without = [
        path
        for path, post in posts.items()
        if {"$ref": "#/components/parameters/IdempotencyKey"} not in post.get("parameters", [])
    ]
    write_nothing = [
        "/v1/admin/aws-accounts/{account_id}/check",
        "/v1/admin/tenants/{tenant_id}/migration/plan",
        "/v1/admin/tenants/{tenant_id}/provision/plan",
        "/v1/messages/estimate",
        "/v1/messages/explain",
        "/v1/registrations/lint",
        "/v1/senders/advice",
        "/v1/senders/plan-sheet",
    ]
    assert sorted(without) == sorted(
        ["/v1/ingest/firehose", "/v1/ingest/intakes/{intake_id}", "/v1/ingest/sns", *write_nothing]
    )


async def test_every_body_route_refuses_an_unknown_field(customer, operator, openapi) -> None:
    """The document's promise, put to each route."""
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            if path.startswith("/v1/ingest"):
                continue  # AWS's protocols, which may grow
            client = operator if path.startswith("/v1/admin") else customer.api
            filled = path.replace("{tenant_id}", customer.id)
            filled = re.sub(r"{template_id}", "tpl_01K3ZQ4V7N8R9T0W2Y4A6C8E0G", filled)
            filled = re.sub(r"{[a-z_]+}", "wh_01K3ZQ4V7N8R9T0W2Y4A6C8E0G", filled)
            answer = await client.request(method, filled, json={"surely_unknown": 1})
            assert answer.status_code == 422, (method, path, answer.text)


async def test_each_code_has_a_page_that_loads_nothing_from_elsewhere(nobody) -> None:
    """The `type` of a problem leads here, also on a machine without a network."""
    for code, kind in PROBLEMS.items():
        page = await nobody.get(f"/docs/errors/{code}")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert f"<code>{code}</code>" in page.text
        assert kind.title in page.text.replace("&quot;", '"')
        assert not re.search(r'(src|href)="(https?:)?//', page.text)


async def test_the_bare_address_leads_to_the_documentation(nobody) -> None:
    """It is what a person types first."""
    answer = await nobody.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/docs")


async def test_the_documentation_has_an_index_and_pages(nobody) -> None:
    """Every Markdown page of the repository, with links that stay inside."""
    index = await nobody.get("/docs")
    assert index.status_code == 200
    assert 'href="/openapi.json"' in index.text
    assert 'href="/docs/errors"' in index.text
    page = await nobody.get("/docs/errors")
    assert 'id="opted_out"' in page.text
    assert "<table>" in page.text


@pytest.mark.parametrize(
    "path", ["nothing", "../pyproject", "..%2fREADME", "errors/nothing", "%2e%2e/%2e%2e/etc/passwd"]
)
async def test_there_is_no_way_out_of_the_documentation(nobody, path) -> None:
    """Pages are looked up in a list made at the start, not on the disk."""
    answer = await nobody.get(f"/docs/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_route")


@pytest.mark.parametrize("path", ["nothing", "errors/nothing", "how-to/nothing.png"])
async def test_a_browser_that_looks_for_a_page_that_is_not_there_is_shown_one(nobody, path) -> None:
    """A person cannot do anything with a problem in JSON; the way on is the list of pages."""
    accepts = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    answer = await nobody.get(f"/docs/{path}", headers=accepts)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address" in answer.text
    assert '<a href="/docs">the list of all pages</a>' in answer.text


async def test_a_tutorials_pictures_are_served_beside_it(nobody) -> None:
    """The pages load nothing from elsewhere, so their pictures come from here."""
    page = await nobody.get("/docs/tutorials/onboarding")
    assert 'src="onboarding-checklist.png"' in page.text
    picture = await nobody.get("/docs/tutorials/onboarding-checklist.png")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")


async def test_the_document_is_stable(nobody) -> None:
    """Two processes give the same bytes, so that a change of the API is a change of a file."""
    document = (await nobody.get("/openapi.json")).content
    assert json.loads(document)["info"]["title"] == "Tollgate"
    assert (await nobody.get("/openapi.json")).content == document
