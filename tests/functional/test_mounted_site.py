"""A site's folder as Kubernetes mounts it: a ConfigMap or projected volume is a tree of links.

`site.json -> ..data/site.json`, `rules -> ..data/rules`, `..data -> ..2026_11_21`; an update is one
rename of `..data`.
"""

import json
import shutil
from pathlib import Path

import pytest

from cds_service.live.snapshot import stamp, take
from cds_service.packs.folder import read_folder
from tests.support.server import launched
from tests.support.sites import Site
from tests.support.wire import get, until


class Mounted:
    """The volume; `update` puts another state in place as the kubelet does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._number = 0

    def update(self, source: Path) -> None:
        self._number += 1
        name = f"..2026_11_21_{self._number}"
        shutil.copytree(source, self.root / name)
        for entry in source.iterdir():
            link = self.root / entry.name
            if not link.is_symlink():
                link.symlink_to(Path("..data") / entry.name)
        fresh = self.root / "..data_tmp"
        fresh.symlink_to(name)
        before = (self.root / "..data").resolve() if self._number > 1 else None
        fresh.rename(self.root / "..data")
        if before:
            shutil.rmtree(before)


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    (tmp_path / "volume").mkdir()
    return Mounted(tmp_path / "volume")


@pytest.fixture
def source(tmp_path: Path) -> Site:
    return Site(tmp_path / "source")


def test_the_links_of_a_volume_are_followed(mounted: Mounted, source: Site) -> None:
    source.add_b12()
    mounted.update(source.root)
    folder = read_folder(mounted.root)
    assert folder.problems == []
    assert folder.files == read_folder(source.root).files
    before = stamp(mounted.root)
    source.write("rules/low-b12.json", "{}")
    mounted.update(source.root)
    assert stamp(mounted.root) != before
    assert take(mounted.root).content == take(source.root).content


@pytest.mark.parametrize("target", ["/etc", "..", ".", "rules", "../volume", "elsewhere"])
def test_links_that_lead_out_or_in_a_circle_are_refused(
    mounted: Mounted, source: Site, tmp_path: Path, target: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    mounted.update(source.root)
    (mounted.root / "rules").mkdir(exist_ok=True)
    (mounted.root / "valuesets").unlink(missing_ok=True)
    (mounted.root / "rules/x").symlink_to(f"../{target}" if target[0] not in "/." else target)
    (mounted.root / "valuesets").symlink_to("../elsewhere")
    problems = read_folder(mounted.root).problems
    assert {problem.code for problem in problems} == {"P001"}
    assert {problem.file.rpartition("volume/")[2] for problem in problems} == {
        "rules/x",
        "valuesets",
    }
    stamp(mounted.root)


def test_a_volume_goes_live(mounted: Mounted, source: Site, tmp_path: Path) -> None:
    mounted.update(source.root)
    with launched(tmp_path, CDS_SITE_DIR=str(mounted.root)) as server:
        before = get(server.port, "/readyz").json["pack"]["revision"]
        source.add_b12()
        mounted.update(source.root)
        until(lambda: get(server.port, "/readyz").json["pack"]["revision"] != before)
        good = get(server.port, "/readyz").json["pack"]["revision"]
        source.write("site.json", "{")
        mounted.update(source.root)
        until(lambda: "P003" in json.dumps(get(server.port, "/readyz").json["rejectedPack"]))
        assert get(server.port, "/readyz").json["pack"]["revision"] == good
