"""Small cells: a count from 1 to 10 could point at a person, so it is not shown.

Eleven is the smallest cell that the US Centers for Medicare & Medicaid Services let out (CMS cell
size suppression policy); a count of none is shown. Where one part of a whole is hidden, the next
smallest is hidden too, or it could be worked out from the rest.
"""

from collections.abc import Mapping

SMALLEST = 11
HIDDEN = f"under {SMALLEST}"


def count(number: int) -> int | None:
    """The number, or None where it is too small to be shown."""
    return None if 0 < number < SMALLEST else number


def parts(numbers: Mapping[str, int]) -> dict[str, int | None]:
    """The parts of a whole."""
    shown = {name: count(number) for name, number in numbers.items()}
    hidden = [name for name, number in shown.items() if number is None]
    if len(hidden) == 1:
        others = {name: number for name, number in shown.items() if number}
        if others:
            shown[min(others, key=lambda name: others[name] or 0)] = None
    return shown
