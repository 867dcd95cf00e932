"""As a new user would: from the invitation to the first live message, in one sitting, without scripts."""

import io

import pytest
from PIL import Image
from pyotp.totp import TOTP

from tests.harness.stack import OPERATOR_KEY
from tests.harness.waiting import eventually
from tests.integration.carrier.registration_values import TOLL_FREE

pytestmark = [pytest.mark.browser, pytest.mark.scenario]

PASSWORD = "four green elephants dance"
PROFILE = {
    "legal_name": "Acme Incorporated",
    "brand": "Acme",
    "website": "https://acme.example",
    "tax_id": "12-3456789",
    "legal_form": "private_profit",
    "vertical": "Retail",
    "address.line1": "1 Main Street",
    "address.city": "Springfield",
    "address.region": "IL",
    "address.postal_code": "62701",
    "address.country": "US",
    "contact.first_name": "Ann",
    "contact.last_name": "Archer",
    "contact.email": "ann@acme.example",
    "contact.phone": "+12175550100",
    "support.email": "help@acme.example",
    "support.phone": "+12175550101",
}
PROGRAMME = {
    "programmes.0.use_case": "delivery_notification",
    "programmes.0.type": "transactional",
    "programmes.0.description": "Acme tells customers who ordered in its shop when their parcel arrives.",
    "programmes.0.samples.0": "Acme: your parcel 12345 arrives tomorrow. Reply STOP to opt out.",
}
VOLUMES = b"country,messages_per_month\nUS,5000\nZZ,1\n"
WORDING = "I agree to get texts about my orders from Acme. Message and data rates may apply."


def picture() -> bytes:
    """A picture of an opt-in form."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(buffer, "PNG")
    return buffer.getvalue()


async def come_in(window, link) -> None:
    """Invitation, password, second factor."""
    await window.open(link)
    await window.shoot("invitation")
    await window.fill(Password=PASSWORD, The_same_password_again=PASSWORD)
    await window.press("Go on")
    await window.shoot("second-factor")
    secret = (await window.page.locator("#secret").inner_text()).replace(" ", "")
    await window.fill(Six_digits=TOTP(secret).now())
    await window.press("Go on")
    await window.shoot("recovery-codes")
    await window.follow("I have kept them")
    await window.shoot("checklist-empty")


async def answer_everything(window) -> None:
    """Every question; the first with a mistake in it."""
    await window.follow("Your company")
    await window.fill_names(PROFILE | {"website": "acme"})
    await window.press("Save and go on")
    assert "Write the whole address, such as https://" in await window.text()
    assert await window.page.get_by_label("Brand").input_value() == "Acme"
    await window.shoot("profile-with-a-mistake")
    await window.fill_names({"website": PROFILE["website"]})
    await window.press("Save and go on")
    await window.fill_names({"brand_seen": "tenant", "opt_in_through": "tenant"})
    await window.shoot("relationship")
    await window.press("Save and go on")
    await window.fill_names(PROGRAMME)
    await window.shoot("use-cases")
    await window.press("Save and go on")
    await window.fill_names({"countries": "US", "messages_per_month": "20000", "parts_per_second": "1"})
    await window.shoot("reach")
    await window.press("Save and go on")
    await window.fill_names({"choices.0.type": "TOLL_FREE"})
    await window.shoot("senders")
    await window.press("Save and go on")
    await window.fill_names({"hosted": "on"})
    await window.shoot("legal")
    await window.press("Save and go on")
    await window.fill_names({"mode": "web_form", "wording": WORDING, "url": "https://acme.example/sms"})
    await window.shoot("opt-in")
    await window.press("Save and go on")
    await window.shoot("checklist-answered")


async def approve(window, name) -> None:
    """The operator's part."""
    await window.open("/console/operator/sign-in")
    await window.fill(Operator_key=OPERATOR_KEY)
    await window.press("Sign in")
    await window.shoot("operator")
    await window.open("/console/operator/inbox")
    await window.shoot("operator-inbox")
    await window.open("/console/operator")
    await window.follow(name)
    await window.shoot("operator-tenant")
    await window.press("Approve")
    assert "being reviewed" in await window.text() or "registration" in await window.text()


async def register(window) -> None:
    """The form that AWS describes, filled in and handed in; the emulator's reviewers are quick."""
    await window.open("/console/registrations")
    await window.shoot("registrations")
    await window.press("Begin US toll free")
    await window.shoot("registration-form")
    for path, value in TOLL_FREE.items():
        await window.fill_names({path: value})
    await window.press("Save")
    file = {"name": "form.png", "mimeType": "image/png", "buffer": picture()}
    await window.page.locator("input[type=file]").first.set_input_files(file)
    await window.press("Attach")
    assert "A file is attached." in await window.text()
    await window.press("Accept the cost")
    await window.shoot("registration-filled")
    await window.press("Hand it in")

    async def approved() -> bool:
        await window.page.reload()
        return "Approved." in await window.text()

    await eventually(approved, within_s=60)
    await window.shoot("registration-approved")


async def go_live(window) -> None:
    """Senders, a test message, and the last button."""
    await window.open("/console/onboarding")
    await window.shoot("checklist-registered")
    if await window.page.get_by_role("button", name="Get the senders").count():
        await window.press("Get the senders")
    await window.follow("Test message")
    await window.shoot("test-message")
    await window.press("Send the test message")

    async def delivered() -> bool:
        await window.page.reload()
        return "Delivered." in await window.text()

    await eventually(delivered)
    await window.shoot("test-message-delivered")
    await window.open("/console/onboarding")
    await window.press("Go live")
    assert "You are live" in await window.text()
    await window.shoot("live")


async def look_after(window, tenant) -> None:
    """What the operator sees of the run at AWS, and a migration that is planned and applied."""
    await window.open(f"/console/operator/tenants/{tenant}/provisioning")
    assert "Done: " in await window.text()
    await window.shoot("operator-provisioning")
    await window.open(f"/console/operator/tenants/{tenant}/migration")
    await window.fill_names({"provider": "Other Telecom"})
    volumes = {"name": "volumes.csv", "mimeType": "text/csv", "buffer": VOLUMES}
    await window.page.locator('[name="volumes-file"]').set_input_files([volumes])
    await window.press("Look first")
    assert "Nothing was written" in await window.text()
    await window.shoot("operator-migration-planned")
    await window.press("Apply this")
    assert "Applied." in await window.text()


async def test_an_invitation_leads_to_live_in_one_sitting(stack, windows) -> None:
    """Every page on the way works without scripts, and axe-core finds no serious fault on any."""
    customer = await stack.customer(provision=False)
    path = f"/v1/admin/tenants/{customer.id}"
    invitation = await stack.operate("post", f"{path}/invitations", {"email": "ann@acme.example"})
    window, desk = await windows(), await windows()
    await come_in(window, invitation["link"])
    await answer_everything(window)
    await window.press("Ask for approval")
    desk.shots = window.shots
    await approve(desk, "A customer")
    window.shots = desk.shots
    await register(window)
    await go_live(window)
    again = {"senders": [{"country": "US", "type": "TOLL_FREE"}], "dedicated_pool": False}
    await stack.operate("post", f"{path}/provision", again)
    desk.shots = window.shots
    await look_after(desk, customer.id)
    assert window.faults + desk.faults == []
    assert (await stack.operate("get", path))["live"] is True
