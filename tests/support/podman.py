"""Podman without a daemon, also where the machine gives it less than it asks for.

`IMAGE_STORE` names the folder in which `.ci/build-image` has put the image.
"""

import os
import resource
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

IMAGE = "leg-cramps-cds"
# As compose.yaml and the Kubernetes manifests run it.
HARDENED = (
    "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    "--network=host",
)  # fmt: skip
# Control groups of both versions at once are more than crun takes: it is shown the first alone.
FIRST_CGROUPS = (
    "unshare", "--mount", "sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh",
)  # fmt: skip


class Podman:
    """Runs containers of the image."""

    def __init__(self, store: Path, wrap: Sequence[str]) -> None:
        self._command = [
            *wrap, "podman", f"--root={store}/root", f"--runroot={store}/run",
            "--cgroup-manager=cgroupfs",
        ]  # fmt: skip

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of Podman. Raises CalledProcessError, with what it said."""
        done = subprocess.run(
            [*self._command, *arguments], check=False, capture_output=True, text=True
        )
        if check and done.returncode:
            raise AssertionError(f"podman {arguments[0]}: {done.stdout}{done.stderr}")
        return done

    def run(self, *arguments: str, **environ: str) -> str:
        """What a container that ends by itself prints."""
        return self("run", "--rm", *_options(environ), IMAGE, *arguments).stdout

    @contextmanager
    def started(self, *options: str, **environ: str) -> Iterator[str]:
        """A container that serves; yields its name."""
        name = f"cds-{uuid.uuid4().hex[:12]}"
        try:
            self("run", "--detach", "--name", name, *_options(environ), *options, IMAGE)
            yield name
        finally:
            self("rm", "--force", "--time=0", name, check=False)


def _options(environ: dict[str, str]) -> list[str]:
    """No more of anything than this process has: a higher limit needs a right of its own."""
    limits = [
        f"--ulimit={name}={min(most, 4096)}:{min(most, 4096)}"
        for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
        for most in [resource.getrlimit(kind)[0] % 2**31]
    ]
    settings = [f"--env={name}={value}" for name, value in environ.items()]
    return [*HARDENED, "--cgroups=disabled", *limits, *settings]


def usable() -> Podman:
    """Skips by name what the machine cannot do."""
    if "IMAGE_STORE" not in os.environ:
        pytest.skip("IMAGE_STORE names no image (make image)")
    store = Path(os.environ["IMAGE_STORE"])
    said = []
    for wrap in ((), FIRST_CGROUPS):
        podman = Podman(store, wrap)
        tried = podman("run", "--rm", *_options({}), IMAGE, "--version", check=False)
        if tried.returncode == 0:
            return podman
        said.append(tried.stderr.strip())
    pytest.skip(f"podman runs no container here: {'; '.join(said)}")
