"""`make bench` can still be run: one short round of its parts, and nothing said of any time."""

import gc

import pytest

from tests.performance import bench, charts, goals, scaling
from tests.performance.process import running


def test_what_more_rules_and_resources_cost_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"RULES": 3, "PROBLEMS": 2, "ROUNDS": 2, "IN_A_ROW": 1}.items():
        monkeypatch.setattr(scaling, name, value)
    monkeypatch.setattr(charts, "SIZES", {"typical": charts.SIZES["small"]})
    try:
        scaling.show()
    finally:
        gc.unfreeze()  # what the bench hides from the garbage collector, other tests count
    told = capsys.readouterr().out
    assert "ms CPU an answer" in told
    assert "ten times the resources" in told


def test_both_servers_are_measured_over_the_loopback(capsys: pytest.CaptureFixture[str]) -> None:
    body = charts.request("small")
    with running("yardstick", {"CDS_AUTH": "off", "CDS_HOST": "127.0.0.1"}) as server:
        base, own = bench.measure_both(server, server, body, bench.TURNS, 1)
        resident, shared = server.memory_mb()
    assert len(base.latencies.times) == len(own.latencies.times) == bench.TURNS
    assert resident >= shared > 0
    bench._print("small", 1, base, own)
    assert f"goal {goals.YARDSTICK['small']:g}" in capsys.readouterr().out


@pytest.mark.parametrize("size", charts.SIZES)
def test_a_chart_has_about_as_many_resources_as_it_says(size: str) -> None:
    resources = charts.request(size).count(b'"resourceType":') - charts.request(size).count(
        b'"resourceType":"Bundle"'
    )
    assert abs(resources - charts.SIZES[size]) <= 1
