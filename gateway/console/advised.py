"""The question of senders: for each country what advice ranks, with cost, lead time and reasons."""

from typing import Any, Final

from gateway.console.forms import Field, Group, Option
from tenants.senders.spoken import SPOKEN

_TYPES: Final = {kind: words[:1].upper() + words[1:] for kind, words in SPOKEN.items()}
"""Words that stand alone begin with a capital."""
_NONE: Final = (
    "AWS has no sender of one's own for this country, so there is nothing to choose: texts go by its shared "
    "routes, under a number or a name that is not yours. Your provider opens them."
)
_VALUE_HINT: Final = "3 to 11 letters and digits that recipients see instead of a number."


def wish_of(answers: dict[str, Any]) -> dict[str, Any]:
    """Return what to ask advice for; the first use case stands for all."""
    reach, uses = answers["reach"], answers["use_cases"]
    wish: dict[str, Any] = {
        "countries": reach["countries"],
        "messages_per_month": reach["messages_per_month"],
        "parts_per_second": reach["parts_per_second"],
        "two_way": reach["two_way"],
    }
    if uses is not None:
        wish |= {name: uses["programmes"][0][name] for name in ("type", "use_case")}
    return wish


def groups_of(advice: list[dict[str, Any]], reach: list[str], answer: Any) -> tuple[Group, ...]:
    """Return a group of fields for each country, in the order of the reach, over the stored answer."""
    by_iso = {each["country"]: each for each in advice}
    return tuple(_country(at, by_iso[iso], answer) for at, iso in enumerate(reach) if iso in by_iso)


def in_order(answer: Any, reach: list[str]) -> dict[str, Any]:
    """Return the stored choices, the first of each country at its country's place."""
    first: dict[str, Any] = {}
    for choice in answer["choices"] if answer else ():
        first.setdefault(choice["country"], choice)
    return {"choices": [first.get(iso, {"country": iso}) for iso in reach]}


def further(answer: Any, iso: str) -> list[dict[str, Any]]:
    """Return what was chosen in a country beside the first choice, which is all that the page asks for."""
    choices: list[dict[str, Any]] = answer["choices"] if answer else []
    return [choice for choice in choices if choice["country"] == iso][1:]


def with_further(given: dict[str, Any], answer: Any, reach: list[str]) -> dict[str, Any]:
    """Return the choices of the page, and behind them those that it does not ask for."""
    known = {_sender(choice) for choice in given["choices"]}
    kept = [each for iso in reach for each in further(answer, iso) if _sender(each) not in known]
    return {"choices": [*given["choices"], *kept]}


def without_idle_values(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the choices; a name typed beside a kind that has none is left out."""
    choices = answer.get("choices", [])
    for choice in choices:
        if choice.get("type") != "SENDER_ID":
            choice.pop("value", None)
    return {"choices": choices}


def _sender(choice: dict[str, Any]) -> tuple[Any, ...]:
    return choice.get("country"), choice.get("type"), choice.get("value")


def _country(at: int, advised: dict[str, Any], answer: Any) -> Group:
    senders = [each for each in advised["senders"] if each["type"] in _TYPES]
    if not senders:
        return Group(title=str(advised["name"]), fields=(), note=_NONE)
    others = [_TYPES[each["type"]] for each in further(answer, advised["country"])]
    fields = [
        Field(name=f"choices.{at}.country", label="", kind="hidden"),
        Field(
            name=f"choices.{at}.type",
            label=f"Sender for {advised['name']}",
            kind="radio",
            options=tuple(_option(each, advised["recommended"]) for each in senders),
        ),
    ]
    if any(each["type"] == "SENDER_ID" for each in senders):
        fields.append(
            Field(
                name=f"choices.{at}.value",
                label=f"Sender ID wanted in {advised['name']}",
                hint=f"Only for a sender ID. {_VALUE_HINT}",
                wrong=_VALUE_HINT,
                required=False,
                most=20,
            )
        )
    note = f"Chosen beside it, over the API: {', '.join(others)}." if others else ""
    return Group(title=str(advised["name"]), fields=tuple(fields), note=note)


def _option(sender: dict[str, Any], recommended: str | None) -> Option:
    label = _TYPES[sender["type"]]
    if sender["type"] == recommended:
        label += " (recommended)"
    elif not sender["suitable"]:
        label += " (does not fit your answers)"
    return Option(value=sender["type"], label=label, note=_note(sender))


def _note(sender: dict[str, Any]) -> str:
    cost, unit = sender["cost"], " credits" if sender["cost"]["unit"] == "credits" else " USD"
    parts = [
        f"{cost['one_time']}{unit} once, {cost['monthly']}{unit} a month"
        + (f", {cost['per_part']}{unit} per part" if cost["per_part"] else ""),
        _lead(sender["lead_time"]),
        "needs a registration" if sender["registration"] == "required" else "needs no registration",
        *sender["blockers"],
        *sender["reasons"][:2],
    ]
    return "; ".join(part for part in parts if part) + "."


def _lead(lead: Any) -> str:
    least, most = lead["days_at_least"], lead["days_at_most"]
    if most is None:
        return f"at least {least} days"
    return "within a day" if most <= 1 else f"{least} to {most} days"
