"""Taking a changed site folder live: the watcher, wired to the runtime and to a judging process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cds_service
from cds_service.errors import PackError, Problem
from cds_service.live import snapshot
from cds_service.live.shelf import Shelf
from cds_service.live.watch import INTERRUPTED, SiteWatch
from cds_service.packs.load import load_pack
from cds_service.rules.model import Pack
from cds_service.ruletests.site_verdict import Verdict

LONGEST = 120.0  # seconds for checks and tests
_KEPT_OUT = ("PROMETHEUS_MULTIPROC_DIR",)  # the child counts nothing


def watch(
    hooks: Path,
    site: Path,
    content: str,
    *,
    replace: Callable[[Pack], None],
    reject: Callable[[str, tuple[Problem, ...]], None],
    keep: Callable[[], None],
) -> SiteWatch:
    """A watcher of the site's folder, not started. `content` is what was loaded at the start."""

    def apply(copy: Path, verdict: Verdict) -> None:
        pack = load_pack(hooks, copy, thorough=False)
        try:
            replace(pack)
        except ValueError as error:  # a gap in the checks
            problem = Problem(str(copy), 1, 1, "$", "L003", f"The engine refuses: {error}.")
            raise PackError([problem]) from error

    return SiteWatch(
        site,
        content,
        lambda: Shelf(str(hooks.resolve()), str(site.resolve())),
        judge=lambda copy, digest: judge(hooks, copy, digest),
        apply=apply,
        reject=lambda verdict: reject(verdict.revision or verdict.content, verdict.problems),
        keep=keep,
    )


def content_of(site: Path) -> str:
    """The digest of the folder's content as it is now."""
    return snapshot.take(site).content


def judge(hooks: Path, copy: Path, content: str) -> Verdict:
    """Check and test a copy of the site's folder in a process of its own, so that this one goes on
    answering."""
    from cds_service.ruletests import acceptance  # a serving process needs no test runner

    command = [sys.executable, "-m", acceptance.__name__, str(hooks.resolve()), str(copy), content]
    try:
        done = subprocess.run(
            command, env=_environment(), capture_output=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return _interrupted(copy, content, f"took longer than {LONGEST:.0f} seconds")
    except OSError as error:
        return _interrupted(copy, content, f"could not be started ({type(error).__name__})")
    try:
        return Verdict.from_json(done.stdout.decode())
    except (ValueError, KeyError, TypeError):
        return _interrupted(copy, content, f"ended with exit code {done.returncode}")


def _interrupted(copy: Path, content: str, what: str) -> Verdict:
    message = f"The process that checks and tests the pack {what}."
    hint = "Touch a file of the site to try again, or run: cds rules check; cds rules test"
    return Verdict(content, "", (Problem(str(copy), 1, 1, "$", INTERRUPTED, message, hint),))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _KEPT_OUT}
    root = str(Path(cds_service.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}
