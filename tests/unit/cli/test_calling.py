"""The REST-backed commands: what they ask, and how they show answers and refusals."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.root import tollgate
from gateway.client import ApiRefused, ApiUnreachable, Client, path_of, sentence_of
from gateway.errors import ConfigurationError
from tests.harness.told_api import LOOKS_EVERY_S

PROBLEM = {
    "type": "http://127.0.0.1/docs/errors/slug_taken",
    "title": "The slug is in use",
    "code": "slug_taken",
    "detail": "the slug acme is taken",
}


class Api:
    """A stand-in that answers what it was told to and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: list[tuple[int, Any]] = []
        self.authorization = ""
        self.url = ""
        self.headers: dict[str, str] = {}


@pytest.fixture
def api() -> Iterator[Api]:
    """One API on loopback."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            api.asked.append((self.command, self.path, json.loads(content) if content else None))
            api.authorization = self.headers["Authorization"]
            status, body = api.answers.pop(0)
            self.send_response(status)
            for name, value in api.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_port}"
        yield api
        server.shutdown()


def run(api: Api, *arguments: str) -> Result:
    """Run a command against the stand-in."""
    environment = {"TOLLGATE_API_URL": api.url, "TOLLGATE_API_KEY": "secret"}
    return CliRunner().invoke(tollgate, arguments, env=environment)


def test_a_refusal_is_said_with_code_and_way_out(api: Api) -> None:
    """A person reads the sentence, a search engine the code."""
    api.answers = [(409, PROBLEM)]
    with pytest.raises(ApiRefused) as refused:
        Client(api.url, "k").post("/v1/admin/tenants", {})
    assert refused.value.code == "slug_taken"
    assert str(refused.value).splitlines() == [
        "The slug is in use (409 slug_taken): the slug acme is taken",
        "  What to do: http://127.0.0.1/docs/errors/slug_taken",
    ]


def test_field_errors_and_waiting_times_are_part_of_the_sentence() -> None:
    """422 names fields, 429 names a time."""
    said = sentence_of(
        422,
        {
            "title": "No",
            "code": "x",
            "detail": "d",
            "retry_after_ms": 1500,
            "errors": [{"field": "/to", "detail": "bad"}],
        },
    )
    assert said.splitlines() == ["No (422 x): d", "  /to: bad", "  It may succeed in 1.5 s."]


@pytest.mark.parametrize(
    ("wait_ms", "said"),
    [(119_000, "119.0 s"), (120_000, "2.0 min"), (10_800_000, "3.0 h"), (596_914_900, "6.9 days")],
)
def test_a_long_wait_is_said_in_a_unit_that_people_count_in(wait_ms: int, said: str) -> None:
    """A budget that begins anew next month was said to do so in 596914.9 s."""
    assert sentence_of(402, {"retry_after_ms": wait_ms}).splitlines()[-1] == f"  It may succeed in {said}."


def test_an_answer_that_is_no_problem_document_is_still_a_refusal(api: Api) -> None:
    """A proxy before the API answers in HTML."""
    api.answers = [(502, b"<html>")]
    with pytest.raises(ApiRefused, match="502 unknown"):
        Client(api.url, "k").get("/v1/credits")


def test_an_api_url_that_is_no_url_is_refused() -> None:
    """Above all, no file:// is ever opened."""
    with pytest.raises(ApiUnreachable, match="is not the URL of an API"):
        Client("file:///etc", "k")


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1/docs#errors", "http://127.0.0.1?x=1"])
def test_an_address_that_is_none_is_said_to_be_none(url: str) -> None:
    """Rather than asked for something else than what was meant."""
    with pytest.raises(ApiUnreachable, match="is not the URL of an API"):
        Client(url, "k")


