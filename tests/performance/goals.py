"""The goals of the bench, and how a figure stands to its goal.

A miss fails nothing: figures depend on the machine and on who else uses it.
"""

# Times the yardstick: CPU, p50 and p99.
YARDSTICK = {"quiet": 1.0, "typical": 1.7, "large": 0.7, "small": 2.2}
START_MS = 600.0
IDLE_MB = 100.0  # two workers and their master, shared pages counted once


def judged(ratio: float, most: float) -> str:
    """A ratio with its mark."""
    return f"ratio {ratio:.2f} {mark(ratio, most)}"


def mark(value: float, most: float) -> str:
    """Whether a figure keeps to its goal."""
    return f"[ok, goal {most:g}]" if value <= most else f"[MISS, goal {most:g}]"
