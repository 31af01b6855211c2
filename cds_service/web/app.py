"""The Flask application: routes, error shape, CORS and limits put together, nothing decided."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from cds_service import config, logs
from cds_service.callers.reasons import REASONS
from cds_service.errors import ConfigurationError
from cds_service.gather.access import REFUSALS
from cds_service.gather.trouble import Trouble
from cds_service.rules.model import Pack
from cds_service.service.runtime import Runtime
from cds_service.web import (
    auth,
    errors,
    front,
    garbage,
    invoke,
    metrics,
    overload,
    routes,
    sources,
)
from cds_service.web.cors import Cors
from cds_service.web.paths import TidyPaths
from cds_service.web.runtime import EXTENSION

_BLUEPRINTS = (*routes.BLUEPRINTS, front.blueprint, invoke.blueprint, sources.blueprint)


class _Application(Flask):
    """Flask, for views none of which is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask asks of each view and hook, in each call, whether it is a coroutine."""
        return func


def create_app(settings: config.Settings, runtime: Runtime) -> Flask:
    """The application for one runtime. Starts nothing and reads no environment."""
    app = _bare(settings, runtime)
    metrics.begin(
        [service.id for service in runtime.pack.services],
        REASONS if settings.auth == "required" else (),
        (*REFUSALS, Trouble.BUSY.value),
    )
    Cors(settings.cors_origins).install(app)
    errors.install(app)
    overload.install(app)
    auth.install(app, settings, runtime)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.workbench != "off":
        _add_workbench(app, settings)
    app.wsgi_app = TidyPaths(app.wsgi_app, settings.path_prefix)  # type: ignore[method-assign]
    return app


def workbench_app(settings: config.Settings, *, edit: bool) -> Flask:
    """The workbench without the service: it answers no EHR and asks for no token.

    Raises ConfigurationError (PackError for a pack that is refused).
    """
    from cds_service.service.runtime import build_runtime

    logs.configure(settings.log_level)
    named = settings.site_dir and (settings.site_dir / "clients.json").is_file()
    built = settings if named else replace(settings, auth="off")  # no clients is no obstacle
    app = _bare(settings, build_runtime(built))
    Cors(()).install(app)
    errors.install(app)
    for blueprint in (routes.document_routes, front.blueprint, sources.blueprint):
        app.register_blueprint(blueprint)
    _add_workbench(app, settings, edit=edit, serving=False)
    app.wsgi_app = TidyPaths(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _bare(settings: config.Settings, runtime: Runtime) -> Flask:
    """What both applications have in common."""
    app = _Application(__name__, static_folder=None)
    app.config["MAX_BODY"] = settings.max_body_bytes
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1  # see web.body
    app.config["MAX_RESOURCES"] = settings.max_resources
    app.config["PUBLIC_URL"] = settings.public_url
    app.config["PUBLIC_HOST"] = urlsplit(settings.public_url).hostname or ""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # TidyPaths does it, without a redirect
    app.extensions[EXTENSION] = runtime
    metrics.install(app)
    return app


def _add_workbench(
    app: Flask, settings: config.Settings, *, edit: bool = False, serving: bool = True
) -> None:
    from cds_service.packs.locate import hooks_dir
    from cds_service.web.runtime import current
    from cds_service.workbench import routes as workbench
    from cds_service.workbench.bench import Bench, own_hosts
    from cds_service.workbench.guard import Guard

    folder = settings.hooks_dir or hooks_dir(os.environ)
    guard = Guard(own_hosts(settings))
    workbench.install(app, Bench(current, settings, folder, guard, edit=edit, serving=serving))


def from_environment() -> Flask:
    """The application as the environment says, for a WSGI server. Best called, and this module
    best imported, inside `garbage.loading()`.

    Leaves with a message and no traceback when the configuration or the pack is refused.
    """
    app = _load()
    metrics.begin_process()
    garbage.settle()
    return app


def begin_worker(app: Flask) -> None:
    """In the worker's own process, before its first call."""
    metrics.begin_process()
    runtime: Runtime = app.extensions[EXTENSION]
    runtime.begin()


def _changes(before: Pack, after: Pack) -> Sequence[str]:
    from cds_service.authoring.pack_changes import pack_changes  # only where a pack changes

    return pack_changes(before, after)


def _load() -> Flask:
    from cds_service.service.runtime import build_runtime

    try:
        settings = config.load(os.environ)
        logs.configure(settings.log_level)
        runtime = build_runtime(settings, _changes)
    except ConfigurationError as error:
        raise SystemExit(f"{error.message}\n{error.hint}".rstrip()) from None
    for warning in settings.warnings:
        logs.logger().warning("configuration", hint=warning)
    return create_app(settings, runtime)
