"""The opt-in form with a CAPTCHA, as a person's browser has it: the provider's script, frame and token."""

import json
from urllib.parse import parse_qs

import pytest

from tests.contract.test_hosted_pages import PERSON, SETTINGS
from tests.harness.stack import running_stack

pytestmark = [pytest.mark.browser, pytest.mark.scenario]

PROVIDER = "https://challenges.cloudflare.com"
ELSEWHERE = "https://elsewhere.example"
SECRET, SITE_KEY, TOKEN = "the secret of the provider", "public-key", "a token of a person"
SCRIPT = """
for (const place of document.querySelectorAll(".cf-turnstile")) {
  const frame = document.createElement("iframe");
  frame.src = "PROVIDER/puzzle?sitekey=" + place.dataset.sitekey;
  frame.title = "puzzle";
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "cf-turnstile-response";
  place.append(frame, field);
  window.addEventListener("message", (event) => {
    if (event.origin === "PROVIDER") { field.value = event.data; place.dataset.solved = "yes"; }
  });
}
const foreign = document.createElement("script");
foreign.src = "ELSEWHERE/tracker.js";
foreign.onload = foreign.onerror = (event) => { document.body.dataset.foreign = event.type; };
document.body.append(foreign);
""".replace("PROVIDER", PROVIDER).replace("ELSEWHERE", ELSEWHERE)
PUZZLE = """
<!doctype html><title>puzzle</title><button>I am a person</button>
<script>document.querySelector("button").onclick = () => parent.postMessage(TOKEN, "*");</script>
""".replace("TOKEN", json.dumps(TOKEN))


@pytest.fixture
async def guarded(database_url, redis_url, emulator, sink):
    """A web process whose forms are guarded; the provider's verdicts come from a server of the test's."""
    sink.reply = json.dumps({"success": True}).encode()
    async with running_stack(
        database_url,
        redis_url,
        emulator,
        roles=(),
        captcha="turnstile",
        captcha_site_key=SITE_KEY,
        captcha_secret=SECRET,
        captcha_verify_url=f"{sink.url}/siteverify",
    ) as stack:
        yield stack


class Visitor:
    """A browser whose way to the provider ends in this test; every other host is noted, and away."""

    def __init__(self, page, address) -> None:
        self.page, self.address = page, address
        self.strangers, self.asked = [], []

    async def answer(self, route, request):
        """Be the provider; let the gateway's own pages through."""
        url = request.url
        if not url.startswith("https://"):
            await route.continue_()
        elif url == f"{PROVIDER}/turnstile/v0/api.js":
            await route.fulfill(body=SCRIPT, content_type="text/javascript")
        elif url.startswith(f"{PROVIDER}/puzzle"):
            self.asked.append(url)
            await route.fulfill(body=PUZZLE, content_type="text/html")
        else:
            self.strangers.append(url)
            await route.abort()

    async def fill_in(self):
        """Open the form and fill it in, up to the puzzle."""
        await self.page.goto(self.address)
        await self.page.locator("#number").fill(PERSON)
        await self.page.locator("#use-1").check()
        await self.page.wait_for_selector("body[data-foreign]", state="attached")

    async def press(self):
        """Send the form; the status of the answer."""
        async with self.page.expect_response(lambda answer: answer.request.method == "POST") as sent:
            await self.page.locator("button[type=submit]").click()
        answer = await sent.value
        await self.page.wait_for_load_state()
        return answer.status


@pytest.fixture
async def visitor(browser, guarded):
    """Somebody at the opt-in form of a tenant."""
    customer = await guarded.customer(senders=[], credit=None, provision=False)
    published = await customer.live.put("/v1/hosted-pages", json=SETTINGS)
    assert published.status_code == 200, published.text
    page = await (await browser.new_context()).new_page()
    here = Visitor(page, published.json()["opt_in"])
    here.customer = customer
    await page.route("**/*", here.answer)
    return here


async def states(customer):
    """Where the person stands."""
    shown = (await customer.live.get(f"/v1/consents/{PERSON}")).json()
    return [each["state"] for each in shown["consents"]]


async def test_a_person_solves_the_puzzle_and_the_form_is_taken(visitor, sink):
    """The page's policy lets the provider's script and frame in, and nothing else; the token arrives."""
    await visitor.fill_in()
    assert await visitor.press() == 403, "without a token nobody passes"
    assert await states(visitor.customer) == []
    assert sink.of("/siteverify") == []

    await visitor.fill_in()
    await visitor.page.frame_locator("iframe").get_by_role("button", name="I am a person").click()
    await visitor.page.wait_for_selector(".cf-turnstile[data-solved=yes]")
    assert await visitor.press() == 200
    [asked] = sink.of("/siteverify")
    told = parse_qs(asked.body.decode())
    assert (told["secret"], told["response"]) == ([SECRET], [TOKEN])
    assert await states(visitor.customer) == ["pending"]
    assert visitor.asked
    assert all(url.endswith(f"sitekey={SITE_KEY}") for url in visitor.asked)
    assert visitor.strangers == [], "the page's policy keeps other hosts' scripts from being asked for"
