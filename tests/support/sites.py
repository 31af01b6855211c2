"""A site's folder for tests: a rule of its own about vitamin B12, with all that it needs."""

import json
from pathlib import Path
from typing import Any

Json = Any

NOW = "2026-11-21T09:00:00Z"
B12 = "2132-9"
RULE = "labs.low-b12"

VALUE_SET: Json = {
    "resourceType": "ValueSet",
    "id": "obs-b12-here",
    "url": "https://hospital.example.org/ValueSet/obs-b12-here",
    "version": "2026-11-01",
    "status": "active",
    "title": "Vitamin B12 in our laboratory",
    "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": B12}]}]},
}
FACTS: Json = {
    "facts": {
        "lab.b12": {
            "kind": "quantity",
            "title": "vitamin B12",
            "valueSet": "obs-b12-here",
            "analyte": "obs-vitamin-b12",
            "unit": "pg/mL",
            "plausible": {"above": 0, "atMost": 100000},
        }
    }
}


def rule(threshold: float = 200, status: str = "active", word: str = "low") -> Json:
    """Cramps and a low vitamin B12. `word` goes into the summary, to tell versions apart."""
    return {
        "id": RULE,
        "version": "1.0.0",
        "status": status,
        "hooks": ["patient-view"],
        "group": "redflag",
        "title": "Low vitamin B12 with leg cramps",
        "claims": [],
        "sources": [{"label": "Local guideline"}],
        "about": ["lab.b12"],
        "when": {
            "all": [
                {"is": "cramp-complaint"},
                {"fact": "lab.b12", "op": "lt", "value": threshold, "unit": "pg/mL"},
            ]
        },
        "whenUnknown": "silent",
        "card": {
            "indicator": "warning",
            "summary": f"Leg cramps and a {word} vitamin B12 ({{lab.b12.value}} pg/mL)",
        },
    }


def tests(threshold: float = 200) -> Json:
    """Its tests: below, at the threshold, and missing data."""

    def case(name: str, value: float | None, outcome: str, **more: Json) -> Json:
        observation = [{"code": f"loinc:{B12}", "value": f"{value} pg/mL"}] if value else []
        chart = {"conditions": ["icd10:G47.62"], "observations": observation}
        return {"name": name, "chart": chart | more, "expect": {RULE: outcome}, "others": "any"}

    return {
        "now": NOW,
        "service": "leg-cramps-patient-view",
        "cases": [
            case("below", threshold - 1, "fires"),
            case("at the threshold", threshold, "no"),
            case("not to be had", None, "unknown", failed=["observations"]),
        ],
    }


class Site:
    """Writes a site's folder."""

    def __init__(self, root: Path, content: Json | None = None) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.write("site.json", content or {})

    def write(self, name: str, content: Json) -> Path:
        """One file; text as it is, anything else as JSON."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    def add_b12(self, threshold: float = 200, status: str = "active", word: str = "low") -> None:
        """The rule with all that it needs, last of all the rule itself."""
        self.write("valuesets/obs-b12-here.json", VALUE_SET)
        self.write("facts.json", FACTS)
        self.write("rules/low-b12.test.json", tests(threshold))
        self.write("rules/low-b12.json", rule(threshold, status, word))

    def remove(self, *names: str) -> None:
        for name in names:
            (self.root / name).unlink()
