"""Rules and Edit in a real Chromium."""

import pytest

from tests.support.axe import serious
from tests.support.chromium import Browser

pytestmark = pytest.mark.browser
FILE = "hooks/patient-view/rls/low-ferritin.json"
_REPLACE = """
    const content = document.querySelector(".cm-content");
    const view = (content.cmView ?? content.cmTile).view;
    const at = view.state.doc.toString().indexOf(arguments[0]);
    view.dispatch({ changes: { from: at, to: at + arguments[0].length, insert: arguments[1] } });
"""


def test_a_rule_is_found_by_a_drug_a_code_and_a_test(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/rules")
    for asked, rule in (
        ("quinine sulfate", "redflag.quinine-low-platelets"),
        ("G25.81", "rls.low-ferritin"),
        ("2276-4", "rls.low-ferritin"),
    ):
        browser.write("#q", asked)
        browser.sees(f"under “{asked}”", "#found")
        browser.sees(rule, "#found")
    browser.click("#found a", "rls.low-ferritin")
    browser.sees("When it fires")
    browser.click("a", "Edit")
    browser.until(lambda: browser.all(".cm-content"), "the editor")


def test_the_editor_is_styled_under_the_policy(browser: Browser, workbench: str) -> None:
    """Without its nonce CodeMirror renders unstyled and says nothing."""
    browser.open(f"{workbench}/workbench/edit?file={FILE}")
    browser.one(".cm-content")
    family = "return getComputedStyle(document.querySelector('.cm-content')).fontFamily"
    assert "monospace" in browser.script(family)


def test_problems_are_told_as_somebody_types(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/edit?file={FILE}")
    browser.one(".cm-content")
    browser.script(_REPLACE, '"status"', '"statis"')
    browser.sees("Did you mean 'status'?", "#problems")
    browser.until(lambda: browser.all(".cm-lint-marker-error"), "a mark at the line")
    browser.script(_REPLACE, '"statis"', '"status"')
    browser.sees("No errors.", "#verdict")


def test_a_change_is_tried_before_it_is_taken(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/edit?file={FILE}")
    browser.one(".cm-content")
    browser.click("button", "Run its tests")
    browser.sees("cases pass", "#said")
    browser.script(_REPLACE, '"op": "lt"', '"op": "gt"')
    browser.click("button", "Run its tests")
    browser.sees("cases fail", "#said")
    browser.click("button", "Differences")
    browser.sees("op 'lt' -> 'gt'", "#said")
    browser.one(".cm-deletedText")
    assert serious(browser) == []
    browser.click("button", "Cards before and after")
    browser.sees("gains", "#said")


def test_the_schema_completes(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/edit?file={FILE}")
    browser.one(".cm-content")
    browser.script(_REPLACE, '"op": "lt"', '"op": ""')
    browser.script("""
        const content = document.querySelector(".cm-content");
        const view = (content.cmView ?? content.cmTile).view;
        const at = view.state.doc.toString().indexOf('"op": ""') + 7;
        view.dispatch({ selection: { anchor: at } });
        view.focus();
    """)
    browser.one(".cm-content").send_keys("g")
    browser.sees('"ge"', ".cm-tooltip-autocomplete")
