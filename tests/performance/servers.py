"""The two servers of the bench, under the same gunicorn with the same settings.

`python -m tests.performance.servers yardstick PORT` is a bare Flask route that parses the body and
answers one constant card; `service PORT` is what `cds serve` starts.
"""

import os
import sys

import orjson
from flask import Flask, Response, request

from cds_service import config
from cds_service.cli import serve
from cds_service.web import garbage

CARD = {
    "cards": [
        {
            "uuid": "0b5c1f0e-6a3d-4a7b-9f0e-1d2c3b4a5968",
            "summary": "A constant card",
            "indicator": "info",
            "source": {"label": "The bench"},
        }
    ]
}


def yardstick() -> Flask:
    """The least that any Flask service must do for this request."""
    app = Flask("yardstick")

    @app.post("/cds-services/<service>")
    def answer(service: str) -> Response:
        orjson.loads(request.get_data(cache=False))
        return Response(orjson.dumps(CARD), mimetype="application/json")

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    return app


def main(kind: str, port: int) -> None:
    """Serve until terminated."""
    os.environ["CDS_PORT"] = str(port)
    if kind == "service":
        serve.serve([], standalone_mode=False)
        return
    settings = config.load(os.environ)
    application = yardstick()
    garbage.settle()  # the service does the same
    options = serve.options(settings, serve.WORKERS, serve.THREADS)
    serve.Server(application, options).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
