"""A ratio with its 95 % confidence interval, where patients, not encounters, are the sample.

The encounters of one patient are alike, so an interval that took each as a case of its own would
be too narrow. Linearised variance of a ratio of totals over clusters (Cochran, Sampling
Techniques, 3rd edition 1977, section 6.4); without any alert the rule of three (Hanley and
Lippman-Hand, JAMA 1983;249:1743).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

Z = 1.959964  # the 97.5 % point of the normal distribution
RULE_OF_THREE = 3.0


@dataclass
class Ratio:
    """Sums over patients of x (calls) and y (alerts), and of their products."""

    patients: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def add(self, patients: int, x: float, y: float, xx: float, xy: float, yy: float) -> None:
        """Take in the sums of more patients."""
        self.patients += patients
        self.x += x
        self.y += y
        self.xx += xx
        self.xy += xy
        self.yy += yy

    def per_hundred(self) -> Mapping[str, float]:
        """Alerts per 100 calls: value, low, high."""
        if not self.x:
            return {"value": 0.0, "low": 0.0, "high": 0.0}
        if not self.y:
            high = min(1.0, RULE_OF_THREE / max(self.patients, 1))
            return {"value": 0.0, "low": 0.0, "high": round(100 * high, 2)}
        rate = self.y / self.x
        half = Z * sqrt(self._variance(rate))
        low, high = max(0.0, rate - half), rate + half
        return {k: round(100 * v, 2) for k, v in (("value", rate), ("low", low), ("high", high))}

    def _variance(self, rate: float) -> float:
        if self.patients < 2:
            return rate / self.x
        squares = self.yy - 2 * rate * self.xy + rate * rate * self.xx
        correction = self.patients / (self.patients - 1)
        return max(0.0, squares) * correction / (self.x * self.x)
