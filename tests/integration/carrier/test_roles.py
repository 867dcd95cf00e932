"""Sending in another account through a role: STS asked, external id passed, keys renewed, refusals told."""

import asyncio
import contextlib
import datetime as dt
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from gateway.carrier.credentials import Keys, KeysMissing, RouteKeys
from gateway.carrier.opening import open_aws_carrier
from gateway.carrier.ports import NotSent, Sent
from gateway.carrier.session import Role, open_session, session_of
from tenants.senders.models import AwsAccount
from tests.contract_suite.lines import a_text
from tests.harness.waiting import until

_NOT_IN_TIME = "no credentials in time"
"""What a text is told that does not wait for STS any longer; the next one hears the answer."""
ROLE_ARN = "arn:aws:iam::444455556666:role/tollgate-sender"


def role_at(url: str, external_id: str | None = "tenant-7") -> Role:
    """Return a role whose STS is at a URL."""
    return Role(arn=ROLE_ARN, external_id=external_id, region="us-east-1", endpoint_url=url)


def account_at(url: str, external_id: str) -> AwsAccount:
    """Return an account that is reached by that role."""
    return AwsAccount(region="us-east-1", endpoint_url=url, role_arn=ROLE_ARN, external_id=external_id)


class Sts:
    """An STS that keeps what it was asked and grants keys for as long as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lives_s = 3600
        self.refuses = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.revoked: set[str] = set()
        """Session tokens with which AWS takes no text."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.asked.append((await reader.readexactly(length)).decode())
        await self.answers.wait()
        if "x-amz-target: " in head:
            status, body = self._taken(head)
        else:
            status, body = (403, REFUSAL) if self.refuses else (200, self._grant())
        writer.write(
            f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        writer.close()

    def _taken(self, head: str) -> tuple[int, str]:
        """Take a text as AWS End User Messaging does; IAM refuses it to a session that was revoked."""
        if any(f"x-amz-security-token: {each}\r\n" in head for each in self.revoked):
            return 400, '{"__type": "AccessDeniedException", "Message": "explicit deny"}'
        return 200, '{"MessageId": "taken"}'

    def _grant(self) -> str:
        until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.lives_s)
        return GRANT.format(number=len(self.asked), until=until.strftime("%Y-%m-%dT%H:%M:%SZ"))


GRANT = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
    "<AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    "<SessionToken>t{number}</SessionToken><Expiration>{until}</Expiration></Credentials>"
    "<AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/tollgate-sender/tollgate</Arn>"
    "<AssumedRoleId>AROA:tollgate</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
)
REFUSAL = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    "<Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"
)


@contextlib.asynccontextmanager
async def sts_running() -> Any:
    """Run an STS for the length of a block; yields it and its URL."""
    sts = Sts()
    server = await asyncio.start_server(sts.take, "127.0.0.1", 0)
    async with server:
        yield sts, "http://{}:{}".format(*server.sockets[0].getsockname())


async def test_the_external_id_is_passed_and_the_keys_are_the_roles() -> None:
    """A role whose trust policy asks for one refuses everybody else: the confused deputy."""
    async with sts_running() as (sts, url):
        keys = await RouteKeys(open_session(role_at(url)), route="r").current()
    [asked] = sts.asked
    assert "Action=AssumeRole" in asked
    assert "ExternalId=tenant-7" in asked
    assert "RoleSessionName=tollgate" in asked
    assert (keys.access_key, keys.token) == ("ASIA1", "t1")


async def test_keys_are_renewed_before_they_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys with less than botocore's ten minutes to live are replaced at the next look."""
    monkeypatch.setattr("gateway.carrier.credentials._LOOK_EVERY_S", 0.0)
    async with sts_running() as (sts, url):
        route = RouteKeys(open_session(role_at(url)), route="r")
        sts.lives_s = 300
        first = await route.current()
        sts.lives_s = 3600
        second, third = await route.current(), await route.current()
    assert [each.token for each in (first, second, third)] == ["t1", "t2", "t2"]


