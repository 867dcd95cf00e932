"""What answers must keep that is known only here: which senders a country has."""

from gateway.advice.facts import unavailable
from gateway.api.refusals import Refusal
from tenants.countries.facts import by_iso
from tenants.onboarding.answers import Reach, Senders


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
    Accept kinds of sender that their countries have.

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
        if choice.type == "SENDER_ID" and choice.value is None:
            raise Refusal.of_field(f"{field}/value", "required", "Name the sender id that recipients see.")
