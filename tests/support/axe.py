"""What axe-core finds on the page that a browser shows."""

from pathlib import Path

from tests.support.chromium import Browser

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
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
