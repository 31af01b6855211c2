"""What /readyz says about changes of the site's folder: what was refused, and who runs what."""

from collections.abc import Mapping
from typing import Any

from cds_service.errors import Problem
from cds_service.live.active import Rejected
from cds_service.live.watch import SiteWatch


def rejected_pack(rejected: Rejected | None) -> Any:
    """The last refused pack with its first errors; "none" since the last change that was good."""
    if rejected is None:
        return "none"
    return {
        "revision": rejected.revision,
        "problems": rejected.count,
        "first": [_words(problem) for problem in rejected.errors],
    }


def state(revision: str, rejected: Rejected | None) -> dict[str, str]:
    """What one worker tells the others."""
    return {"revision": revision, "rejected": rejected.revision if rejected else ""}


def workers(watch: SiteWatch | None) -> Mapping[str, Any]:
    """The workers seen so far, and whether all run the same pack; nothing without a site."""
    if watch is None:
        return {}
    look = {"siteLook": "hangs: no change of the folder is seen" if watch.hangs else "ok"}
    shelf = watch.shelf
    if shelf is None:
        return {"workers": "unknown: no temporary folder can be made", **look}
    running = shelf.workers()
    return {
        **look,
        "workers": running,
        "workersAgree": len({worker.get("revision") for worker in running}) <= 1,
    }


def _words(problem: Problem) -> str:
    """Place, code and sentence. They quote files of the pack, which hold nothing of a patient."""
    return f"{problem.file}:{problem.line}:{problem.column} {problem.code} {problem.message}"
