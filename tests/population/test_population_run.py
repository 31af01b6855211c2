"""`cds population run` on one machine: what is counted, and that nothing decides but the charts."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.errors import ConfigurationError
from cds_service.population import plots
from tests.support.killed_run import killed_run
from tests.support.population import chart, left_out, medication, rows, write_export
from tests.support.wire import until

SALT = "a salt for tests"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CDS_SITE_DIR", "CDS_HOOKS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CDS_NOW", "2026-11-27T09:00:00Z")
    monkeypatch.setenv("CDS_AUTH", "off")


def run(source: Path, out: Path, *options: str) -> Result:
    salt = out.parent / "salt"
    salt.write_text(SALT)
    arguments = ["population", "run", str(source), "--out", str(out), "--salt-file", str(salt)]
    return CliRunner().invoke(main, [*arguments, "--jobs", "1", *options])


def summary(source: Path, out: Path, *options: str) -> Any:
    result = run(source, out, *options)
    assert result.exit_code == 0, result.output
    return json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    resources = [r for number in range(60) for r in chart(number)]
    return write_export(tmp_path_factory.mktemp("export") / "a", [*resources, medication()])


def service(totals: Any, name: str = "leg-cramps-patient-view") -> Any:
    return next(row for row in totals["services"] if row["service"] == name)


def test_each_encounter_is_replayed_with_what_was_recorded_by_then(
    source: Path, tmp_path: Path
) -> None:
    """In 2020 nothing was recorded; in 2021 the restless legs and the ferritin were."""
    totals = summary(source, tmp_path / "run")
    review = service(totals)
    assert (totals["charts"], totals["encounters"], review["calls"]) == (60, 120, 120)
    low = sum(10 + number % 100 < 50 for number in range(60))
    (rule,) = [r for r in totals["rules"] if r["rule"] == "rls.low-ferritin"]
    assert rule["fires"] == low
    assert review["patients"] == 60
    years = {
        row["stratum"][:4]: row for row in totals["by"]["month"] if "patient" in row["service"]
    }
    assert (years["2020"]["cards"], years["2021"]["cards"] > 0) == (0, True)


def test_orders_are_signed_at_the_encounter_that_they_name(source: Path, tmp_path: Path) -> None:
    totals = summary(source, tmp_path / "run")
    assert service(totals, "leg-cramps-order-sign")["calls"] == 60
    names = [s["service"] for s in summary(source, tmp_path / "b", "--no-orders")["services"]]
    assert "leg-cramps-order-sign" not in names


def test_a_chart_can_be_opened_once(source: Path, tmp_path: Path) -> None:
    totals = summary(source, tmp_path / "run", "--at", "last")
    assert (totals["encounters"], service(totals)["calls"]) == (60, 60)


def test_a_sweep_tells_what_another_threshold_would_cost(source: Path, tmp_path: Path) -> None:
    totals = summary(source, tmp_path / "run", "--sweep", "ferritin.low=30,75")
    variants = {variant["variant"]: variant for variant in totals["variants"]}
    assert set(variants) == {"ferritin.low=30", "ferritin.low=75"}
    assert variants["ferritin.low=75"]["gains"]["rls.low-ferritin"] == 20  # ferritin 50 to 69
    assert variants["ferritin.low=30"]["loses"]["rls.low-ferritin"] == 20  # ferritin 30 to 49
    higher = service(variants["ferritin.low=75"])
    assert (higher["warnings"], higher["warnings_sign"]) == (20, "more")
    assert higher["sign"] == "same"  # information cards became warnings
    page = (tmp_path / "run" / "report.html").read_text()
    cost = page[page.index("At 75 ng/mL instead of 50 ng/mL:") :]
    assert "as many cards, 20 more of them warnings" in cost[: cost.index("</p>")]
    first = page[: page.index("How much a clinician would see")]
    a_week = 20 / 120 * 80  # of 120 openings; the example clinician has 80 a week
    assert f"no other number of cards, and {a_week:.1f} warnings more a week" in first


def test_a_few_patients_without_a_card_leave_the_others_room_in_a_plot() -> None:
    """Their interval reaches far beyond the others: it is cut off, and its end told in figures."""
    of = {"female": plots.Bar("female", 0.7, 0.5, 0.9), "other": plots.Bar("other", 0.0, 0.0, 25.2)}
    plot = plots.bars("By sex", list(of.values()), "cards per 100 calls")
    assert plots.scale(0.9)[0] == 1.0 and ">1</text>" in plot and ">25</text>" not in plot
    assert "0.0 (to 25.2)" in plot and "0.7 (to" not in plot


def test_a_sweep_outside_the_bounds_is_refused(source: Path, tmp_path: Path) -> None:
    for sweep in ("ferritin.low=9999", "ferritin.lwo=50", "ferritin.low", "ferritin.low=x"):
        result = run(source, tmp_path / "run", "--sweep", sweep)
        assert result.exit_code == 1 and "ferritin" in result.output


def test_the_order_of_lines_and_files_decides_nothing(source: Path, tmp_path: Path) -> None:
    resources = [r for number in range(60) for r in chart(number)]
    other = write_export(tmp_path / "other", [*resources, medication()], seed=5)
    summary(source, tmp_path / "a")
    summary(other, tmp_path / "b")
    assert rows(tmp_path / "a") == rows(tmp_path / "b")


def test_several_processes_give_the_same_rows(source: Path, tmp_path: Path) -> None:
    summary(source, tmp_path / "a")
    summary(source, tmp_path / "b", "--jobs", "2")
    assert rows(tmp_path / "a") == rows(tmp_path / "b")


def test_what_is_damaged_is_counted_exactly_and_stops_nothing(tmp_path: Path) -> None:
    resources = [r for number in range(30) for r in chart(number)]
    resources += [
        {"resourceType": "Patient", "id": "p3", "birthDate": "1901-01-01"},  # another p3
        {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/nobody"}},
        {"resourceType": "Condition", "id": "c-2", "subject": {"display": "somebody"}},
        {"resourceType": "Patient", "birthDate": "1901-01-01"},
        chart(4)[1],  # a line that is there twice
    ]
    source = write_export(tmp_path / "source", [*resources, medication()], damaged=3)
    with (source / "Observation.ndjson").open("ab") as file:  # JSON but for one letter
        file.write(json.dumps(chart(5)[2] | {"note": "caf#"}).encode().replace(b"#", b"\xe9"))
    totals = summary(source, tmp_path / "run")
    assert totals["charts"] == 29
    assert left_out(tmp_path / "run") == {
        "not JSON": 4,
        "names no patient": 1,
        "a Patient without an id": 1,
        "a line that is there twice": 1,
        "not read: AllergyIntolerance": 30,
        "patients left out: two Patient resources with one id": 1,
        "patients left out: entries without their Patient": 1,
    }


def test_a_patient_with_too_many_resources_is_refused_and_counted(tmp_path: Path) -> None:
    many = [
        {**chart(1)[2], "id": f"o{number}", "effectiveDateTime": "2021-02-02"}
        for number in range(20_100)
    ]
    source = write_export(tmp_path / "source", [*chart(1), *chart(2), *many, medication()])
    assert summary(source, tmp_path / "run")["charts"] == 1
    assert left_out(tmp_path / "run")["patients left out: too many resources"] == 1


def test_bundles_and_gzip_give_what_ndjson_gives(tmp_path: Path) -> None:
    folder = tmp_path / "bundles"
    folder.mkdir()
    for number in range(20):
        entries = [{"resource": r} for r in [*chart(number), medication()]]
        content = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
        with gzip.open(folder / f"{number}.json.gz", "wt") as file:
            file.write(content)
    resources = [r for number in range(20) for r in chart(number)]
    ndjson = write_export(tmp_path / "ndjson", [*resources, medication()])
    summary(folder, tmp_path / "a")
    summary(ndjson, tmp_path / "b")
    assert rows(tmp_path / "a") == rows(tmp_path / "b")


def test_references_by_urn_find_their_patient(tmp_path: Path) -> None:
    urn = "urn:uuid:5f6d256f-fc32-4b10-ba9c-51aba830cfa4"
    person, problem, *_, visit = chart(1)
    entries = [{"fullUrl": urn, "resource": {**person, "id": "p1"}}]
    entries += [{"resource": {**r, "subject": {"reference": urn}}} for r in (problem, visit)]
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
    totals = summary(path, tmp_path / "run")
    assert (totals["charts"], totals["leftOut"]) == (1, {})


def test_small_cells_are_not_shown(tmp_path: Path) -> None:
    """Four patients with a low ferritin: no number of cards, no rate, no stratum tells."""
    source = write_export(tmp_path / "s", [r for n in range(4) for r in chart(n)] + [medication()])
    totals = summary(source, tmp_path / "run")
    review = service(totals)
    assert review["cards"] is None and review["per100"] is None
    assert all(row["per100"] is None for rows in totals["by"].values() for row in rows)
    (rule,) = [r for r in totals["rules"] if r["rule"] == "rls.low-ferritin"]
    assert rule["fires"] is None and rule["per100"] is None


def test_nothing_of_a_patient_is_in_the_output(source: Path, tmp_path: Path) -> None:
    result = run(source, tmp_path / "run")
    texts = [result.output]
    texts += [path.read_text() for path in (tmp_path / "run").glob("*.json")]
    texts.append((tmp_path / "run" / "report.html").read_text())
    texts.append(str(rows(tmp_path / "run")))
    for secret in ("p17", "1957-05-05", "Practitioner/d1", SALT):
        assert not any(secret in text for text in texts), secret
    assert not (tmp_path / "run" / "spill").exists()


def test_the_report_loads_nothing_from_elsewhere(source: Path, tmp_path: Path) -> None:
    summary(source, tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<svg" in page and "src=" not in page and "href=" not in page and "<script" not in page
    (tmp_path / "run" / "report.html").unlink()
    again = CliRunner().invoke(main, ["population", "report", str(tmp_path / "run")])
    assert again.exit_code == 0 and (tmp_path / "run" / "report.html").read_text() == page


def test_the_report_tells_which_rule_is_the_noisiest_and_on_what_it_rests(
    source: Path, tmp_path: Path
) -> None:
    totals = summary(source, tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    sentences = page[page.index("The noisiest is") :]
    sentences = sentences[: sentences.index("</p>")]
    most = max(rule["heads"] or 0 for rule in totals["rules"])
    assert f"it heads {most} cards" in sentences and "restless legs syndrome 100.0 %" in sentences
    assert "It speaks when all of these: RLS is recorded or suspected; ferritin" in sentences


def test_the_report_tells_how_many_cards_a_week_and_what_no_chart_holds(
    source: Path, tmp_path: Path
) -> None:
    totals = summary(source, tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    rates = [row["per100"]["value"] for row in totals["services"] if "sign" not in row["service"]]
    assert f"<strong>about {sum(rates) * 80 / 100:.1f} cards a week</strong>" in page
    nowhere = page[page.index("In no chart at all:") :]
    nowhere = nowhere[: nowhere.index("</p>")]
    assert "ankle-brachial index (lowest)" in nowhere and "ferritin" not in nowhere
    held = [label.partition("<")[0] for label in page.split('class="label end">')]
    assert "ferritin" in held and "ferritin that cannot be read" not in held  # the same entries


def test_a_folder_that_holds_another_run_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    summary(source, out)
    before = rows(out)
    other = run(source, out, "--at", "last")
    assert other.exit_code == 1 and "another run" in other.output and rows(out) == before
    same = run(source, out)
    assert same.exit_code == 1 and "--again" in same.output
    assert run(source, out, "--at", "last", "--again").exit_code == 0
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "letter.txt").write_text("mine")
    assert run(source, tmp_path / "notes").exit_code == 1


def test_a_run_that_was_killed_is_taken_up(source: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    summary(source, whole)
    command = [sys.executable, "-c", "from cds_service.cli import main; main()", "population"]
    command += ["run", str(source), "--out", str(cut), "--salt-file", str(tmp_path / "salt")]
    process = subprocess.Popen([*command, "--jobs", "1"])
    until(lambda: (cut / "spill").exists() or process.poll() is not None, 60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert subprocess.run([*command, "--jobs", "1"], check=False).returncode == 0
    assert rows(cut) == rows(whole)


def test_a_process_that_is_killed_on_the_way_is_replaced(source: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    summary(source, whole)
    log = killed_run(tmp_path / "x", source, cut, "--salt-file", str(tmp_path / "salt"))
    assert log.count("A process was killed; what it had under way is done again.") == 1
    assert rows(cut) == rows(whole)


def test_a_task_that_kills_its_process_each_time_ends_the_run(tmp_path: Path) -> None:
    """The others are done; the message says what may be wrong."""
    from cds_service.population import pool

    tasks = [Touch(tmp_path / f"done-{number}") for number in range(4)]
    with pytest.raises(ConfigurationError, match="killed, 3 times in a row") as refusal:
        pool.do_all([*tasks, KillItself()], 2, lambda done, total: None)
    assert "--jobs" in refusal.value.hint
    assert all(task.done.exists() for task in tasks)


class Touch(NamedTuple):
    """A task that leaves a file."""

    done: Path

    def __call__(self) -> None:
        self.done.touch()


class KillItself(NamedTuple):
    """A task that no process survives."""

    def __call__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_an_empty_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty", tmp_path / "run")
    assert result.exit_code == 1 and "holds no .ndjson" in result.output
