"""CarrierLookup: what is known about a number."""

import re
from typing import Any

from gateway.emulator.call import Call
from gateway.emulator.carrier.countries import countries, country_of
from gateway.emulator.carrier.dice import Dice
from gateway.emulator.errors import quota

MOBILE_SHARE, LANDLINE_SHARE = 0.9, 0.07
"""The rest is OTHER (voice over IP and the like)."""

QUOTA_REASON = "DAILY_DESTINATION_CALL_LIMIT"
"""The action has a quota error but no reason of its own in the model; this is the nearest one."""

PUNCTUATION = re.compile(r"[^0-9]")


def carrier_lookup(call: Call) -> dict[str, Any]:
    """Look a number up; an invalid one is a normal answer."""
    most = call.world.options.effective_quotas().carrier_lookups_per_day
    day = call.store.scope, int(call.now_s // 86_400)
    call.world.lookups[day] += 1
    if call.world.lookups[day] > most:
        raise quota(QUOTA_REASON)
    number = "+" + PUNCTUATION.sub("", call.input["PhoneNumber"])[:19]
    country = country_of(number)
    if country is None:
        return {"E164PhoneNumber": number, "PhoneNumberType": "INVALID"}
    return {"E164PhoneNumber": number, **_known(call, number, country)}


def _known(call: Call, number: str, country: str) -> dict[str, Any]:
    dice = Dice(call.world.options.seed, "lookup", number)
    kind = _kind(dice.share())
    known = countries()[country]
    operators = call.world.profiles.of(country).operators
    operator = operators[dice.below(len(operators))]
    network = {"MCC": operator.mcc, "MNC": operator.mnc, "Carrier": operator.name} if operator.mcc else {}
    return {
        "DialingCountryCode": "1" if number.startswith("+1") else known.dialing_codes[0][:3],
        "IsoCountryCode": country,
        "Country": known.name,
        "PhoneNumberType": kind,
        **(network if kind == "MOBILE" else {}),
    }


def _kind(share: float) -> str:
    if share < MOBILE_SHARE:
        return "MOBILE"
    return "LANDLINE" if share < MOBILE_SHARE + LANDLINE_SHARE else "OTHER"


OPERATIONS = {"CarrierLookup": carrier_lookup}
