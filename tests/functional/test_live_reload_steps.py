"""The watcher of a site's folder, one look at a time, without a thread or a child process."""

import json
import os
import stat
from pathlib import Path

import pytest

from cds_service.errors import PackError, Problem
from cds_service.live.shelf import Shelf
from cds_service.live.snapshot import stamp, take
from cds_service.live.watch import INTERRUPTED, SiteWatch
from cds_service.ruletests.site_verdict import Verdict

BAD = Problem("rules/x.json", 1, 1, "$", "P003", "Not JSON.")


class Bench:
    """A site's folder and a watcher whose judge refuses what holds the word "bad"."""

    def __init__(self, root: Path, shelf: Path) -> None:
        self.root, self.shelf = root, shelf
        root.mkdir(exist_ok=True)
        self.write("{}")
        self.judged = 0
        self.code = BAD.code
        self.applied: list[str] = []
        self.refused: list[Verdict] = []
        self.kept = 0
        self.apply_error: PackError | None = None
        self.watch = self.watcher()

    def watcher(self) -> SiteWatch:
        return SiteWatch(
            self.root,
            take(self.root).content,
            lambda: Shelf("test", base=self.shelf),
            judge=self.judge,
            apply=self.apply,
            reject=self.refused.append,
            keep=self.keep,
        )

    def write(self, text: str) -> None:
        """Another size each time, so that no clock is coarse enough to hide the change."""
        path = self.root / "site.json"
        path.write_text(text.ljust(path.stat().st_size + 1 if path.exists() else 1))

    def judge(self, copy: Path, content: str) -> Verdict:
        self.judged += 1
        text = (copy / "site.json").read_text()
        problem = Problem(f"{copy}/site.json", 1, 1, "$", self.code, f"in {copy}")
        return Verdict(content, "rev", (problem,) if "bad" in text else ())

    def apply(self, copy: Path, verdict: Verdict) -> None:
        if self.apply_error:
            raise self.apply_error
        self.applied.append((copy / "site.json").read_text().strip())

    def keep(self) -> None:
        self.kept += 1

    def settle(self) -> None:
        self.watch.look()
        self.watch.look()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "site", tmp_path)


def test_a_change_waits_until_the_folder_is_quiet(bench: Bench) -> None:
    bench.settle()
    for text in ('"a"', '"ab"', '"abc"'):
        bench.write(text)
        bench.watch.look()
        assert bench.applied == []
    bench.watch.look()
    assert bench.applied == ['"abc"']


def test_nothing_changed_is_never_judged(bench: Bench) -> None:
    for _ in range(5):
        bench.watch.look()
    assert (bench.judged, bench.applied) == (0, [])


def test_a_refused_folder_is_told_once_under_its_own_names(bench: Bench) -> None:
    bench.write('"bad"')
    bench.settle()
    bench.settle()
    [verdict] = bench.refused
    assert verdict.problems[0].file == str(bench.root / "site.json")
    assert verdict.problems[0].message == f"in {bench.root}"
    assert bench.applied == []


def test_touching_a_file_is_no_change(bench: Bench) -> None:
    bench.settle()
    os.utime(bench.root / "site.json", (1, 1))
    bench.settle()
    assert (bench.judged, bench.kept) == (0, 2)


def test_going_back_clears_the_refusal(bench: Bench) -> None:
    before = (bench.root / "site.json").read_bytes()
    bench.write('"bad"')
    bench.settle()
    (bench.root / "site.json").write_bytes(before)
    bench.settle()
    assert (bench.kept, bench.judged) == (1, 1)


def test_a_second_worker_does_not_judge_again(bench: Bench) -> None:
    other = bench.watcher()
    bench.write('"good"')
    bench.settle()
    other.look()
    other.look()
    assert (bench.judged, len(bench.applied)) == (1, 2)


def test_a_judge_that_was_stopped_is_asked_again(bench: Bench) -> None:
    bench.code = INTERRUPTED
    bench.write('"bad"')
    bench.settle()
    bench.write('"bad"')
    bench.settle()
    assert bench.judged == 2


def test_what_the_loader_refuses_leaves_the_pack_in_force(bench: Bench) -> None:
    bench.apply_error = PackError([BAD])
    bench.write('"good"')
    bench.settle()
    assert bench.refused[0].problems == (BAD,)


def test_a_link_out_of_the_folder_is_refused_without_a_judge(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    (bench.root / "facts.json").symlink_to(tmp_path / "outside.json")
    bench.settle()
    assert bench.judged == 0
    assert bench.refused[0].problems[0].code == "P001"


def test_a_worker_that_starts_late_catches_up_with_the_last_good_one(bench: Bench) -> None:
    late = bench.watcher()
    bench.write('"good"')
    bench.settle()
    bench.write('"bad"')
    assert late.start()
    late.stop()
    assert bench.applied == ['"good"', '"good"']
    assert not late.start()


def test_a_folder_that_is_gone_is_a_refusal_and_not_an_end(bench: Bench) -> None:
    (bench.root / "site.json").unlink()
    bench.root.rmdir()
    bench.settle()
    assert bench.refused[0].problems[0].code == "P001"


class TestStamp:
    def test_what_does_not_belong_to_a_pack_does_not_count(self, bench: Bench) -> None:
        before = stamp(bench.root)
        (bench.root / "clients.json").write_text("{}")
        (bench.root / "cds.sqlite3").write_text("x")
        (bench.root / ".git").mkdir()
        (bench.root / ".git" / "index").write_text("x")
        assert stamp(bench.root) == before
        (bench.root / "rules").mkdir()
        (bench.root / "rules" / "a.json").write_text("{}")
        assert stamp(bench.root) != before


class TestShelf:
    def test_it_is_private(self, tmp_path: Path) -> None:
        root = Shelf("a", base=tmp_path).root
        assert stat.S_IMODE(root.stat().st_mode) == 0o700

    def test_somebody_elses_folder_is_not_used(self, tmp_path: Path) -> None:
        expected = Shelf("a", base=tmp_path).root
        expected.chmod(0o777)
        other = Shelf("a", base=tmp_path).root
        assert other != expected
        other.rmdir()

    def test_workers_of_one_server_share_and_others_do_not(self, tmp_path: Path) -> None:
        assert Shelf("a", base=tmp_path).root == Shelf("a", base=tmp_path).root
        assert Shelf("a", base=tmp_path).root != Shelf("b", base=tmp_path).root

    def test_what_a_gone_server_left_is_removed(self, tmp_path: Path) -> None:
        gone = tmp_path / f"cds-live-{os.getuid()}-999999999-abc"
        (gone / "sites").mkdir(parents=True)
        Shelf("a", base=tmp_path)
        assert not gone.exists()

    def test_a_worker_that_is_gone_is_forgotten(self, tmp_path: Path) -> None:
        shelf = Shelf("a", base=tmp_path)
        shelf.tell({"revision": "r", "rejected": ""})
        (shelf.root / "worker-999999999.json").write_text(json.dumps({"revision": "old"}))
        assert [worker["pid"] for worker in shelf.workers()] == [os.getpid()]
        assert not (shelf.root / "worker-999999999.json").exists()

    def test_a_damaged_verdict_is_none(self, tmp_path: Path) -> None:
        shelf = Shelf("a", base=tmp_path)
        shelf.put_verdict(Verdict("c", "r", (BAD,)))
        assert shelf.verdict("c") == Verdict("c", "r", (BAD,))
        (shelf.root / "verdict-c.json").write_text("{")
        assert shelf.verdict("c") is None
