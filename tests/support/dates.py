"""Dates moved in what is written of a call."""

import json
import re
from datetime import date, timedelta
from typing import Any

_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}")


def moved(written: Any, call: Any, days: int) -> Any:
    """The same with each of the call's dates so many days later; a rule's own dates stay."""
    dates = set(_DATE.findall(json.dumps(call)))

    def later(found: re.Match[str]) -> str:
        if found[0] not in dates:
            return found[0]
        return (date.fromisoformat(found[0]) + timedelta(days)).isoformat()

    return json.loads(_DATE.sub(later, json.dumps(written)))
