"""The list of reasons for a 401 is the list of those that the program gives."""

import re
from pathlib import Path

from cds_service.callers.reasons import REASONS

SOURCES = [*Path("cds_service/callers").glob("*.py"), Path("cds_service/web/auth.py")]
TEXT = "\n".join(path.read_text("utf-8") for path in SOURCES)


def test_each_reason_that_is_given_is_listed_and_the_other_way_round() -> None:
    given = set(re.findall(r'\bRefused\("([^"]+)"\)', TEXT))
    named = set(re.findall(r'_(?:text|seconds)\([^)]*"([a-z]+)"\)', TEXT))
    assert given | {f"{name}-missing" for name in named} == set(REASONS)


def test_the_operators_guide_lists_them_in_these_words() -> None:
    guide = Path("docs/operators-guide.md").read_text("utf-8")
    section = guide.split("### Why a token is refused\n")[1].split("\n## ")[0]
    assert dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.M)) == REASONS
