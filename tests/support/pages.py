"""Posts to the workbench as its own pages do: with the token that a page carries."""

import re
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def token(client: FlaskClient, page: str = "/workbench/try") -> str:
    found = re.search(r'<meta name="csrf" content="([^"]+)">', client.get(page).text)
    assert found, "the page carries no token"
    return found[1]


def chart(client: FlaskClient, patient: str) -> str:
    """The chart of a ready patient, as the page holds it."""
    import html

    page = client.get(f"/workbench/try?patient={patient}").text
    found = re.search(r'<textarea name="chart"[^>]*>(.*?)</textarea>', page, re.S)
    assert found, "the page holds no chart"
    return html.unescape(found[1])


def post(
    client: FlaskClient, address: str, fields: Mapping[str, Any], **headers: str
) -> TestResponse:
    data = {"csrf": token(client), **fields}
    return client.post(address, data=data, content_type="multipart/form-data", headers=headers)
