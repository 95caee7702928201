"""A headless Chromium as the tests use it: pages by path, sizes, accessibility, and console errors."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.instruments.waiting import wait_for

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
# Fedora and RHEL name the programs otherwise than Debian.
_BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/lib64/chromium-browser/chromium-browser")
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-default-apps --hide-scrollbars"
)
WIDE = (1440, 1000)
PHONE = (390, 844)
# From a small phone to a large monitor.
WIDTHS = (320, 390, 768, 820, 1024, 1280, 1366, 1440, 1600, 1920, 2560)
# In one go: what is found may have been replaced by the time it is asked.
_IS_SHOWN = """
return [...document.querySelectorAll(arguments[0])].some(
  (element) => element.getClientRects().length && getComputedStyle(element).visibility === "visible");
"""
# Violations of WCAG 2.1 AA, and of level A, on which it rests.
_AXE_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"]})
  .then(({violations}) => done(violations.map((v) => [v.id, ...v.nodes.map((n) => n.html + n.failureSummary)])));
"""

# Whether the page, if it has a theme, has this one; if not, the next page has it.
_CHOOSE_THEME = """
const shown = document.documentElement.dataset.bsTheme ?? arguments[0];
if (shown !== arguments[0]) localStorage.setItem("theme", arguments[0]);
return shown === arguments[0];
"""
_IS_NEW_PAGE = "return !window.isOldPage && document.readyState === 'complete'"


class Browser:
    """One Chromium with a separate profile, which all tests use in turn."""

    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-")
        options = Options()
        options.binary_location = next(path for path in _BROWSERS if Path(path).exists())
        for flag in [*_FLAGS.split(), f"--user-data-dir={self._profile.name}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(90)
        self.base = ""

    def quit(self) -> None:
        """Quit Chromium."""
        self.driver.quit()
        self._profile.cleanup()

    # ---- pages ----

    def start(self, base: str) -> None:
        """Begin a test on the server at `base` with a new profile: no cookies, no stored values."""
        self.base = base
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": base, "storageTypes": "all"})
        self.size(WIDE)
        self.complaints()

    def open(self, path: str, *, theme: str = "dark") -> None:
        """Open a page in a theme."""
        self.js(_CHOOSE_THEME, theme)  # the page before it can, unless it is blank
        self.driver.get(self.base + path)
        if not self.js(_CHOOSE_THEME, theme):
            self.driver.get(self.base + path)

    def size(self, size: tuple[int, int]) -> None:
        """Set the viewport."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def js_async(self, script: str, *arguments: Any) -> Any:
        """Run a script that calls its last argument when it is done."""
        return self.driver.execute_async_script(script, *arguments)

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries

    # ---- what is on the page ----

    def find(self, selector: str) -> WebElement:
        """Return the element, once it is there."""
        return wait_for(lambda: next(iter(self.all(selector)), None), deadline_s=20, what=f"{selector} on the page")

    def all(self, selector: str) -> list[WebElement]:
        """Return all elements that match now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Return the text of an element, including hidden text, with single spaces."""
        found = self.js("return document.querySelector(arguments[0])?.textContent ?? ''", selector)
        return " ".join(str(found).split())

    def wait_text(self, selector: str, part: str, *, deadline_s: float = 20) -> str:
        """Wait until the element's text contains `part`."""
        return wait_for(
            lambda: text if part in (text := self.text(selector)) else "",
            deadline_s=deadline_s,
            what=f"{part!r} in {selector}, which says {self.text(selector)!r}",
        )

    def is_shown(self, selector: str) -> bool:
        """Whether an element is there and visible."""
        return bool(self.js(_IS_SHOWN, selector))

    def wait_shown(self, selector: str, *, deadline_s: float = 20) -> None:
        """Wait until it is visible."""
        wait_for(lambda: self.is_shown(selector), deadline_s=deadline_s, what=f"{selector} to be seen")

    def wait_gone(self, selector: str, *, deadline_s: float = 20) -> None:
        """Wait until it is not visible."""
        wait_for(lambda: not self.is_shown(selector), deadline_s=deadline_s, what=f"{selector} to be gone")

    # ---- what a person does ----

    def click(self, selector: str) -> None:
        """Click the middle of an element, as a mouse does."""
        wait_for(lambda: self._click_if_possible(selector), deadline_s=20, what=f"{selector} to be clickable")

    def _click_if_possible(self, selector: str) -> bool:
        element = self.find(selector)
        # A poll may put a new element in the place of the one that was found.
        with contextlib.suppress(StaleElementReferenceException):
            self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
            if element.is_displayed() and element.is_enabled():
                ActionChains(self.driver).move_to_element(element).click().perform()
                return True
        return False

    def follow(self, selector: str) -> None:
        """Click a link and wait for the page behind it with its scripts. On a busy machine the old page stays a while.

        Pages share fields and rows: what a test does too early, it does to the old page, or before a script listens.
        """
        self.js("window.isOldPage = true")
        self.click(selector)
        wait_for(lambda: self.js(_IS_NEW_PAGE), deadline_s=20, what=f"the page behind {selector}")

    def open_new_stream(self) -> None:
        """Open the dialog of a new stream on the dashboard that is shown."""
        self.click("#open-new-stream")
        self.wait_shown("#new-stream #start-stream")

    def type(self, selector: str, text: str) -> None:
        """Put a text into a field, in place of what it holds."""
        field = self.find(selector)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text or Keys.DELETE)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focused(self) -> str:
        """Return the ID of the focused element, or its text if it has none."""
        return str(self.js("const e = document.activeElement; return e.id || e.textContent.trim()"))

    def tab_to(self, selector: str, *, at_most: int = 80) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(at_most):
            if self.js("return document.activeElement.matches(arguments[0])", selector):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"no Tab leads to {selector}")

    # ---- what it says of the page ----

    def violations(self) -> list[Any]:
        """Return the violations of WCAG 2.1 AA that axe-core finds."""
        if not self.js("return typeof axe !== 'undefined'"):
            self.js(AXE.read_text(encoding="utf-8"))
        return list(self.js_async(_AXE_RUN))

    def scrolls_sideways(self) -> list[str]:
        """Return the elements beyond the right edge if the page scrolls sideways; otherwise an empty list."""
        return list(
            self.js(
                """
                const root = document.scrollingElement;
                if (root.scrollWidth <= root.clientWidth) return [];
                return [...document.querySelectorAll("body *")]
                  .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1)
                  .map((e) => e.tagName + "#" + e.id + "." + e.className).slice(0, 20)
                  .concat("width " + root.scrollWidth);
                """
            )
        )

    def complaints(self) -> list[str]:
        """Errors on the console since the last call, Content-Security-Policy reports among them."""
        return [entry["message"] for entry in self._log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def hosts_asked(self) -> set[str]:
        """Return every host to which the browser sent a request since the last call."""
        hosts = set()
        for entry in self._log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                url = urlsplit(message["params"].get("request", message["params"])["url"])
                hosts |= {url.hostname or ""} if url.scheme not in ("data", "blob", "about") else set()
        return hosts
