"""The sample requests of fixtures/, as JSON values that a test may change."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent / "fixtures"


def request(name: str) -> Any:
    """A request by its path below fixtures/requests, without the suffix: "order-select/quinine"."""
    return json.loads((ROOT / "requests" / f"{name}.json").read_text("utf-8"))
