"""The charts on which packs are compared: the ready patients, and files that a person chose.

They are read from the request, in memory; nothing of them is written anywhere.
"""

from collections.abc import Iterator
from datetime import datetime

from flask import request

from cds_service.errors import BadRequest
from cds_service.rules.model import Pack
from cds_service.workbench import imports, ready
from cds_service.workbench.chart import ChartState

MOST = 500


def charts(pack: Pack, now: datetime) -> Iterator[tuple[str, ChartState]]:
    """Each chart with its name. Raises BadRequest that names the file which is no chart."""
    for patient in ready.patients():
        yield patient.title, ready.chart_of(patient.id, pack, now)
    for upload in request.files.getlist("charts")[:MOST]:
        if not upload.filename:
            continue
        text = upload.stream.read().decode("utf-8", "replace")
        try:
            yield upload.filename, imports.read(text, pack, now)[0]
        except BadRequest as error:
            raise BadRequest(error.code, f"{upload.filename}: {error.message}") from None
