"""A person with a browser and an authenticator app."""

import re
from datetime import UTC, datetime, timedelta

import httpx
from pyotp.totp import TOTP

PASSWORD = "four green elephants dance"
_TOKEN = re.compile(r'name="token" value="([^"]*)"')
_SECRET = re.compile(r'id="secret">([A-Z2-7 ]+)<')


class Person:
    """Follows links and sends forms, as a browser without scripts does."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser = browser
        self.totp: TOTP | None = None
        self.codes: list[str] = []
        self.enrolled_with = ""
        self.page: httpx.Response | None = None

    async def open(self, path: str) -> httpx.Response:
        """Go to a page."""
        self.page = await self.browser.get(path, follow_redirects=True)
        return self.page

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send the form of the page that is open; returns the first answer, before its redirect."""
        return await self.send_fields(path, fields)

    async def send_fields(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send fields whose names are no Python names."""
        return await self.browser.post(path, data={"token": self.token(), **fields})

    def token(self) -> str:
        """The form token of the page that is open."""
        found = _TOKEN.search(self.page.text)
        assert found is not None, self.page.text
        return found.group(1)

    def code(self, *, later: int = 0) -> str:
        """What the app shows, now or some steps of 30 s later."""
        return self.totp.at(datetime.now(UTC) + timedelta(seconds=30 * later))

    async def accept(self, link: str) -> None:
        """Come in by an invitation."""
        path = httpx.URL(link).path
        await self.open(path)
        answer = await self.send(path, password=PASSWORD, again=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/enrol"), answer.text
        await self.open("/console/enrol")
        self.totp = TOTP(_SECRET.search(self.page.text).group(1).replace(" ", ""))
        self.enrolled_with = self.code()
        answer = await self.send("/console/enrol", code=self.enrolled_with)
        assert answer.status_code == 200, answer.text
        self.codes = re.findall(r"<li>([A-Z0-9]{5}-[A-Z0-9]{5})</li>", answer.text)

    async def sign_in(self, email: str, *, password: str = PASSWORD) -> httpx.Response:
        """Give address and password."""
        await self.open("/console/sign-in")
        return await self.send("/console/sign-in", email=email, password=password)


async def invited(operator: httpx.AsyncClient, tenant_id: str, email: str) -> str:
    """Return a fresh invitation's link."""
    made = await operator.post(f"/v1/admin/tenants/{tenant_id}/invitations", json={"email": email})
    assert made.status_code == 201, made.text
    return made.json()["link"]