@pytest.mark.parametrize("key", ["line\nbreak", "tg_live_\u00e4\u20ac"])
def test_a_key_that_can_be_none_is_refused_without_being_shown(key: str) -> None:
    """What was pasted by mistake must not end in a traceback on a screen."""
    with pytest.raises(ConfigurationError, match="TOLLGATE_API_KEY") as refused:
        Client("http://127.0.0.1:1", key)
    assert key not in str(refused.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_key_is_not_carried_on_to_where_an_answer_points(api: Api, status: int) -> None:
    """The next host would read the key, and a POST would arrive there as a GET."""
    elsewhere = api.url.replace("127.0.0.1", "localhost")
    api.headers = {"Location": f"{elsewhere}/v1/admin/tenants"}
    api.answers = [(status, b""), (200, {"data": [], "next_cursor": None})]
    with pytest.raises(ApiUnreachable, match=f"sends on to {elsewhere}.*--api-url"):
        Client(api.url, "k").post("/v1/admin/tenants", {})
    assert len(api.asked) == 1


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_web_page_in_the_apis_place_is_said_to_be_none(api: Api, kind: str) -> None:
    """The address of the documentation, or of a proxy's sign-in, looks nearly right."""
    api.headers = {"Content-Type": kind}
    api.answers = [(200, b"<html>")]
    with pytest.raises(ApiUnreachable, match="is not Tollgate's API"):
        Client(api.url, "k").rows("/v1/messages", limit=10)


def test_ids_cannot_leave_their_place_in_a_path() -> None:
    """An id from a shell may hold anything."""
    assert path_of("messages", "../admin?x=1") == "/v1/messages/..%2Fadmin%3Fx%3D1"


def test_lists_are_read_over_pages_up_to_the_limit(api: Api) -> None:
    """The API gives at most 100 rows at a time."""
    api.answers = [
        (200, {"data": [{"n": n} for n in range(100)], "next_cursor": "abc"}),
        (200, {"data": [{"n": n} for n in range(100, 150)], "next_cursor": "more"}),
    ]
    rows = Client(api.url, "k").rows("/v1/messages", limit=150, status=None, country="US")
    assert [row["n"] for row in rows] == list(range(150))
    assert [path for _, path, _ in api.asked] == [
        "/v1/messages?limit=100&country=US",
        "/v1/messages?limit=50&after=abc&country=US",
    ]


def test_creating_a_tenant_posts_what_the_options_say(api: Api) -> None:
    """Countries are forgiven their case, nothing else is guessed."""
    row = {"id": "ten_1", "slug": "acme", "name": "Acme", "model": 2, "state": "active", "live": False}
    api.answers = [(201, row | {"countries": ["US"], "plan": {"pricing": "credits"}})]
    done = run(
        api,
        *[
            "tenants",
            "create",
            "--name",
            "Acme",
            "--slug",
            "acme",
            "--model",
            "2",
            "--country",
            "us",
            "--pricing",
            "credits",
        ],
    )
    assert done.exit_code == 0, done.output
    assert api.authorization == "Bearer secret"
    plan = {"pricing": "credits"}
    body = {"name": "Acme", "slug": "acme", "model": 2, "countries": ["US"], "plan": plan}
    assert api.asked == [("POST", "/v1/admin/tenants", body)]
    assert "ten_1" in done.output


def test_json_prints_exactly_what_the_api_answered(api: Api) -> None:
    """Machines want every field, also those invented later."""
    api.answers = [(200, {"available": "1.00", "held": "0", "unit": "usd", "later": 1})]
    done = run(api, "credits", "show", "--json")
    assert json.loads(done.output) == {"available": "1.00", "held": "0", "unit": "usd", "later": 1}


def test_a_negative_adjustment_is_an_amount_and_not_an_option(api: Api) -> None:
    """`-1.50` begins like an option."""
    entry = {"at": "now", "kind": "adjust", "available": "-1.50", "held": "0", "charged": "0", "unit": "usd"}
    api.answers = [(201, entry | {"message_id": None, "note": "n"})]
    done = run(api, "credits", "adjust", "ten_1", "-1.50", "--note", "n")
    assert done.exit_code == 0, done.output
    assert api.asked[0][2] == {"amount": "-1.50", "note": "n"}


@pytest.mark.parametrize(
    "arguments",
    [
        "messages send +1 ",
        "messages send +1 --body a --template b",
        "messages send +1 --template b --var code",
        "senders provision ten_1 --sender US",
        "tenants plan ten_1 [1]",
        "tenants plan ten_1 {",
    ],
)
def test_what_cannot_be_meant_is_wrong_usage_and_asks_nothing(api: Api, arguments: str) -> None:
    """Exit status 2, before any request."""
    assert run(api, *arguments.split()).exit_code == 2
    assert api.asked == []


def test_template_variables_are_sent_by_name(api: Api) -> None:
    """`--var` may be repeated, and a value may hold an equals sign."""
    api.answers = [(403, PROBLEM)]
    run(
        api,
        *["messages", "send", "+14155550123", "--template", "code", "--var", "code=12", "--var", "url=a=b"],
    )
    template = {"name": "code", "variables": {"code": "12", "url": "a=b"}}
    assert api.asked[0][2] == {"to": "+14155550123", "template": template}


TEMPLATE = {
    "id": "tpl_1",
    "name": "login",
    "version": 1,
    "state": "draft",
    "type": "otp",
    "use_case": "otp",
    "countries": [],
    "worst_case": {"encoding": "GSM", "parts": 1},
    "findings": [{"severity": "review", "detail": "no brand", "fix": "say it"}],
}


def test_a_template_is_written_from_a_shell_and_the_linter_heard(api: Api) -> None:
    """Declarations in one word, findings in one line."""
    api.answers = [(201, TEMPLATE)]
    result = run(
        api,
        *("templates", "create", "--name", "login", "--type", "otp", "--body", "{code}"),
        *("--variable", "code=digits:6", "--country", "us"),
    )
    assert result.exit_code == 0, result.output
    (_, path, body) = api.asked[0]
    assert path == "/v1/templates"
    assert body["variables"] == {"code": {"kind": "digits", "max_length": 6}}
    assert body["countries"] == ["US"]
    assert "review: no brand; say it" in result.output


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (["submit", "tpl_1"], "/v1/templates/tpl_1/submit", None),
        (["approve", "tpl_1"], "/v1/admin/templates/tpl_1/approve", {"keep_older": True}),
        (
            ["approve", "tpl_1", "--version", "2", "--retire-older"],
            "/v1/admin/templates/tpl_1/approve",
            {"keep_older": False, "version": 2},
        ),
        (["reject", "tpl_1", "--reason", "no"], "/v1/admin/templates/tpl_1/reject", {"reason": "no"}),
        (["create", "--from-library", "otp"], "/v1/templates", {"from_library": "otp"}),
    ],
)
def test_templates_move_by_one_command_each(api: Api, arguments: list[str], path: str, body: Any) -> None:
    """What a tenant hands in, an operator decides on."""
    api.answers = [(200, TEMPLATE)]
    result = run(api, "templates", *arguments)
    assert result.exit_code == 0, result.output
    assert [(asked[1], asked[2] or None) for asked in api.asked] == [(path, body)]


