"""
Sign-in with an OpenID provider: authorization code flow with PKCE, state and nonce.

Authlib brings the protocol (addresses, challenges, the rules for an ID token's claims), joserfc the
signatures, aiohttp the calls. What comes back is believed only as far as OpenID Connect Core 1.0, section
3.1.3.7 says, and the signature has to be asymmetric: one made with the client's secret is refused.
"""

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import msgspec
from authlib.oauth2.rfc6749 import parameters
from authlib.oauth2.rfc7636 import challenge
from authlib.oidc import core
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from gateway.errors import BodyTooLong
from gateway.whole_body import whole_body

_WITHIN: Final = aiohttp.ClientTimeout(total=15.0)
_MOST_BYTES: Final = 256 * 1024
_KNOWN_FOR_S: Final = 600.0
"""How long what the provider says of itself, and its keys, are kept."""
_LEEWAY_S: Final = 60
_SCOPE: Final = "openid email"
_ALGORITHMS: Final = frozenset(
    f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)
) | {"EdDSA"}
_GRANT_ADDRESS: Final[Any] = parameters.prepare_grant_uri  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_CHALLENGE: Final[Any] = challenge.create_s256_code_challenge  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_ID_TOKEN: Final[Any] = core.CodeIDToken
"""Authlib carries no types."""
_TRUE: Final = (True, "true")
"""Amazon Cognito's userinfo says it in a word."""


class IdentityRefused(Exception):
    """The provider's answer proves nobody."""


class IdentityUnreachable(Exception):
    """The provider does not answer as one."""


class IdentityTerms(Struct, frozen=True, kw_only=True):
    """How this gateway is known to the provider."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    """What people call the provider."""
    redirect_uri: str


class Provider(Struct, frozen=True, kw_only=True):
    """What the provider says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: list[str] = msgspec.field(default_factory=lambda: ["RS256"])
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(Struct, frozen=True):
    id_token: str
    access_token: str


class Way(Struct, frozen=True, kw_only=True):
    """What one way to the provider and back is bound to; kept by the browser, sealed."""

    state: str
    nonce: str
    verifier: str
    invitation: str = ""
    """The secret of an invitation's link; empty for a sign-in."""


class Identity(Struct, frozen=True, kw_only=True):
    """Whom the provider has proven."""

    issuer: str
    subject: str
    email: str
    """Empty where the provider tells none, or has not verified it."""


