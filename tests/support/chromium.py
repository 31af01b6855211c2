"""A real Chromium under a driver, that notices what a person would only find in its console."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 20.0  # seconds for what a test waits for
T = TypeVar("T")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--window-size=1440,1000",
    "--disable-dev-shm-usage",
)
# Violations are kept past a navigation: a test asks once, at its end.
_LISTENER = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error("CSP violation: " + event.violatedDirective + " " + event.blockedURI);
});
"""


class Browser:
    """Looks at pages as a person does: by what is written on them."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.until(lambda: next(iter(self.all(selector)), None), selector)

    def text(self, selector: str) -> str:
        return str(self.one(selector).text)

    def click(self, selector: str, words: str = "") -> None:
        """Click the first visible element that has the words."""

        def attempt() -> bool:
            for element in self.all(selector):
                if words in element.text and element.is_displayed():
                    element.click()
                    return True
            return False

        self.until(attempt, f"{selector} with {words!r}")

    def write(self, selector: str, text: str) -> None:
        """Replace what stands in a field, and leave it."""
        self.one(selector).send_keys("\ue009a\ue000" + text + "\t")

    def sees(self, words: str, selector: str = "body") -> None:
        self.until(lambda: words in self.text(selector), f"{words!r} in {selector}")

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def until(self, attempt: Callable[[], T | None], what: str) -> T:
        """The first answer that is something. Fails with what was waited for."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                found = attempt()
            except StaleElementReferenceException:
                found = None
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(
            f"not there: {what}\n{self.driver.find_element('tag name', 'body').text}"
        )

    def size(self, width: int, height: int = 1000) -> None:
        command = "Emulation.setDeviceMetricsOverride"
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd(command, metrics)

    def theme(self, name: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": name}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def print_media(self, on: bool) -> None:
        """Show the page as it is printed, or as on a screen again."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print" if on else ""})

    def picture(self, name: str) -> None:
        """A screenshot, where CDS_SCREENSHOTS names a folder."""
        folder = os.environ.get("CDS_SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))

    def complaints(self) -> list[str]:
        """What the console says: errors, and violations of the content security policy."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" or "CSP violation" in entry["message"]
        ]


@contextmanager
def chromium(downloads: Path) -> Iterator[Browser]:
    """A Chromium of its own profile; what it downloads goes into the folder."""
    options = ChromeOptions()
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.binary_location = "/usr/bin/chromium"
    driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _LISTENER})
    try:
        yield Browser(driver)
    finally:
        driver.quit()
