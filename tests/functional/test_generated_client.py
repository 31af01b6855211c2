"""A client that a generator makes from the saved openapi.json gets a card with it."""

import ast
import importlib
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from cds_service.config import Settings
from cds_service.web.app import create_app
from tests.support.fake_runtime import CARD, FakeRuntime, service
from tests.support.fixtures import ROOT, request

pytest.importorskip("openapi_python_client", reason="needs openapi-python-client")
httpx = pytest.importorskip("httpx", reason="needs httpx")

PREFIX = "/leg-cramps"
RUNTIME = FakeRuntime(service())
APP = create_app(Settings(auth="off", public_url=f"https://cds.example.org{PREFIX}"), RUNTIME)
BEHIND_A_PROXY = DispatcherMiddleware(NotFound(), {PREFIX: APP.wsgi_app})  # takes the prefix off

Module = Callable[[str], Any]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    """Imports a module of the generated client."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_bytes(APP.test_client().get("/openapi.json").data)
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}))  # nothing to format
    arguments = "--path openapi.json --config config.json --output-path leg_cramps_client"
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--meta=none"]
        + ["--fail-on-warning", *arguments.split()],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield lambda name: importlib.import_module(f"leg_cramps_client.{name}")


@pytest.fixture
def client(generated: Module) -> Any:
    """The generated client, with the address of the document and the service behind it."""
    address = json.loads(APP.test_client().get("/openapi.json").data)["servers"][0]["url"]
    transport = httpx.WSGITransport(app=BEHIND_A_PROXY)
    with generated("client").Client(address, httpx_args={"transport": transport}) as opened:
        yield opened


def test_it_has_every_call(generated: Module) -> None:
    folder = Path(generated("api.default").__file__).parent
    made = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    described = APP.test_client().get("/openapi.json").json["paths"].values()
    asked = {
        call["operationId"] for item in described for call in item.values() if "responses" in call
    }
    assert made == asked


def test_it_gets_a_card(generated: Module, client: Any) -> None:
    services = generated("api.default.discovery").sync(client=client).services
    sent = request("patient-view/no-leg-complaint")
    body = generated("models").HookRequest.from_dict(sent)
    assert body.to_dict() == sent
    answer = generated("api.default.invoke").sync(services[0].id, client=client, body=body)
    assert [card.summary for card in answer.cards] == [CARD.summary]


def test_it_sends_feedback(generated: Module, client: Any) -> None:
    body = generated("models").Feedback.from_dict(request("feedback/dismissed"))
    answer = generated("api.default.feedback").sync("review", client=client, body=body)
    assert answer.stored == len(RUNTIME.stored) > 0


def test_it_reads_a_refusal(generated: Module, client: Any) -> None:
    body = generated("models").HookRequest.from_dict(request("patient-view/no-leg-complaint"))
    answer = generated("api.default.invoke").sync("nothing", client=client, body=body)
    assert answer.issue[0].diagnostics


def test_the_program_of_the_guide_uses_what_is_there(generated: Module) -> None:
    """Its imports, and the call it makes, with the client that was made here."""
    guide = (ROOT.parent / "docs/integrators-guide.md").read_text("utf-8")
    block = re.search(r"```python\n(.*?)```", guide.partition("### A client made")[2], re.S)
    assert block
    program = ast.parse(textwrap.dedent(block[1]))
    imports = [node for node in program.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == 3
    for node in imports:
        module = importlib.import_module(str(node.module))
        for name in node.names:
            assert hasattr(module, name.name) or generated(f"api.default.{name.name}")
