"""
An OpenID provider on loopback that keeps the rules, checks its client's, and lies where a test says so.

It takes a code once, for the redirect address and the PKCE challenge it was asked with, from the client that
it knows. `lies` change what it says: claims by name (None leaves one out), or `key`, `alg`, `kid`, `issuer`.
"""

import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "tollgate", "a secret of the client"


class OpenIdProvider:
    """One provider with one client; whoever comes is `account`."""

    def __init__(self) -> None:
        self.url = ""
        self.account: dict[str, Any] = {"sub": "1001", "email": "ann@acme.example", "email_verified": True}
        self.lies: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        self.refused: list[str] = []
        self._key = RSAKey.generate_key(2048, {"kid": "one"})
        self._codes: dict[str, dict[str, str]] = {}

    def agree(self, asked: dict[str, str]) -> str:
        """Return where the browser goes once its person has agreed."""
        self.asked.append(asked)
        code = f"code-{len(self.asked)}"
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.lies.get("issuer", self.url)}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    async def describe(self, _: web.Request) -> web.Response:
        """Discovery."""
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def keys(self, _: web.Request) -> web.Response:
        """The public key."""
        return web.json_response({"keys": [self._key.as_dict(private=False)]})

    async def authorize(self, request: web.Request) -> web.Response:
        """The person agrees at once."""
        raise web.HTTPFound(self.agree(dict(request.query)))

    async def token(self, request: web.Request) -> web.Response:
        """Exchange a code."""
        form = await request.post()
        asked = self._codes.pop(str(form.get("code")), None)
        if (fault := _fault(request, form, asked)) is not None or asked is None:
            self.refused.append(fault or "code")
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        honest = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.account,
        }
        return web.json_response(
            {"access_token": "access", "token_type": "Bearer", "id_token": self._signed(honest | self.lies)}
        )

    def _signed(self, claims: dict[str, Any]) -> str:
        told = {name: value for name, value in claims.items() if value is not None}
        for name in ("key", "alg", "kid", "issuer"):
            told.pop(name, None)
        match self.lies.get("alg", "RS256"):
            case "none":
                head, body = (_part(json.dumps(each).encode()) for each in ({"alg": "none"}, told))
                return f"{head}.{body}."
            case "HS256":
                return jwt.encode(
                    {"alg": "HS256"}, told, OctKey.import_key(CLIENT_SECRET), algorithms=["HS256"]
                )
        key = RSAKey.generate_key(2048) if self.lies.get("key") == "another" else self._key
        return jwt.encode({"alg": "RS256", "kid": self.lies.get("kid", "one")}, told, key)

    async def userinfo(self, _: web.Request) -> web.Response:
        """What the provider tells beside the token."""
        return web.json_response(self.account | {"sub": self.lies.get("userinfo_sub", self.account["sub"])})


def _fault(request: web.Request, form: Any, asked: dict[str, str] | None) -> str | None:
    kind, _, login = request.headers.get("Authorization", "").partition(" ")
    if kind != "Basic" or b64decode(login).decode() != f"{CLIENT_ID}:{quote_plus(CLIENT_SECRET)}":
        return "client"
    if asked is None or form.get("grant_type") != "authorization_code":
        return "code"
    if form.get("redirect_uri") != asked["redirect_uri"]:
        return "redirect_uri"
    if asked.get("code_challenge_method") != "S256":
        return "challenge"
    made = _part(sha256(str(form.get("code_verifier")).encode()).digest())
    return None if made == asked.get("code_challenge") else "verifier"


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


@asynccontextmanager
async def running_provider() -> AsyncIterator[OpenIdProvider]:
    """Serve one on a port of its own."""
    provider = OpenIdProvider()
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", provider.describe),
            web.get("/keys", provider.keys),
            web.get("/authorize", provider.authorize),
            web.post("/token", provider.token),
            web.get("/userinfo", provider.userinfo),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    provider.url = f"http://{host}:{port}"
    yield provider
    await runner.cleanup()
