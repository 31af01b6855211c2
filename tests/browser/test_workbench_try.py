"""The Try page in a real Chromium: a new user finds out why, changes it, and takes it away."""

import json
from pathlib import Path

import pytest

from tests.support.chromium import Browser

pytestmark = pytest.mark.browser
RULE = "rls.low-ferritin"


def test_from_the_address_to_a_site_patch_and_a_test(
    browser: Browser, workbench: str, downloads: Path
) -> None:
    """The flow of a new user, without a guide."""
    browser.open(workbench)
    browser.click("a", "Try it with a patient")
    browser.one("#only").send_keys("low ferritin with")
    browser.click(f'[data-rule="{RULE}"] summary')
    browser.sees("ferritin is below 50", f'[data-rule="{RULE}"]')
    browser.sees("now 52 ng/mL", f'[data-rule="{RULE}"]')
    browser.click(f'[data-rule="{RULE}"] button', "Make it fire")
    browser.sees(f"{RULE} fires now", "#flash")
    browser.sees("RLS with ferritin 49", "#cards")
    browser.click("#undo")
    browser.sees("RLS with ferritin 52", "#cards")

    browser.click(f'[data-rule="{RULE}"] [data-turn]', "ferritin.low")
    browser.write('[id="set-ferritin.low"]', "75")
    browser.sees("With your change", "#cards")
    browser.sees("+ new", "#cards")
    browser.sees("below 75", "#cards")
    browser.sees("1 card new, 1 card gone", "#patch")
    browser.click("#patch button", "Save as site patch")
    patch = json.loads(browser.until(lambda: _file(downloads, "site.json"), "site.json"))
    assert patch["settings"] == {"ferritin.low": 75}
    browser.click("#patch button", "Save as test case")
    name = "low-ferritin.workbench.test.json"
    case = json.loads(browser.until(lambda: _file(downloads, name), name))
    assert case["cases"][0]["expect"][RULE] == "fires"
    assert case["settings"] == {"ferritin.low": 75}


def _file(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_text() if path.is_file() else ""


def test_a_change_is_compared_on_other_charts(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=ferritin-52")
    browser.click("#tab-what-if")
    browser.write('[id="set-ferritin.low"]', "75")
    browser.sees("+ new", "#cards")
    browser.click("#others summary")
    call = Path(__file__).parents[2] / "fixtures/requests/patient-view"
    browser.one("#charts").send_keys(str(call / "cramps-and-restless-legs.json"))
    browser.click("#others button", "Whose cards come and go?")
    browser.sees("Cards on 13 charts", "#compared")


def test_a_slider_makes_the_card_come_and_go(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=ferritin-52")
    slide = """
        const range = document.querySelector('[data-live="rows"]');
        range.value = arguments[0];
        range.dispatchEvent(new Event("input", { bubbles: true }));
    """
    browser.script(slide, "44")
    browser.sees("RLS with ferritin 44", "#cards")
    browser.script(slide, "61")
    browser.sees("61 ng/mL", "#cards")


def test_pointing_at_what_a_rule_saw_lights_up_its_row(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=ferritin-40")
    browser.click("#cards [data-why]")
    browser.script("document.querySelector('#why details[open] .saw').focus()")
    browser.until(lambda: browser.all("#chart .lit"), "a row that is lit")


def test_the_picker_knows_the_packs_names(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=quiet")
    browser.one("#pick").send_keys("ferr 31")
    browser.sees("LOINC 2276-4", "#picks")
    browser.click("#picks button", "result")
    browser.until(lambda: browser.all('#chart input[value="31"]'), "the value")


def test_a_gap_can_be_pretended(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=ferritin-40")
    browser.click("#tab-supply")
    browser.script(
        """
        const select = document.querySelector('[name="supply.conditions"]');
        select.value = "missing";
        select.dispatchEvent(new Event("change", { bubbles: true }));
        """
    )
    browser.sees("412", "#cards")


def test_a_chart_travels_in_a_link(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=quinine-platelets")
    browser.script("navigator.clipboard.writeText = (text) => { window.copied = text; };")
    browser.click("#link")
    link = browser.until(lambda: browser.script("return window.copied"), "the link")
    assert "#chart=" in link
    browser.open("about:blank")
    browser.open(link)
    browser.sees("Quinine", "#chart")


def test_the_keyboard_alone(browser: Browser, workbench: str) -> None:
    browser.open(f"{workbench}/workbench/try?patient=cramps-drugs")
    body = browser.one("body")
    body.send_keys("j")
    assert browser.script("return document.activeElement.matches('[data-card]')")
    browser.script("return document.activeElement").send_keys("e")
    browser.until(lambda: browser.all("#why details[open]"), "an opened rule")


def test_the_focus_stays_where_somebody_works(browser: Browser, workbench: str) -> None:
    """What is drawn again is another element; whoever has only a keyboard would start anew."""
    browser.open(f"{workbench}/workbench/try?patient=ferritin-52")
    browser.one("#r2-slide").send_keys("\ue012")
    browser.sees("RLS with ferritin 51", "#cards")
    browser.until(lambda: _focused(browser, "#r2-slide"), "the focus on the slider")
    browser.click("#cards [data-why]", "Low ferritin")
    fire = f'[data-rule="{RULE}"] .near button'
    browser.one(fire).send_keys("\n")
    browser.sees(f"{RULE} fires now", "#flash")
    browser.until(lambda: _focused(browser, f'[data-rule="{RULE}"] summary'), "the focus near it")


def _focused(browser: Browser, selector: str) -> bool:
    return bool(browser.script("return document.activeElement.matches(arguments[0])", selector))


def test_a_hostile_chart_is_text(browser: Browser, workbench: str) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>[x](javascript:alert(3))"
    chart = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p1", "birthDate": evil}},
            {
                "resource": {
                    "resourceType": "Condition",
                    "id": evil,
                    "code": {"text": evil, "coding": [{"system": evil, "code": evil}]},
                    "subject": {"reference": "Patient/p1"},
                }
            },
            {
                "resource": {
                    "resourceType": "Condition",
                    "id": "rls",
                    "code": {
                        "text": evil,
                        "coding": [
                            {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G25.81"}
                        ],
                    },
                }
            },
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": evil,
                    "status": "final",
                    "effectiveDateTime": "2026-11-01",
                    "code": {
                        "text": evil,
                        "coding": [{"system": "http://loinc.org", "code": "2276-4"}],
                    },
                    "valueQuantity": {"value": 20, "unit": evil},
                }
            },
        ],
    }
    browser.open(f"{workbench}/workbench/try")
    browser.click("#bring summary")
    browser.script("document.getElementById('text').value = arguments[0]", json.dumps(chart))
    browser.click("#bring button")
    browser.sees("<img src=x", "#chart")
    assert browser.all("#bench img, #bench script, #bench a[href^='javascript']") == []


def test_two_thousand_resources_are_answered(browser: Browser, workbench: str) -> None:
    one = {
        "resourceType": "Observation",
        "status": "final",
        "effectiveDateTime": "2026-11-01",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
        "subject": {"reference": "Patient/p1"},
    }
    many = [
        {**one, "id": f"o{n}", "valueQuantity": {"value": 80 + n % 40, "unit": "ng/mL"}}
        for n in range(2000)
    ]
    lines = [{"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01"}, *many]
    browser.open(f"{workbench}/workbench/try")
    browser.click("#bring summary")
    text = "\n".join(json.dumps(line) for line in lines)
    browser.script("document.getElementById('text').value = arguments[0]", text)
    browser.click("#bring button")
    browser.sees("1800 more are judged and not drawn", "#chart")
