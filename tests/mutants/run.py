"""Sampled mutation of the program: `make mutants-py` prints the changes that no test notices.

Mutants are sampled from the modules that decide what is said. Each is tried in a copy of the
checkout: first the pack's own tests, then the tests that ran the changed line, the quickest first.
"""

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from coverage import CoverageData

from tests.mutants.changes import Mutant, count, mutant

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "mutants"
PACKAGES = ("facts", "rules", "gather", "cards", "callers")
SAMPLE = 60
WORKERS = 2
MOST_TESTS = 120  # test functions that a mutant must survive
SECONDS = 240  # after which a mutant counts as noticed: it made something endless
COPIED = ("cds_service",)  # what a mutant changes; the rest is linked
# What runs in a second or so; tests of the pack itself go first, by `cds rules test`. What is read
# from an EHR's server is held by tests that have one, what a site's numbers say by those of cards,
# what is told of a token by those of the commands, what an entry says of its whole list by calls.
TESTS = (
    "unit",
    "spec",
    "property",
    "conformance",
    "security",
    "functional/test_fhir_fallback.py",
    "functional/test_site_on_cards.py",
    "functional/test_cli_tokens.py",
    "functional/test_nothing_known.py",
)
# For lines that run when a module is imported, before any test: among them the numbers that the
# documents tell.
OF_IMPORTS = ("unit", "spec", "docs/test_fhir_access.py", "docs/test_conformance_page.py")
SLOW = ("security/test_everything_logged.py",)
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header")


@dataclass(frozen=True)
class Trial:
    """A mutant of a module (its path below the root)."""

    module: Path
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.module}:{self.mutant.line}  {self.mutant.change}"


def main(arguments: list[str]) -> int:
    """Sample, try, report. The exit status says whether the wanted share was noticed."""
    options = _options(arguments)
    folders = [ROOT / "cds_service" / package for package in options.packages]
    modules = [module for folder in folders for module in sorted(folder.rglob("*.py"))]
    texts = {module: module.read_text("utf-8") for module in modules}
    places = [(module, n) for module, text in texts.items() for n in range(count(text))]
    random.Random(options.seed).shuffle(places)
    sample = [
        Trial(module.relative_to(ROOT), mutant(texts[module], number))
        for module, number in sorted(places[: options.sample])
    ]
    print(f"{len(sample)} of {len(places)} mutants of {len(modules)} modules, seed {options.seed}")
    survivors = list(_survivors(sample, _who_ran_what(modules)))
    for trial in survivors:
        print(f"not noticed: {trial}")
    noticed = len(sample) - len(survivors)
    print(f"{noticed} of {len(sample)} noticed ({100 * noticed / max(1, len(sample)):.0f} %)")
    return int(noticed < options.least / 100 * len(sample))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants-py", description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES, help="packages of cds_service")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="another sample")
    parser.add_argument("--least", type=float, default=0, help="per cent that must be noticed")
    return parser.parse_args(arguments)


def _survivors(sample: Iterable[Trial], ran: CoverageData) -> Iterator[Trial]:
    copies: Queue[Path] = Queue()
    with _copies() as folders, ThreadPoolExecutor(len(folders)) as pool:
        for folder in folders:
            copies.put(folder)

        def attempt(trial: Trial) -> bool:
            folder = copies.get()
            try:
                return _noticed(trial, folder, _tests(ran, trial))
            finally:
                copies.put(folder)

        tried = list(sample)
        for trial, noticed in zip(tried, pool.map(attempt, tried), strict=True):
            print("." if noticed else "S", end="", flush=True)
            if not noticed:
                yield trial
    print()


def _noticed(trial: Trial, folder: Path, tests: list[str]) -> bool:
    target = folder / trial.module
    before = target.read_bytes()
    target.write_text(trial.mutant.source, "utf-8")
    try:
        cds = ("-c", "from cds_service.cli import main; main()", "rules", "test")
        return not (_passes(folder, cds) and _passes(folder, (*PYTEST, *tests)))
    finally:
        target.write_bytes(before)


def _passes(folder: Path, arguments: Iterable[str]) -> bool:
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _tests(ran: CoverageData, trial: Trial) -> list[str]:
    """The test functions that ran the changed line; without any, those of OF_IMPORTS."""
    lines = ran.contexts_by_lineno(str(ROOT / trial.module))
    tests = sorted({test for test in lines.get(trial.mutant.line, ()) if test})
    random.Random(str(trial)).shuffle(tests)
    tests.sort(key=lambda test: not test.startswith(("tests/unit", "tests/spec")))
    return tests[:MOST_TESTS] or [f"tests/{name}" for name in OF_IMPORTS]


def _who_ran_what(modules: Iterable[Path]) -> CoverageData:
    """Which test ran which line; measured once for a state of the program and its tests."""
    digest = hashlib.sha256()
    for path in [*modules, *sorted((ROOT / "tests").rglob("*.py"))]:
        digest.update(path.read_bytes())
    file = HOME / f"coverage-{digest.hexdigest()[:16]}"
    if not file.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        print("measuring which test runs which line ...", flush=True)
        settings = HOME / "coveragerc"
        settings.write_text(f"[run]\ndata_file = {file}.part\nsource = cds_service\n", "utf-8")
        tests = [f"tests/{folder}" for folder in TESTS]
        skipped = [f"--deselect=tests/{name}" for name in SLOW]
        pytest = ["-p", "tests.mutants.contexts", *PYTEST[2:], *tests, *skipped]
        pytest.remove("-x")
        command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m"]
        subprocess.run([*command, "pytest", *pytest], cwd=ROOT, check=False)
        Path(f"{file}.part").rename(file)
    data = CoverageData(str(file))
    data.read()
    return data


@contextmanager
def _copies() -> Iterator[list[Path]]:
    """A checkout for each worker: the program copied, the rest linked."""
    folders = [HOME / f"copy-{number}" for number in range(WORKERS)]
    try:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for path in ROOT.iterdir():
                if path.name in COPIED:
                    shutil.copytree(path, folder / path.name)
                elif not path.name.startswith(".") and path.name != "build":
                    (folder / path.name).symlink_to(path)
        yield folders
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
