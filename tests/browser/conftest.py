"""A headless Chromium: the distribution's own, which `.ci/run` installs where it may."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHOTS = os.environ.get("BROWSER_SHOTS")
"""The directory in which screenshots are kept, where they are wanted: each is drawn by a processor."""
GRAVE = {"serious", "critical"}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser; without one the test fails and says how to get it."""
    program = os.environ.get("BROWSER") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "no Chromium here: run deploy/browser, name one with BROWSER=/path, or -m 'not browser'"
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


class Window:
    """A window without scripts; each page that is shown is judged in a twin that has them."""

    def __init__(self, context: BrowserContext, twin: BrowserContext, home: str) -> None:
        self.context, self.twin, self.home = context, twin, home
        self.page: Page | None = None
        self.judged: Page | None = None
        """The twin's: one for all, since to begin a page costs Chromium a second of a core."""
        self.shots = 0
        self.faults: list[str] = []

    async def open(self, path: str) -> None:
        """Go to an address."""
        if self.page is None:
            self.page = await self.context.new_page()
        await self.page.goto(path if path.startswith("http") else self.home + path)

    async def press(self, name: str) -> None:
        """Press a button and wait for the page it leads to."""
        await self.page.get_by_role("button", name=name, exact=True).first.click()
        await self.page.wait_for_load_state()

    async def follow(self, name: str) -> None:
        """Follow a link."""
        await self.page.get_by_role("link", name=name, exact=True).first.click()
        await self.page.wait_for_load_state()

    async def fill(self, **answers: str) -> None:
        """Fill fields by the labels' names, with `_` for a blank."""
        for label, value in answers.items():
            await self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    async def fill_names(self, answers: dict[str, str]) -> None:
        """Fill fields by their names, whatever they are."""
        for name, value in answers.items():
            place = self.page.locator(f'[name="{name}"]')
            kind = await place.first.evaluate_handle("each => each.type")
            match await kind.json_value():
                case "radio":
                    await self.page.locator(f'[name="{name}"][value="{value}"]').check()
                case "checkbox":
                    await place.check()
                case "select-one":
                    await place.select_option(value)
                case _:
                    await place.fill(value)

    async def text(self) -> str:
        """What the page says."""
        return await self.page.locator("main").inner_text()

    async def shoot(self, name: str) -> None:
        """Judge the page by axe-core with scripts on, and keep a picture where that is wanted."""
        self.shots += 1
        if SHOTS:
            await self.page.screenshot(path=Path(SHOTS) / f"{self.shots:02}-{name}.png", full_page=True)
        await self.twin.add_cookies(await self.context.cookies())
        self.judged = self.judged or await self.twin.new_page()
        await self.judged.goto("about:blank")
        await self.judged.set_content(await self._standing_alone())
        found = (await Axe().run(self.judged)).response["violations"]
        self.faults += [f"{name}: {each['id']}: {each['help']}" for each in found if each["impact"] in GRAVE]

    async def _standing_alone(self) -> str:
        """The page as it is shown, with its style in it: what was answered to a form cannot be fetched."""
        style = await (await self.context.request.get(f"{self.home}/console/style.css")).text()
        html = await self.page.content()
        return html.replace('<link rel="stylesheet" href="/console/style.css">', f"<style>{style}</style>")


@pytest.fixture
async def windows(browser: Browser, stack):
    """Makes windows, each a browser of its own without scripts."""

    async def make(*, width: int = 1100) -> Window:
        size = {"width": width, "height": 900}
        context = await browser.new_context(java_script_enabled=False, viewport=size)
        return Window(context, await browser.new_context(viewport=size), stack.settings.public_url)

    return make
