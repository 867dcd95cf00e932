"""`tollgate senders advise` and `plan-sheet`: which sender to ask for."""

from collections.abc import Callable
from typing import Any, Final

import click

from gateway.cli.calling import field, over_the_api, show_rows
from gateway.client import Client, path_of

_ADVICE: Final = (
    field("country"),
    field("type"),
    field("suitable"),
    field("senders_needed", title="number"),
    field("parts_per_second", title="MPS each"),
    field("registration"),
    field("days"),
    field("cost", "first_year", title="first year"),
    field("cost", "unit", title="in"),
    field("why"),
)


def _wish(work: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that make up what is to be sent."""
    options = (
        click.option(
            "--country", "countries", multiple=True, required=True, help="Such as GB; may be given again."
        ),
        click.option("--type", "type_", type=click.Choice(["otp", "transactional", "promotional"])),
        click.option("--use-case", help="As it would be registered, such as delivery_notification."),
        click.option("--mps", type=float, help="Message parts a second to each country."),
        click.option("--volume", type=int, help="Messages a month to each country."),
        click.option("--two-way", is_flag=True, help="Recipients should be able to answer."),
        click.option("--mms", is_flag=True),
        click.option("--voice", is_flag=True),
        click.option("--regulated", is_flag=True, help="Finance, health and the like."),
    )
    for option in reversed(options):
        work = option(work)
    return work


@click.command("advise")
@_wish
@over_the_api
def advise(client: Client, **given: Any) -> None:
    """Rank the kinds of sender per country, with cost, lead time and reasons; orders nothing."""
    countries = client.post(path_of("senders", "advice"), _body(given))["data"]
    rows = [_row(country, sender) for country in countries for sender in country["senders"]]
    show_rows(rows, _ADVICE, empty="No kind of sender reaches these countries.")


@click.command("plan-sheet")
@_wish
@over_the_api
def plan_sheet(client: Client, **given: Any) -> None:
    """Print the roll-out as CSV, a row per country in the order in which they can go live."""
    click.echo(client.post(path_of("senders", "plan-sheet"), _body(given)), nl=False)


def _body(given: dict[str, Any]) -> dict[str, Any]:
    body = {
        "countries": [each.upper() for each in given["countries"]],
        "type": given["type_"],
        "use_case": given["use_case"],
        "parts_per_second": given["mps"],
        "messages_per_month": given["volume"],
    }
    asked = {name: True for name in ("two_way", "mms", "voice", "regulated") if given[name]}
    return {name: value for name, value in body.items() if value is not None} | asked


def _row(country: dict[str, Any], sender: dict[str, Any]) -> dict[str, Any]:
    lead = sender["lead_time"]
    until = lead["days_at_most"]
    return sender | {
        "country": country["country"],
        "days": f"{lead['days_at_least']}+" if until is None else f"{lead['days_at_least']}-{until}",
        "why": "; ".join(sender["blockers"] or sender["reasons"]),
    }
