"""National Drug Codes as eleven digits: labeler (5), product (4), package (2).

They are written with ten digits in three layouts (4-4-2, 5-3-2, 5-4-1) or with eleven; a missing
digit is a zero in front of the part that is short. Ten digits without hyphens leave open which.
"""

_PARTS = (5, 4, 2)
_TEN = ((4, 4, 2), (5, 3, 2), (5, 4, 1))


def eleven_digits(code: str) -> tuple[str, ...]:
    """What a code may be in eleven digits; none for what is no package code."""
    text = code.strip()
    if "-" in text:
        return _joined(text.split("-"))
    if not (text.isascii() and text.isdigit()):
        return ()
    if len(text) == 12 and text.startswith("0"):
        text = text[1:]
    if len(text) == 11:
        return (text,)
    if len(text) != 10:
        return ()
    return tuple(
        dict.fromkeys(spelling for layout in _TEN for spelling in _joined(_cut(text, layout)))
    )


def _cut(text: str, layout: tuple[int, ...]) -> list[str]:
    first, second, _ = layout
    return [text[:first], text[first : first + second], text[first + second :]]


def _joined(parts: list[str]) -> tuple[str, ...]:
    sizes = tuple(map(len, parts))
    digits = all(part.isascii() and part.isdigit() for part in parts)
    if not digits or sizes not in (*_TEN, _PARTS):
        return ()
    return ("".join(part.zfill(size) for part, size in zip(parts, _PARTS, strict=True)),)
