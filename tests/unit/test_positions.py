"""Strict JSON: what is refused, where, and that the quick and the thorough reader agree."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.packs.positions import MAX_BYTES, Document, json_path, parse
from cds_service.packs.scanner import MAX_DEPTH, scan


def read(raw: str | bytes) -> tuple[Document | None, list[tuple[str, int, int, str]]]:
    content = raw.encode() if isinstance(raw, str) else raw
    document, problems = parse("rule.json", Path("rule.json"), content)
    return document, [(p.code, p.line, p.column, p.path) for p in problems]


def test_numbers_keep_their_digits() -> None:
    document, _ = read('{"value": 3.50, "count": 12}')
    assert document is not None
    assert document.data == {"value": Decimal("3.50"), "count": 12}
    assert str(document.data["value"]) == "3.50"


def test_a_byte_order_mark_is_accepted_and_does_not_move_columns() -> None:
    document, problems = read(b'\xef\xbb\xbf{"a": 1}')
    assert problems == []
    assert document is not None
    assert document.place(("a",), key=True) == (1, 2)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('{"a": 1,\n "a": 2}', [("P004", 2, 2, "$.a")]),
        ('{"a": {"b": 1, "b": 2}, "a": 3}', [("P004", 1, 16, "$.a.b"), ("P004", 1, 25, "$.a")]),
        ('{"a": NaN}', [("P005", 1, 7, "$.a")]),
        ("[1, -Infinity]", [("P005", 1, 5, "$[1]")]),
        ('{"a": 1e31}', [("P006", 1, 7, "$.a")]),
        ('{"a": 1234567890123456789}', [("P006", 1, 7, "$.a")]),
        ('{"a": "\\u0000"}', [("P010", 1, 7, "$.a")]),
        ('{"a": "\\ud800"}', [("P010", 1, 7, "$.a")]),
        ('{"a": 01}', [("P003", 1, 8, "$")]),
        ('{"a": .5}', [("P003", 1, 7, "$.a")]),
        ('{"a": "x\ny"}', [("P003", 1, 7, "$.a")]),
        ('{"a": 1,}', [("P003", 1, 9, "$")]),
        ("[1,\n2,\n]", [("P003", 3, 1, "$")]),
        ("", [("P003", 1, 1, "$")]),
        ('{"a"', [("P003", 1, 5, "$.a")]),
        (b'{"a":\n "\xff"}', [("P002", 2, 3, "$")]),
        (b"\xff\xfe{\x00}\x00", [("P002", 1, 1, "$")]),
        (b"\x00", [("P003", 1, 1, "$")]),
    ],
)
def test_refusals_have_their_place(raw: str | bytes, expected: list[Any]) -> None:
    assert read(raw) == (None, expected)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_is_capped_and_never_a_crash(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    fine = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert read(fine)[1] == []
    for depth in (MAX_DEPTH + 1, 100_000):
        assert [code for code, *_ in read(opening * depth + "1" + closing * depth)[1]] == ["P007"]
        assert [code for code, *_ in read(opening * depth)[1]] == ["P007"]


def test_size_is_capped() -> None:
    assert [code for code, *_ in read(b" " * (MAX_BYTES + 1))[1]] == ["P008"]


def test_places_of_keys_values_and_missing_things() -> None:
    document, _ = read('{\n  "when": {\r\n    "all": [1,\n      {"op": "lt"}]\n  }\n}\n')
    assert document is not None
    assert document.place(("when", "all", 1, "op")) == (4, 14)
    assert document.place(("when", "all", 1, "op"), key=True) == (4, 8)
    assert document.place(("when", "all", 1, "unit")) == (4, 7)
    assert document.place(("nothing", "here")) == (1, 1)


def test_json_paths_quote_what_is_no_word() -> None:
    assert json_path(("facts", "lab.x", 0, "a-b", "")) == '$.facts["lab.x"][0].a-b[""]'


texts = st.text(alphabet='{}[]":,0123456789.eE+-truefalsn\\u \n\td8a', max_size=40)


@given(texts)
def test_both_readers_agree_on_any_text(text: str) -> None:
    document, problems = parse("x.json", Path("x.json"), text.encode())
    assert (document is None) == bool(scan(text).faults) == bool(problems)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 2]))
def test_what_json_writes_is_read_and_every_value_is_where_the_scan_says(
    value: Any, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    document, problems = parse("x.json", Path("x.json"), text.encode("utf-8", "surrogatepass"))
    if document is None:
        assert {p.code for p in problems} <= {"P002", "P003", "P010"}
        return
    assert document.data == value
    lines = text.split("\n")
    for path, place in scan(text).values.items():
        wanted = value
        for part in path:
            wanted = wanted[part]
        if isinstance(wanted, str):
            quoted = json.dumps(wanted, ensure_ascii=False)
            assert lines[place.line - 1][place.column - 1 :].startswith(quoted)
