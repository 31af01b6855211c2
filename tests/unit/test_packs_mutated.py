"""Two hundred packs, each with one thing changed at random: refused with a place, or loaded.

Never an exception of another kind: that would be a traceback for the administrator.
"""

import copy
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.errors import PackError
from cds_service.packs.load import check_pack, load_pack

TINY = Path(__file__).resolve().parents[2] / "fixtures" / "rules" / "good" / "tiny" / "hooks"
FILES = sorted(path.relative_to(TINY) for path in TINY.rglob("*.json"))
ODD: list[Any] = [
    None, True, 0, -1, 3.5, 10**17, "", "x", "\n", "{", "{?", "P1D", [], [None], [[]], {}, {"a": 1},
    {"all": []}, {"is": "rls"}, {"not": {"not": {"not": {"not": {"not": {"not": {}}}}}}}, ["x"] * 3,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*path, key))


def changed(data: Any, choice: random.Random) -> Any:
    data = copy.deepcopy(data)
    path = choice.choice(list(places(data)))
    if not path:
        return choice.choice(ODD)
    parent = data
    for part in path[:-1]:
        parent = parent[part]
    match choice.choice(["replace", "replace", "remove", "rename"]):
        case "remove":
            del parent[path[-1]]
        case "rename" if isinstance(parent, dict):
            parent[choice.choice(["", "x", f"{path[-1]}s", "é"])] = parent.pop(path[-1])
        case _:
            parent[path[-1]] = choice.choice(ODD)
    return data


def broken(text: str, choice: random.Random) -> str:
    at = choice.randrange(len(text))
    return choice.choice(
        [
            text[:at],
            text[:at] + text[at + 1 :],
            text[:at] + choice.choice('{}[]",:0\\\x00é') + text[at:],
        ]
    )


@pytest.mark.parametrize("seed", range(200))
def test_a_pack_with_one_change_is_refused_with_its_place_or_harmless(
    seed: int, tmp_path: Path
) -> None:
    choice = random.Random(seed)
    hooks = Path(shutil.copytree(TINY, tmp_path / "hooks"))
    file = hooks / choice.choice(FILES)
    if choice.random() < 0.3:
        file.write_text(broken(file.read_text("utf-8"), choice), "utf-8")
    else:
        file.write_text(json.dumps(changed(json.loads(file.read_text("utf-8")), choice)), "utf-8")
    problems = check_pack(hooks)
    assert all(p.line >= 1 and p.column >= 1 and p.message and p.file for p in problems)
    if any(p.severity == "error" for p in problems):
        with pytest.raises(PackError):
            load_pack(hooks)
    else:
        assert load_pack(hooks).revision