class IdentityProvider:
    """The provider of the settings; one per web process."""

    def __init__(self, terms: IdentityTerms, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.terms = terms
        self._monotonic = monotonic
        self._known: tuple[Provider, KeySet, float] | None = None

    async def address(self, way: Way) -> str:
        """
        Return where a browser proves itself.

        Raises:
            IdentityUnreachable: The provider does not say.
        """
        provider, _ = await self._provider()
        address: str = _GRANT_ADDRESS(
            provider.authorization_endpoint,
            client_id=self.terms.client_id,
            response_type="code",
            redirect_uri=self.terms.redirect_uri,
            scope=_SCOPE,
            state=way.state,
            nonce=way.nonce,
            code_challenge=_CHALLENGE(way.verifier),
            code_challenge_method="S256",
        )
        return address

    async def identity(self, code: str, way: Way, *, issuer: str | None) -> Identity:
        """
        Return whom a code stands for.

        Args:
            issuer: The answer's `iss`, where it has one (RFC 9207).

        Raises:
            IdentityRefused: It stands for nobody, or was not meant for this browser.
            IdentityUnreachable: The provider does not answer as one.
        """
        provider, keys = await self._provider()
        said = issuer is not None or provider.authorization_response_iss_parameter_supported
        if said and issuer != provider.issuer:
            raise IdentityRefused("the answer is another provider's")
        tokens = await self._exchange(provider, code, way)
        claims = await self._claims(provider, keys, tokens, way)
        if "email" not in claims and provider.userinfo_endpoint is not None:
            claims = await self._userinfo(provider.userinfo_endpoint, tokens, claims)
        email, verified = claims.get("email"), claims.get("email_verified") in _TRUE
        return Identity(
            issuer=provider.issuer,
            subject=str(claims["sub"]),
            email=email if verified and isinstance(email, str) else "",
        )

    async def _provider(self, *, anew: bool = False) -> tuple[Provider, KeySet]:
        if self._known is not None and not anew and self._monotonic() < self._known[2]:
            return self._known[:2]
        place = f"{self.terms.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            provider = msgspec.json.decode(await self._fetch("GET", place), type=Provider)
            keys = KeySet.import_key_set(msgspec.json.decode(await self._fetch("GET", provider.jwks_uri)))
        except (msgspec.DecodeError, JoseError, ValueError, TypeError, KeyError) as error:
            raise IdentityUnreachable(f"the provider does not describe itself: {error}") from error
        if provider.issuer != self.terms.issuer:
            raise IdentityUnreachable(f"the provider calls itself {provider.issuer}")
        self._known = (provider, keys, self._monotonic() + _KNOWN_FOR_S)
        return provider, keys

    async def _exchange(self, provider: Provider, code: str, way: Way) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.terms.redirect_uri,
            "code_verifier": way.verifier,
        }
        headers: dict[str, str] = {}
        if "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(self.terms.client_id, self.terms.client_secret)
        else:
            form |= {"client_id": self.terms.client_id, "client_secret": self.terms.client_secret}
        body = await self._fetch("POST", provider.token_endpoint, data=form, headers=headers)
        try:
            return msgspec.json.decode(body, type=_Tokens)
        except msgspec.DecodeError as error:
            raise IdentityRefused(f"the provider gave no ID token: {error}") from error

    async def _claims(self, provider: Provider, keys: KeySet, tokens: _Tokens, way: Way) -> dict[str, Any]:
        allowed = [each for each in provider.id_token_signing_alg_values_supported if each in _ALGORITHMS]
        try:
            try:
                token = jwt.decode(tokens.id_token, keys, algorithms=allowed)
            except InvalidKeyIdError:
                _, keys = await self._provider(anew=True)
                token = jwt.decode(tokens.id_token, keys, algorithms=allowed)
            claims = _ID_TOKEN(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": provider.issuer},
                    "aud": {"essential": True, "value": self.terms.client_id},
                    "nonce": {"essential": True, "value": way.nonce},
                    "sub": {"essential": True},
                },
                {"nonce": way.nonce, "client_id": self.terms.client_id, "access_token": tokens.access_token},
            )
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise IdentityRefused(f"the ID token is not good: {error}") from error
        return dict(claims)

    async def _userinfo(self, place: str, tokens: _Tokens, claims: dict[str, Any]) -> dict[str, Any]:
        """Add what the provider tells elsewhere, if it is of the same person (section 5.3.2)."""
        body = await self._fetch("GET", place, headers={"Authorization": f"Bearer {tokens.access_token}"})
        try:
            told = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise IdentityUnreachable(f"userinfo is no JSON: {error}") from error
        if told.get("sub") != claims["sub"]:
            raise IdentityRefused("userinfo is of another person")
        return told | claims

    async def _fetch(self, method: str, place: str, **more: Any) -> bytes:
        try:
            async with (
                aiohttp.ClientSession(timeout=_WITHIN) as http,
                http.request(method, place, allow_redirects=False, **more) as answer,
            ):
                body = await whole_body(answer.content, _MOST_BYTES)
                if method == "POST" and answer.status in {400, 401}:
                    raise IdentityRefused(f"the provider refused the code: {body[:200]!r}")
                if answer.status != 200:  # noqa: PLR2004 - anything else is no answer
                    raise IdentityUnreachable(f"{place} answered {answer.status}")
                return body
        except (TimeoutError, aiohttp.ClientError, BodyTooLong, ValueError) as error:
            raise IdentityUnreachable(f"{place}: {error}") from error


def _basic(client_id: str, client_secret: str) -> str:
    """Each half is form-encoded first (RFC 6749, section 2.3.1)."""
    login = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(login.encode()).decode()}"
