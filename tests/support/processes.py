"""Processes below one, as Linux' /proc has them."""

from collections.abc import Iterator
from pathlib import Path


def below(parent: int) -> Iterator[tuple[int, str]]:
    """The processes below one, however deep: id and command line."""
    for process, (_, command) in (every := _every()).items():
        ancestor = process
        while ancestor in every and ancestor != parent:
            ancestor = every[ancestor][0]
        if ancestor == parent and process != parent:
            yield process, command


def _every() -> dict[int, tuple[int, str]]:
    """All processes: the parent and the command line of each."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            continue  # gone by now
        processes[int(folder.name)] = int(status.rpartition(")")[2].split()[1]), command
    return processes
