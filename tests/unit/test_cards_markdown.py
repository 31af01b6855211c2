"""Chart text can never become markup, HTML or a link on a card (spec H5, H6)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards.markdown import escape, plain, shorten

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TAGS = re.compile(r"<[^>]*>")


def rendered_tags(markdown: str) -> list[str]:
    return TAGS.findall(RENDERER.render(markdown))


def rendered_text(markdown: str) -> str:
    html = TAGS.sub("", RENDERER.render(markdown)).strip()
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        html = html.replace(entity, character)
    return html


MARKUP = st.text(alphabet="\\`*_{}[]()<>&|#+-.!~$=:/@\"' \n\tahpst1w", max_size=60)


@given(st.one_of(st.text(max_size=60), MARKUP))
def test_chart_text_renders_as_itself(text: str) -> None:
    escaped = escape(text)
    assert rendered_tags(escaped) == (["<p>", "</p>"] if escaped else [])
    assert rendered_text(escaped) == plain(text.replace("@", " at "))


@given(st.one_of(st.text(max_size=60), MARKUP))
def test_chart_text_renders_as_itself_in_a_list(text: str) -> None:
    allowed = {"<ul>", "</ul>", "<li>", "</li>"}
    assert set(rendered_tags(f"- {escape(text)}: 2026")) == allowed


@given(MARKUP)
def test_no_raw_angle_bracket_newline_or_link_scheme(text: str) -> None:
    escaped = escape(text)
    assert not re.search(r"[<>\n\r]", escaped)
    assert not re.search(r"://|\bwww\.|@", escaped, re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("hydrochlorothiazide 25 mg", "hydrochlorothiazide 25 mg"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[click](http://x.example)", r"\[click\](http:\//x.example)"),
        ("see www.example.org", r"see www\.example.org"),
        ("a|b*c_d`e", r"a\|b\*c\_d\`e"),
        ("two\nlines", "two lines"),
        ("- not a list", r"\- not a list"),
        ("1. not a list", r"1\. not a list"),
        ("left\u202eright", "left right"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text(max_size=400), st.integers(min_value=10, max_value=139))
def test_shortened_text_keeps_to_its_length(text: str, longest: int) -> None:
    short = shorten(text, longest)
    assert len(short) <= longest
    assert short == text or short.endswith("...")


def test_a_long_line_is_cut_at_a_word() -> None:
    assert shorten("review the need and the dose", 20) == "review the need..."


def test_a_long_word_is_cut_where_the_room_ends() -> None:
    assert shorten("x" * 30, 10) == "xxxxxxx..."


def test_long_chart_text_is_capped() -> None:
    assert len(plain("word " * 100)) <= 120
