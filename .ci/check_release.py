"""Whether dist/ holds a whole release of a version (the first argument); prints what is wrong."""

import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
MACHINE = re.compile(rb"file://|/home/|/root/|/tmp/|--index-url|--find-links")


def problems(version: str) -> Iterator[str]:
    name = f"leg_cramps_cds-{version}"
    wheel = f"{name}-py3-none-any.whl"
    data = f"leg_cramps_cds_terminology-{_terminology()}-py3-none-any.whl"
    wanted = {f"{name}.tar.gz", wheel, data, f"{name}.cdx.json", "SHA256SUMS"}
    present = {path.name for path in DIST.iterdir()}
    if present != wanted:
        yield f"dist/ holds {sorted(present)} and should hold {sorted(wanted)}"
        return
    if f"\n## {version} - " not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        yield f"CHANGELOG.md has no heading '## {version} - DATE'"
    yield from _materials(DIST / f"{name}.cdx.json")
    yield from _contents(DIST / wheel, DIST / f"{name}.tar.gz", name)
    yield from _data(DIST / data)
    for path in [DIST / f"{name}.cdx.json", *sorted(ROOT.glob("requirements*.lock"))]:
        if MACHINE.search(path.read_bytes()):
            yield f"{path.name} names a machine's path or an index"


def _materials(path: Path) -> Iterator[str]:
    components = {c["name"].lower(): c for c in json.loads(path.read_bytes())["components"]}
    listed = {re.sub(r"[-_.]+", "-", name): c["version"] for name, c in components.items()}
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)(?= \\)", lock, re.MULTILINE)
    for package, version in pins:
        if listed.get(package) != version:
            yield f"the bill of materials has {package} {listed.get(package)}, the lock {version}"


def _terminology() -> str:
    """The calendar version that the wheel of value sets and drugs has."""
    return str(json.loads((ROOT / "hooks" / "pack.json").read_bytes())["terminology"])


def _data(wheel: Path) -> Iterator[str]:
    """The terminology wheel holds what hooks/ holds, byte for byte."""
    shipped = [*sorted((ROOT / "hooks" / "valuesets").glob("*.json")), ROOT / "hooks/drugs.json"]
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
        for path in shipped:
            name = f"leg_cramps_cds_terminology/data/{path.relative_to(ROOT / 'hooks')}"
            if name not in inside or archive.read(name) != path.read_bytes():
                yield f"the terminology wheel has another {path.relative_to(ROOT)}"


def _contents(wheel: Path, source: Path, name: str) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    for folder, packaged in (("hooks", "_hooks"), ("fixtures/requests", "_samples")):
        for path in sorted((ROOT / folder).rglob("*.json")):
            if f"cds_service/{packaged}/{path.relative_to(ROOT / folder)}" not in inside:
                yield f"the wheel lacks {path.relative_to(ROOT)}"
    with tarfile.open(source) as archive:
        sources = set(archive.getnames())
    for file in ("LICENSE", "NOTICE", "CHANGELOG.md", "Makefile", "tests/conftest.py"):
        if f"{name}/{file}" not in sources:
            yield f"the source distribution lacks {file}"


if __name__ == "__main__":
    found = list(problems(sys.argv[1]))
    for problem in found:
        print(f"release: {problem}", file=sys.stderr)
    sys.exit(1 if found else 0)
