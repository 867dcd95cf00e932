"""`tollgate numbers`, `short-codes`, `pages`, `intakes` and `senders runs`: what they ask and show."""

import json

from tests.unit.cli.test_calling import Api, api, run

__all__ = ["api"]

NUMBER = {
    "number_id": "phone-1",
    "arn": "arn:aws:sms-voice:us-east-1:1:phone-number/phone-1",
    "value": "+447700900001",
    "status": "active",
    "monthly_usd": "1.00",
    "protected": True,
    "created": True,
}
UNCONFIRMED = {"title": "Cost", "code": "cost_not_confirmed", "detail": "1.00 USD a month."}
CODE = {
    "id": "sc_1",
    "tenant_id": "ten_1",
    "name": "Codes",
    "country": "US",
    "stage": "vetting",
    "step": 7,
    "owner": "registrar",
    "next_action": "Wait.",
    "days_in_stage": 3,
    "overdue": False,
    "support_case": "case-1",
    "code": None,
    "billing_started_at": None,
    "history": [{"at": "2026-11-01T00:00:00Z", "stage": "requested", "by": "operator", "note": None}],
    "created_at": "2026-11-01T00:00:00Z",
}
PACK = {
    "complete": False,
    "blank": ["help"],
    "fields": [{"key": "help", "title": "HELP text", "value": None, "required": True}],
}
PAGES = {
    "settings": {"brand": "Acme"},
    "terms": "https://g.example/p/acme/terms",
    "privacy": "https://g.example/p/acme/privacy",
    "opt_in": "https://g.example/p/acme/opt-in",
    "preferences": "https://g.example/p/acme/preferences",
    "paper_form": "https://g.example/p/acme/paper",
    "verbal_script": "https://g.example/p/acme/script",
    "embed": "<script></script>",
    "disclosures": [],
}


def test_a_number_is_leased_only_after_its_cost_was_seen(api: Api) -> None:
    """The question names the cost; a no leases nothing."""
    api.answers = [(409, UNCONFIRMED), (200, NUMBER), (409, UNCONFIRMED), (200, NUMBER)]
    asked = ("numbers", "request", "gb-1", "gb", "LONG_CODE")
    yes = run(api, *asked)
    assert (yes.exit_code, [body["accept_cost"] for *_, body in api.asked]) == (1, [False])
    api.answers = [(200, NUMBER)]
    done = run(api, *asked, "--yes", "--account", "acc_1", "--channel", "sms", "--channel", "voice")
    assert (done.exit_code, "+447700900001" in done.stdout) == (0, True)
    method, path, body = api.asked[-1]
    assert (method, path) == ("POST", "/v1/admin/numbers?account=acc_1")
    assert (body["country"], body["channels"], body["accept_cost"]) == ("GB", ["sms", "voice"], True)


def test_protection_and_release_name_the_number(api: Api) -> None:
    """A release is for good, so it is asked for unless --yes."""
    api.answers = [(200, NUMBER), (200, NUMBER)]
    assert run(api, "numbers", "protect", "phone-1", "--off").exit_code == 0
    assert run(api, "numbers", "release", "phone-1").exit_code == 1
    assert run(api, "numbers", "release", "phone-1", "--yes").exit_code == 0
    assert api.asked == [
        ("PUT", "/v1/admin/numbers/phone-1/protection", {"protected": False}),
        ("DELETE", "/v1/admin/numbers/phone-1", None),
    ]


def test_a_short_code_is_begun_moved_and_shown(api: Api) -> None:
    """Each as the API takes it."""
    api.answers = [(201, CODE), (200, CODE), (200, CODE), (200, {"data": [CODE], "next_cursor": None})]
    home = "/v1/admin/tenants/ten_1/short-codes"
    assert run(api, "short-codes", "begin", "ten_1", "us", "Codes", "--case", "case-1").exit_code == 0
    assert run(api, "short-codes", "stage", "ten_1", "sc_1", "vetting", "--note", "n").exit_code == 0
    shown = run(api, "short-codes", "show", "ten_1", "sc_1")
    assert (shown.exit_code, "requested" in shown.stdout) == (0, True)
    assert "vetting" in run(api, "short-codes", "list").stdout
    stage = {"stage": "vetting", "note": "n", "code": None, "billing_started_at": None}
    assert api.asked[:2] == [
        ("POST", home, {"country": "US", "name": "Codes", "support_case": "case-1"}),
        ("POST", f"{home}/sc_1/stage", stage),
    ]


def test_a_pack_is_answered_and_what_is_blank_is_said(api: Api) -> None:
    """An empty text takes an answer back."""
    api.answers = [(200, PACK), (200, PACK)]
    assert "Blank: help." in run(api, "short-codes", "answer", "ten_1", "sc_1", "a=b", "c=").stdout
    assert "HELP text" in run(api, "short-codes", "pack", "ten_1", "sc_1").stdout
    assert api.asked[0][2] == {"answers": {"a": "b", "c": None}}


def test_pages_are_read_and_written_by_tenant_or_operator(api: Api, tmp_path) -> None:
    """The same file for both."""
    settings = tmp_path / "pages.json"
    settings.write_text(json.dumps({"brand": "Acme"}))
    api.answers = [(200, PAGES), (200, PAGES), (200, PAGES)]
    assert "/p/acme/terms" in run(api, "pages", "show").stdout
    assert run(api, "pages", "set", str(settings), "--tenant", "ten_1").exit_code == 0
    assert run(api, "pages", "set", str(settings)).exit_code == 0
    assert api.asked == [
        ("GET", "/v1/hosted-pages", None),
        ("PUT", "/v1/admin/tenants/ten_1/hosted-pages", {"brand": "Acme"}),
        ("PUT", "/v1/hosted-pages", {"brand": "Acme"}),
    ]
    settings.write_text("{")
    assert run(api, "pages", "set", str(settings)).exit_code == 2


def test_an_intake_s_secret_is_shown_when_it_is_new(api: Api) -> None:
    """Made, rotated, listed without it, ended."""
    intake = {
        "id": "itk_1",
        "name": "Shop",
        "model": 3,
        "url": "https://g.example/v1/ingest/intakes/itk_1",
        "disabled_at": None,
        "created_at": "2026-11-01T00:00:00Z",
    }
    new = intake | {"secret": "whsec_x"}
    api.answers = [(201, new), (200, new), (200, {"data": [intake], "next_cursor": None}), (200, intake)]
    assert "whsec_x" in run(api, "intakes", "create", "Shop").stdout
    assert "whsec_x" in run(api, "intakes", "rotate", "itk_1").stdout
    assert "itk_1" in run(api, "intakes", "list").stdout
    assert "Disabled." in run(api, "intakes", "disable", "itk_1").stdout
    assert [(method, path.partition("?")[0]) for method, path, _ in api.asked] == [
        ("POST", "/v1/admin/intakes"),
        ("POST", "/v1/admin/intakes/itk_1/rotate-secret"),
        ("GET", "/v1/admin/intakes"),
        ("DELETE", "/v1/admin/intakes/itk_1"),
    ]


def test_runs_say_how_far_they_are(api: Api) -> None:
    """The step that works, or that ended it."""
    steps = [{"name": "topic", "state": "done"}, {"name": "pool", "state": "running"}]
    seen = {"id": "prv_1", "state": "running", "detail": None, "steps": steps, "done": 1}
    api.answers = [(200, {"data": [seen | {"started_at": "2026-11-01T00:00:00Z"}], "next_cursor": None})]
    assert "1 of 2, pool" in run(api, "senders", "runs", "ten_1").stdout