@pytest.mark.parametrize("said", [["code=digits:six"], ["code=digits:²"], ["code=text", "code=digits"]])
def test_a_declaration_that_is_none_is_wrong_usage(api: Api, said: list[str]) -> None:
    """Before anything is asked of the API."""
    given = [word for each in said for word in ("--variable", each)]
    result = run(api, "templates", "create", "--name", "x", *given)
    assert (result.exit_code, api.asked) == (2, [])


def test_the_library_and_what_waits_are_listed(api: Api) -> None:
    """To start from, and to decide on."""
    waiting = TEMPLATE | {"template_id": "tpl_1", "tenant_id": "ten_1", "body": "{code}"}
    shelf = {"id": "otp", "title": "Code", "type": "otp", "use_case": "otp", "body": "{brand}: {code}"}
    api.answers = [(200, {"data": [shelf]}), (200, {"data": [waiting], "next_cursor": None})]
    assert "{brand}: {code}" in run(api, "templates", "library").output
    assert "no brand" in run(api, "templates", "list", "--waiting").output


def test_a_notice_of_aws_health_is_passed_on_as_it_was_said(api: Api) -> None:
    """An event's end carries the same name."""
    health = {"state": "disabled", "reason": "AWS Health: down (event)", "since": None}
    api.answers = [(200, {"account": "acc_1", "name": "main", "region": "us-east-1", "health": health})]
    said = ("--status", "open", "--reason", "down", "--effect", "disable")
    done = run(api, "routes", "notice", "acc_1", "event", *said)
    assert done.exit_code == 0, done.output
    body = {"event": "event", "status": "open", "reason": "down", "effect": "disable"}
    assert api.asked == [("POST", "/v1/admin/routes/acc_1/health-notice", body)]
    assert "AWS Health: down" in done.output
