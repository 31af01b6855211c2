"""Whether a copy of a site's folder may go live: every check, then every test.

A process of its own: `python -m cds_service.ruletests.acceptance HOOKS COPY CONTENT` prints a
`Verdict` as JSON.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cds_service.cards.compose import compose
from cds_service.errors import PackError, Problem
from cds_service.packs.effective import chosen_profiles
from cds_service.packs.load import load_pack
from cds_service.packs.problem_text import in_order
from cds_service.packs.revision import revision
from cds_service.packs.source import read_source
from cds_service.ruletests.runner import FileResult, Report
from cds_service.ruletests.site_verdict import Verdict
from cds_service.ruletests.testing import run_tests

FAILED_TEST = "L001"
_NICER = 10  # answering calls goes before judging


def accept(hooks: Path, site: Path, content: str) -> Verdict:
    """Check and test. The revision is that of the whole pack, also of one that is refused."""
    try:
        pack = load_pack(hooks, site)
    except PackError as error:
        source = read_source(hooks, site)
        digest = revision(source, chosen_profiles(source, None)).digest
        return Verdict(content, digest, tuple(error.problems))
    failures = _failures_of(run_tests(hooks, site, (), compose))
    if failures:
        # What fails without the site too is no reason to keep the site's change out.
        failures -= _failures_of(run_tests(hooks, None, (hooks,), compose))
    return Verdict(content, pack.revision, tuple(in_order(failures)))


def _failures_of(report: Report) -> set[Problem]:
    return {problem for file in report.files for problem in _failures(file)}


def _failures(file: FileResult) -> Iterator[Problem]:
    hint = "Run: cds rules test"
    for fault in file.problems:
        yield Problem(str(file.path), 1, 1, "$", FAILED_TEST, f"{fault}.", hint)
    for case in file.cases:
        if not case.passed:
            message = f"The case '{case.name}' failed: {case.problems[0]}."
            yield Problem(str(file.path), 1, 1, "$.cases", FAILED_TEST, message, hint)


def main(hooks: str, site: str, content: str) -> None:
    """Print the verdict."""
    os.nice(_NICER)
    print(accept(Path(hooks), Path(site), content).to_json())


if __name__ == "__main__":
    main(*sys.argv[1:4])
