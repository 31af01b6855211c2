"""Burden with a run opened: at three widths, in both themes, and with the keyboard alone."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cds_service.cli import main
from tests.support.axe import serious
from tests.support.chromium import Browser
from tests.support.population import chart, medication, write_export

pytestmark = pytest.mark.browser
_WIDE = "return document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("burden")
    resources = [resource for number in range(60) for resource in chart(number)]
    source = write_export(folder / "export", [*resources, medication()])
    options = ["--out", str(folder / "run"), "--sweep", "ferritin.low=30,50,75"]
    done = CliRunner().invoke(main, ["population", "run", str(source), *options])
    assert done.exit_code == 0, done.output
    return folder / "run" / "summary.json"


def test_a_run_that_is_opened_fits_and_can_be_read_by_everybody(
    browser: Browser, workbench: str, summary: Path
) -> None:
    browser.open(f"{workbench}/workbench/burden")
    browser.one("input[type=file]").send_keys(str(summary))
    browser.click("button.main", "Open")
    assert "cards a week" in browser.text(".report")
    assert "{ratio}" not in browser.text(".report")
    for theme in ("light", "dark"):
        browser.theme(theme)
        for width in (1440, 1024, 390):
            browser.size(width)
            browser.picture(f"burden-run-{theme}-{width}")
            browser.until(lambda width=width: browser.script(_WIDE) <= width, f"fits {width}")
        assert serious(browser) == []


def test_a_run_is_opened_and_its_tables_are_scrolled_by_keyboard(
    browser: Browser, workbench: str, summary: Path
) -> None:
    browser.size(390)
    browser.open(f"{workbench}/workbench/burden")
    browser.one("input[type=file]").send_keys(str(summary))
    browser.one("button.main").send_keys(Keys.ENTER)
    table = browser.one(".report .scroll")
    for _ in range(40):
        if browser.driver.switch_to.active_element == table:
            break
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
    assert browser.driver.switch_to.active_element == table
    closed = browser.driver.find_element(By.CSS_SELECTOR, ".report details:not([open]) summary")
    closed.send_keys(Keys.ENTER)
    browser.until(lambda: closed.find_element(By.XPATH, "..").get_attribute("open"), "opens")
