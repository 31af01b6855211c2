"""Every page at three widths, in both themes: nothing that axe calls serious, nothing cut off."""

from pathlib import Path

import pytest

from tests.support.chromium import Browser

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
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
_RUN = """
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ["violations"] }).then((found) => done(
        found.violations
            .filter((one) => ["serious", "critical"].includes(one.impact))
            .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`)
    ));
"""


def serious(browser: Browser) -> list[str]:
    assert AXE.is_file(), "axe-core is missing: run make browser, which installs it"
    browser.script(AXE.read_text("utf-8"))
    found: list[str] = browser.driver.execute_async_script(_RUN)
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_serious_finding_and_nothing_cut_off(
    shared_browser: Browser, workbench: str, name: str, theme: str
) -> None:
    browser = shared_browser
    browser.theme(theme)
    browser.size(1440)
    browser.open(f"{workbench}/{PAGES[name]}")
    browser.one("main")
    for width in (1440, 1024, 390):
        browser.size(width)
        browser.picture(f"{name}-{theme}-{width}")
        wide = browser.script("return document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} wide at {width}"
    assert serious(browser) == []


@pytest.mark.parametrize("tab", ["tab-what-if", "tab-supply", "tab-raw"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_tab_of_try(browser: Browser, workbench: str, tab: str, theme: str) -> None:
    browser.theme(theme)
    browser.open(f"{workbench}/workbench/try?patient=ferritin-40")
    browser.click(f"#{tab}")
    for summary in browser.all("#bench details > summary"):
        browser.script("arguments[0].parentElement.open = true", summary)
    for width in (1440, 1024, 390):
        browser.size(width)
        browser.picture(f"{tab}-{theme}-{width}")
        assert browser.script("return document.documentElement.scrollWidth") <= width
    assert serious(browser) == []
