"""All tests of a pack and a site, each against the pack that it is about.

Tests of shipped rules run on the shipped rules, settings and wordings over the site's facts,
definitions, value sets and orders; tests of the site's rules run on everything that is in force.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cds_service.packs.build import with_profiles
from cds_service.packs.load import load_as_shipped, load_pack
from cds_service.rules.model import Pack
from cds_service.ruletests import runner
from cds_service.ruletests.runner import FileResult, Report
from cds_service.ruletests.trial import Bench, Compose, PackFor


def run_tests(
    hooks: Path, site: Path | None, paths: Sequence[Path], compose: Compose | None
) -> Report:
    """Run the tests of the given files and folders; of both folders without any.

    Raises PackError for a pack that is refused.
    """
    results: list[FileResult] = []
    for files, bench in benches(hooks, site, paths):
        results += runner.run(files, bench, compose).files
    return Report(tuple(results))


def benches(
    hooks: Path, site: Path | None, paths: Sequence[Path]
) -> Iterator[tuple[list[Path], Bench]]:
    """The test files, each with the bench for the pack that it is about. Raises PackError."""
    files = test_files([*paths] or [folder for folder in (hooks, site) if folder])
    own, shipped = _parted(files, site)
    bundles = bundles_of(hooks)
    if shipped:
        pack = load_as_shipped(hooks, site) if site else load_pack(hooks, thorough=False)
        yield shipped, Bench(_under(pack), bundles)
    if own:
        yield own, Bench(_under(load_pack(hooks, site, thorough=False)), bundles)


def test_files(places: Iterable[Path]) -> list[Path]:
    """The test files among files and folders."""
    return [
        file
        for place in places
        for file in ([place] if place.is_file() else runner.test_files(place))
    ]


test_files.__test__ = False  # type: ignore[attr-defined]


def bundles_of(hooks: Path) -> Path | None:
    """The folder of a pack in which test cases find whole patients, if it has one."""
    folder = hooks / "patients"
    return folder if folder.is_dir() else None


def _parted(files: Iterable[Path], site: Path | None) -> tuple[list[Path], list[Path]]:
    """Those of the site, and the others."""
    own: list[Path] = []
    others: list[Path] = []
    home = site.resolve() if site else None
    for file in files:
        mine = home is not None and file.resolve().is_relative_to(home)
        (own if mine else others).append(file)
    return own, others


def _under(pack: Pack) -> PackFor:
    return lambda profiles: pack if profiles is None else with_profiles(pack, profiles)
