"""The sample answers of fixtures/responses. `python -m tests.support.responses` writes them anew.

Uuids and the pack's revision change with every call or edit, so they are replaced by constants.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.support import fixtures
from tests.support.calls import NOW, SERVICE_OF

RESPONSES = fixtures.ROOT / "responses"
NAMES = (
    "patient-view/any-year",
    "patient-view/cramps-and-restless-legs",
    "patient-view/no-leg-complaint",
    "patient-view/conditions-not-sent",
    "order-select/quinine",
    "order-select/without-draft-orders",
    "order-sign/quinine",
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REVISION = re.compile(r"\b[0-9a-f]{64}\b")


def answer(client: FlaskClient, name: str) -> Any:
    """The answer to a sample call, with constants for what changes."""
    call = fixtures.request(name)
    text = client.post(f"/cds-services/{SERVICE_OF[call['hook']]}", json=call).text
    seen: dict[str, str] = {}
    text = _UUID.sub(
        lambda m: seen.setdefault(m[0], f"00000000-0000-4000-8000-{len(seen) + 1:012d}"), text
    )
    return json.loads(_REVISION.sub("0" * 64, text))


def path(name: str) -> Path:
    """The file of a sample answer."""
    return RESPONSES / f"{name}.json"


def main() -> None:
    """Write all sample answers."""
    from cds_service import logs
    from cds_service.config import Settings
    from cds_service.service.runtime import build_runtime
    from cds_service.web.app import create_app

    logs.configure("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            auth="off",
            now=NOW,
            public_url="https://cds.example.org",
            database_url=f"sqlite:///{folder}/samples.sqlite3",
        )
        runtime = build_runtime(settings)
        client = create_app(settings, runtime).test_client()
        for name in NAMES:
            path(name).parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(answer(client, name), indent=2, ensure_ascii=False)
            path(name).write_text(text + "\n", "utf-8")
        runtime.close()


if __name__ == "__main__":
    main()
