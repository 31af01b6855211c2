"""A population run of which one process is killed: the first that has written the rows of a bucket
and is about to say so."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SMALL_BUCKETS = """
from cds_service.cli import main
from cds_service.population import packets
packets.BUCKET = 8192
main()
"""
# Read by every Python that starts with its folder on the path, however it is started.
KILL_ONCE = """
import os, pathlib, signal

TOUCH = pathlib.Path.touch
MARKER = pathlib.Path(__file__).with_name("killed")


def touch(path, *arguments, **options):
    if path.parent.name == "parts":
        try:
            TOUCH(MARKER, exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    TOUCH(path, *arguments, **options)


pathlib.Path.touch = touch
"""


def killed_run(place: Path, source: Path, out: Path, *options: str) -> str:
    """Run with small buckets; what was said on stderr. `place` is an empty folder for this alone.
    Raises AssertionError where nothing was killed or the run came to nothing."""
    place.mkdir()
    (place / "sitecustomize.py").write_text(KILL_ONCE)
    command = [sys.executable, "-c", SMALL_BUCKETS, "population", "run", str(source)]
    command += ["--out", str(out), "--jobs", "2", *options]
    path = os.pathsep.join([str(place), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "CDS_AUTH": "off"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (place / "killed").exists()
    assert len(list(out.glob("parts/*"))) > 5
    return done.stderr
