"""
The application pack of a short code: what AWS's form will ask, answered as far as the gateway knows. Pure.

AWS sends each country's form with the support case, so what is asked here is what its guides name for all
of them. Where AWS describes a form for short codes by itself, its fields are asked as well.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tenants.errors import InvalidInput
from tenants.registrations.checking import Value
from tenants.registrations.forms import Form
from tenants.registrations.linting.draft import Draft, Finding
from tenants.registrations.linting.lint import lint

Source = Literal["answer", "known"]
LONGEST: Final = 4000


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing the application says."""

    key: str
    section: str
    title: str
    facts: list[str] = []
    """Last parts of registration field paths that answer it, the first that is filled."""
    draft: str | None = None
    """The member of the linter's draft that it is."""
    optional: bool = False


class Answered(Struct, frozen=True, kw_only=True):
    """A question with its answer."""

    key: str
    section: str
    title: str
    required: bool
    value: str | None
    source: Source | None
    """`answer`: typed in for this code; `known`: from the tenant's registrations, texts and pages."""


class Pack(Struct, frozen=True, kw_only=True):
    """The whole application."""

    fields: list[Answered]
    findings: list[Finding]

    @property
    def blank(self) -> list[Answered]:
        """What keeps it from being handed in."""
        return [each for each in self.fields if each.required and not each.value]


@cache
def questions() -> tuple[Question, ...]:
    """Return what every country's form asks."""
    source = files("tenants.shortcodes").joinpath("fields.json").read_bytes()
    return msgspec.json.decode(source, type=tuple[Question, ...])


def asked(forms: Iterable[Form]) -> tuple[Question, ...]:
    """Return the usual questions and those of the forms that AWS describes."""
    live = (
        Question(
            key=field.path,
            section=form.type.title or form.type.type,
            title=field.title or field.path,
            facts=[field.path.rpartition(".")[2]],
            optional=field.requirement != "REQUIRED",
        )
        for form in forms
        for field in form.fields
    )
    return (*questions(), *live)


def pack_of(
    wanted: Iterable[Question],
    answers: Mapping[str, str],
    registered: Mapping[str, Value],
    known: Mapping[str, str],
    *,
    country: str,
) -> Pack:
    """
    Return the application.

    Args:
        registered: Values of the tenant's registrations, by the last part of their paths.
        known: Facts by question key, such as the addresses of its pages.
    """
    fields = [_answered(each, answers, registered, known) for each in wanted]
    return Pack(fields=fields, findings=lint(_draft(fields, country)))


def check_answers(wanted: Iterable[Question], answers: Mapping[str, str | None]) -> list[InvalidInput]:
    """Return what is wrong with answers."""
    keys = {each.key for each in wanted}
    faults: list[InvalidInput] = []
    for key, value in answers.items():
        if key not in keys:
            faults.append(
                InvalidInput("/answers", "no_such_field", "the pack has no such field; see its `fields`")
            )
        elif value is not None and (not value.strip() or len(value) > LONGEST or "\0" in value):
            detail = f"1 to {LONGEST} characters without U+0000"
            faults.append(InvalidInput(f"/answers/{key}", "wrong_length", detail))
    return faults


def _answered(
    question: Question, answers: Mapping[str, str], registered: Mapping[str, Value], known: Mapping[str, str]
) -> Answered:
    value = answers.get(question.key)
    source: Source | None = "answer"
    if not value:
        facts = (_text(registered[name]) for name in question.facts if registered.get(name))
        value = known.get(question.key) or next(facts, None)
        source = "known" if value else None
    return Answered(
        key=question.key,
        section=question.section,
        title=question.title,
        required=not question.optional,
        value=value,
        source=source,
    )


def _draft(fields: list[Answered], country: str) -> Draft:
    said = {each.key: each.value for each in fields if each.value}
    members: dict[str, str] = {}
    samples: list[str] = []
    for each in questions():
        if each.draft == "samples" and each.key in said:
            samples.append(said[each.key])
        elif each.draft is not None and each.key in said:
            members[each.draft] = said[each.key]
    brands = [said["service_name"]] if "service_name" in said else []
    return Draft(
        kind="short_code",
        company=said.get("company_name", ""),
        brands=brands,
        country=country,
        samples=samples,
        website=members.get("website"),
        support_email=members.get("support_email"),
        use_case=members.get("use_case"),
        use_case_details=members.get("use_case_details"),
        opt_in=members.get("opt_in"),
        confirm=members.get("confirm"),
        help=members.get("help"),
        stop=members.get("stop"),
    )


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ", ".join(value)