async def test_good_keys_are_used_while_new_ones_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An STS that is slow to renew keys of fourteen minutes must not stop the route."""
    monkeypatch.setattr("gateway.carrier.credentials._LOOK_EVERY_S", 0.0)
    async with sts_running() as (sts, url):
        route = RouteKeys(open_session(role_at(url)), route="r")
        sts.lives_s = 14 * 60
        assert (await route.current()).token == "t1"
        sts.answers.clear()
        await until(lambda: _asked_again(route, sts))
        tokens = {(await route.current()).token for _ in range(100)}
        sts.lives_s = 3600
        sts.answers.set()
        renewed = await until(lambda: _renewed(route))
    assert (tokens, renewed) == ({"t1"}, "t2")


async def _asked_again(route: RouteKeys, sts: Sts) -> bool:
    await route.current()
    return len(sts.asked) > 1


async def _renewed(route: RouteKeys) -> str | None:
    token = (await route.current()).token
    return token if token != "t1" else None


@pytest.mark.parametrize(("lives_s", "good"), [(9 * 60, True), (200, False)])
async def test_a_refusal_ends_keys_only_when_they_are_about_to_end(
    monkeypatch: pytest.MonkeyPatch, lives_s: int, good: bool
) -> None:
    """With nine minutes left botocore insists on new ones; the old ones are as good as before."""
    monkeypatch.setattr("gateway.carrier.credentials._LOOK_EVERY_S", 0.0)
    async with sts_running() as (sts, url):
        route = RouteKeys(open_session(role_at(url)), route="r")
        sts.lives_s = lives_s
        await route.current()
        sts.refuses = True
        outcomes = set()

        async def refused_twice() -> bool:
            outcomes.add(await _good(route))
            return len(sts.asked) > 2

        await until(refused_twice)
    assert outcomes == {good}


async def _good(route: RouteKeys) -> bool:
    try:
        await route.current()
    except KeysMissing:
        return False
    return True


async def test_many_calls_ask_for_keys_once() -> None:
    """A hundred calls in flight must not become a hundred requests to STS."""
    async with sts_running() as (sts, url):
        route = RouteKeys(open_session(role_at(url)), route="r")
        await asyncio.gather(*(route.current() for _ in range(100)))
    assert len(sts.asked) == 1


async def test_all_that_acts_in_an_account_shares_the_keys_of_its_role() -> None:
    """A client for each file, list and confirmation is one request to STS; other terms are another role."""
    async with sts_running() as (sts, url):
        for external_id in ("tenant-7", "tenant-7", "tenant-8"):
            session = session_of(open_session(), account_at(url, external_id))
            credentials = await session.get_credentials()
            await credentials.get_frozen_credentials()
    assert ["ExternalId=tenant-8" in asked for asked in sts.asked] == [False, True]


async def test_an_account_without_a_role_is_the_processs_own() -> None:
    """No request to STS, and no other session."""
    own = open_session()
    assert session_of(own, AwsAccount(region="us-east-1")) is own


@pytest.mark.parametrize("way", ["lean", "aioboto3"])
async def test_a_role_that_may_not_be_assumed_sends_nothing_and_says_so(way: Any) -> None:
    """The message waits, the route is at fault; what STS said is the operator's to read, not the tenant's."""
    async with sts_running() as (sts, url):
        sts.refuses = True
        session = open_session(role_at(url))
        async with open_aws_carrier(
            session, region="us-east-1", endpoint_url=url, in_flight=2, way=way
        ) as carrier:

            async def reason() -> str:
                outcome = await carrier.send(a_text())
                assert isinstance(outcome, NotSent)
                assert outcome.fault == "account"
                assert outcome.reason == "no_credentials"
                return "" if _NOT_IN_TIME in outcome.detail else outcome.detail

            said = await until(reason)
    assert "AssumeRole was refused: AccessDenied: not authorized" in said
    assert all("Action=AssumeRole" in asked for asked in sts.asked)


@pytest.mark.parametrize("way", ["lean", "aioboto3"])
async def test_a_session_that_was_revoked_is_replaced(monkeypatch: pytest.MonkeyPatch, way: Any) -> None:
    """Its keys would be good for most of an hour by their own date, and every text would wait as long."""
    monkeypatch.setattr("gateway.carrier.credentials._LOOK_EVERY_S", 0.0)
    async with sts_running() as (sts, url):
        sts.revoked.add("t1")
        async with open_aws_carrier(
            open_session(role_at(url)), region="us-east-1", endpoint_url=url, in_flight=2, way=way
        ) as carrier:

            async def went() -> bool:
                outcome = await carrier.send(a_text())
                assert isinstance(outcome, Sent) or outcome.fault == "account"
                return isinstance(outcome, Sent)

            await until(went)
            assert await went()
    assert sum("Action=AssumeRole" in asked for asked in sts.asked) == 2


async def test_keys_that_aws_refuses_are_kept_where_there_are_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was refused may be one action that the role does not have; STS is not asked at each refusal."""
    monkeypatch.setattr("gateway.carrier.credentials._LOOK_EVERY_S", 0.0)
    async with sts_running() as (sts, url):
        route = RouteKeys(open_session(role_at(url)), route="r")
        first = await route.current()
        sts.refuses = True
        for _ in range(20):
            route.judged(NotSent(reason="AccessDeniedException", retry_after_ms=0, fault="account"))
            assert (await route.current()).token == first.token
            await asyncio.sleep(0)
        await until(lambda: _asked_again(route, sts))
    assert len(sts.asked) == 2


async def test_an_sts_that_never_answers_keeps_no_call_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark's lease runs meanwhile."""
    monkeypatch.setattr("gateway.carrier.credentials._PATIENCE_S", 0.1)

    class Silent:
        async def get_credentials(self) -> Any:
            await asyncio.sleep(600)

    route = RouteKeys(Silent(), route="r")
    async with asyncio.timeout(60):
        with pytest.raises(KeysMissing, match="in time"):
            await route.current()


async def test_motos_sts_grants_a_role() -> None:
    """An STS that is not ours reads our request in the same way."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    route = RouteKeys(open_session(role_at(f"http://{host}:{port}")), route="r")

    async def granted() -> Keys | None:
        with contextlib.suppress(KeysMissing):  # its first answer takes as long as it takes to load boto
            return await route.current()
        return None

    try:
        keys = await until(granted)
    finally:
        server.stop()
    assert keys is not None
    assert keys.access_key.startswith("ASIA")
    assert keys.token
