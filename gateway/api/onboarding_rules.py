"""What answers must keep that is known only here: which senders a country has, and which sender ids."""

from gateway.advice.facts import unavailable
from gateway.api.refusals import Refusal
from tenants.countries.facts import by_iso
from tenants.onboarding.answers import Reach, SenderChoice, Senders
from tenants.registrations.sender_ids import refusal_of


def check_reach(answer: Reach) -> None:
    """
    Accept countries that AWS sends to.

    Raises:
        Refusal: 422, naming the country.
    """
    for at, iso in enumerate(answer.countries):
        if iso not in by_iso():
            raise Refusal.of_field(
                f"/reach/countries/{at}", "unknown_country", f"AWS sends nothing to {iso}; leave it out."
            )


def check_senders(answer: Senders) -> None:
    """
    Accept kinds of sender that their countries have, each sender id by a name that carriers take.

    Raises:
        Refusal: 422, naming the choice and why.
    """
    for at, choice in enumerate(answer.choices):
        field, country = f"/senders/choices/{at}", by_iso().get(choice.country)
        if country is None:
            raise Refusal.of_field(
                f"{field}/country", "unknown_country", f"AWS sends nothing to {choice.country}."
            )
        why = unavailable(choice.type, country)
        if why is not None:
            raise Refusal.of_field(f"{field}/type", "not_available", f"{why}; ask /v1/senders/advice.")
        if choice.type == "SENDER_ID":
            _check_sender_id(choice, f"{field}/value")


def _check_sender_id(choice: SenderChoice, field: str) -> None:
    if choice.value is None:
        detail = "Name the sender id that recipients see: 3 to 11 letters, digits and hyphens."
        raise Refusal.of_field(field, "required", detail)
    wrong = refusal_of(choice.value, choice.country)
    if wrong is not None:
        raise Refusal.of_field(field, wrong.code, f"{wrong.detail}; {wrong.fix}.")
