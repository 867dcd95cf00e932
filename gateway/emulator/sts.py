"""The little of STS that clients need: who am I, and acting for another account through a role."""

import datetime as dt

from gateway.emulator.accounts import ROLE, temporary_key, temporary_secret
from gateway.emulator.sns.query_wire import Fields, QueryError, element, result_xml

ACTIONS = frozenset({"AssumeRole", "GetCallerIdentity"})
DEFAULT_DURATION_S, LONGEST_DURATION_S = 3600, 43_200


def answer(action: str, fields: Fields, account: str, now_s: float) -> bytes:
    """Perform an action and return its XML."""
    if action == "GetCallerIdentity":
        return result_xml(action, _identity(account), "sts")
    return result_xml(action, _assumed(fields, now_s), "sts")


def _identity(account: str) -> str:
    return (
        element("Arn", f"arn:aws:iam::{account}:user/emulator")
        + element("UserId", "AIDAEMULATOR")
        + element("Account", account)
    )


def _assumed(fields: Fields, now_s: float) -> str:
    role, session = fields.required("RoleArn"), fields.required("RoleSessionName")
    found = ROLE.fullmatch(role)
    if found is None:
        raise QueryError("ValidationError", f"{role} is invalid")
    key = temporary_key(found["account"])
    expires = dt.datetime.fromtimestamp(now_s + _duration_s(fields), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    credentials = (
        element("AccessKeyId", key)
        + element("SecretAccessKey", temporary_secret(key))
        + element("SessionToken", f"session-{key}")
        + element("Expiration", expires)
    )
    name = role.partition(":role/")[2]
    arn = f"arn:aws:sts::{found['account']}:assumed-role/{name}/{session}"
    user = element("Arn", arn) + element("AssumedRoleId", f"AROAEMULATOR:{session}")
    return f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"


def _duration_s(fields: Fields) -> int:
    text = fields.optional("DurationSeconds", str(DEFAULT_DURATION_S))
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LONGEST_DURATION_S)):
        raise QueryError("ValidationError", "DurationSeconds must be a number of seconds up to 43200")
    return min(int(text), LONGEST_DURATION_S)
