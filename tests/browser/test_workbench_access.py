"""Every page at three widths, in both themes: nothing that axe calls serious, nothing cut off."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.support.axe import serious
from tests.support.chromium import Browser

pytestmark = pytest.mark.browser
PAGES = {
    "home": "",
    "try": "workbench/try?patient=cramps-drugs",
    "rules": "workbench/rules?q=ferritin",
    "rule": "workbench/rules/rls.low-ferritin",
    "edit": "workbench/edit?file=hooks/patient-view/rls/low-ferritin.json",
    "burden": "workbench/burden",
    "calls": "workbench/calls",
    "tokens": "workbench/tokens",
    "feedback": "workbench/feedback",
    "questionnaire": "workbench/questionnaire",
    "problem": "workbench/rules/no-such-rule",
}
_WIDE = "return document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def used(workbench: str) -> str:
    """The workbench after a call and its feedback, so that Calls and Feedback have something."""
    service = f"{workbench}/cds-services/leg-cramps-patient-view"
    request = Path(__file__).parents[2] / "fixtures/requests/patient-view/any-year.json"
    cards = json.loads(_posted(service, request.read_bytes()))["cards"]
    override = {"outcome": "overridden", "outcomeTimestamp": "2026-11-27T10:00:00Z"}
    sent = {"feedback": [{"card": cards[0]["uuid"], **override}]}
    _posted(f"{service}/feedback", json.dumps(sent).encode())
    return workbench


def _posted(address: str, body: bytes) -> bytes:
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        content: bytes = answer.read()
        return content


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_serious_finding_and_nothing_cut_off(
    shared_browser: Browser, used: str, name: str, theme: str
) -> None:
    browser = shared_browser
    browser.theme(theme)
    browser.size(1440)
    browser.open(f"{used}/{PAGES[name]}")
    browser.one("main")
    for width in (1440, 1024, 390):
        browser.size(width)
        browser.picture(f"{name}-{theme}-{width}")
        browser.until(lambda width=width: browser.script(_WIDE) <= width, f"{name} fits {width}")
    assert serious(browser) == []


def test_a_printed_chart_says_what_is_nearest(browser: Browser, workbench: str) -> None:
    """Buttons are not printed; one that stands in a sentence is a word of it."""
    browser.open(f"{workbench}/workbench/try?patient=ferritin-52")
    browser.click("#cards [data-why]", "Low ferritin")
    browser.print_media(True)
    assert "The nearest: Low ferritin with restless legs would fire" in browser.text("#cards")
    assert "Make it fire" not in browser.text("#why")
    shown = [one.get_attribute("data-rule") for one in browser.all("#why .rule")]
    printed = [
        one.get_attribute("data-rule") for one in browser.all("#why .rule") if one.is_displayed()
    ]
    assert len(shown) > 40
    assert printed == ["rls.guideline-band", "rls.low-ferritin"]
    browser.print_media(False)


@pytest.mark.parametrize("tab", ["tab-what-if", "tab-supply", "tab-raw"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_tab_of_try(browser: Browser, workbench: str, tab: str, theme: str) -> None:
    browser.theme(theme)
    browser.open(f"{workbench}/workbench/try?patient=ferritin-40")
    browser.click(f"#{tab}")
    if tab == "tab-what-if":
        browser.write('[id="set-ferritin.low"]', "75")
        browser.sees("Your change", "#patch")
    for summary in browser.all("#bench details > summary"):
        browser.script("arguments[0].parentElement.open = true", summary)
    for width in (1440, 1024, 390):
        browser.size(width)
        browser.picture(f"{tab}-{theme}-{width}")
        assert browser.script("return document.documentElement.scrollWidth") <= width
    assert serious(browser) == []
