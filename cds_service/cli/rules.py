"""`cds rules`: check, test, explain and list the rules of a pack and a site.

Exit codes: 0 good, 1 refused or failed, 3 warnings only.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service.cli import context, hook_request, tests_text
from cds_service.cli.documents import TO, deliver
from cds_service.cli.failures import FAILED, WARNINGS, fail, for_people
from cds_service.cli.rules_diff import diff
from cds_service.cli.rules_export import export
from cds_service.cli.rules_review import review
from cds_service.cli.rules_stats import stats
from cds_service.cli.tables import table
from cds_service.errors import Problem, ServiceError
from cds_service.facts.base import FactBase
from cds_service.rules.model import Pack, Rule, ServiceDefinition
from cds_service.service.runtime import Runtime

Json = Any
FORMAT = click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
COLUMNS = ("rule", "version", "status", "hooks", "group", "indicator", "title")

LANGUAGE = click.option(
    "--language", default="en", show_default=True, help="In a language of the pack or the site."
)

_ALL = 100.0  # per cent


@click.group()
def rules() -> None:
    """Check, test, explain, list and count the rules."""


rules.add_command(diff)
rules.add_command(export)
rules.add_command(review)
rules.add_command(stats)


@rules.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="sarif and github are for pull requests: findings beside the lines.",
)
@TO
@for_people
def check(style: str, target: Path | None) -> None:
    """Find everything that is wrong in the pack and the site, each with its place."""
    from cds_service.callers.book import strictness
    from cds_service.callers.file import check_clients, check_languages
    from cds_service.clock import Clock
    from cds_service.packs.load import check_pack
    from cds_service.packs.translations import tags

    hooks, site = context.folders()
    loaded = context.settings()
    problems = check_pack(hooks, site, today=Clock(loaded.now).now().date())
    problems += check_clients(site, strictness(loaded))
    problems += check_languages(site, tags(hooks, site))
    deliver(f"{_written(problems, style, hooks, site)}\n", target)
    _leave(problems)


def _written(problems: Sequence[Problem], style: str, hooks: Path, site: Path | None) -> str:
    """The problems in the form asked for."""
    import cds_service
    from cds_service.packs import exchange
    from cds_service.packs.problem_text import as_json, format_problem

    match style:
        case "json":
            return json_text([as_json(problem) for problem in problems])
        case "sarif":
            return json_text(exchange.sarif(problems, cds_service.version()))
        case "github":
            return "\n".join([*map(exchange.github, problems), _verdict(problems)])
    lines = [format_problem(problem) for problem in problems]
    return "\n".join([*lines, _listed_safeguards(hooks, site), _verdict(problems)])


def _listed_safeguards(hooks: Path, site: Path | None) -> str:
    """Which safeguards know SNOMED CT by explicit codes alone; no problem, but worth knowing."""
    from cds_service.packs.check.safeguards import explicit_only
    from cds_service.packs.load import read_whole

    titles = explicit_only(read_whole(hooks, site))
    if not titles:
        return "Every safeguard knows SNOMED CT with its narrower codes."
    return (
        f"{len(titles)} safeguards know SNOMED CT by listed codes, without the narrower ones"
        f" (cds terminology expand --safeguards fills them): {', '.join(titles)}."
    )


@rules.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--mutate", is_flag=True, help="Then look for small changes that no test notices.")
@click.option(
    "--least",
    type=click.FloatRange(0, 100),
    default=_ALL,
    show_default=True,
    help="With --mutate: the percentage of changes that must be noticed or explained.",
)
@FORMAT
@for_people
def test(paths: tuple[Path, ...], mutate: bool, least: float, style: str) -> None:
    """Run the tests that stand beside the rules: all, or the given files and folders.

    With --mutate, 1 is also the exit code where more changes than --least allows are neither
    noticed nor explained; without --least, also where an explanation is out of date.
    """
    from cds_service.cards.compose import compose
    from cds_service.ruletests.testing import run_tests

    hooks, site = context.folders()
    report = run_tests(hooks, site, paths, compose)
    if style == "json":
        echo_json(tests_text.as_json(report))
    else:
        click.echo(tests_text.as_text(report))
    if not report.passed:
        sys.exit(FAILED)
    if mutate and not _mutated(paths, least):
        sys.exit(FAILED)


@rules.command()
@click.argument("request", type=hook_request.FILE)
@click.option("--rule", "only", multiple=True, help="Only this rule; may be repeated.")
@click.option("--short", is_flag=True, help="One line a rule: what decided.")
@FORMAT
@for_people
def explain(request: Path, only: tuple[str, ...], short: bool, style: str) -> None:
    """Say for the REQUEST why each rule fired, did not, or is unknown.

    Shows chart data of the request: for the screen, not for a log.
    """
    from cds_service.ruletests.explain import as_json, as_text
    from cds_service.ruletests.explain import explain as explain_rules
    from cds_service.ruletests.explain_short import as_lines

    as_words = as_lines if short else as_text
    content, parsed = hook_request.read(request)
    runtime = context.local_runtime(context.settings())
    services = [s for s in runtime.services if s.enabled and s.hook == parsed.get("hook")]
    if not services:
        fail(f"No service answers '{parsed.get('hook')}'.")
    _known(only, runtime.pack)
    shown: dict[str, Json] = {}
    for service in services:
        try:
            facts = _facts_of(runtime, service, content)
        except ServiceError as error:
            click.echo(f"{service.id}: {error.status} {error}", err=True)
            continue
        explanations = explain_rules(runtime.ruleset, service, facts, only)
        shown[service.id] = as_json(explanations) if style == "json" else as_words(explanations)
    if style == "json":
        echo_json(shown)
    else:
        click.echo("\n\n".join(f"{name}\n{text}" for name, text in shown.items()))
    if not shown:
        sys.exit(FAILED)


@rules.command("list")
@click.option("--profile", "profiles", multiple=True, help="Instead of those of site.json.")
@FORMAT
@for_people
def list_(profiles: tuple[str, ...], style: str) -> None:
    """All rules with their status in force."""
    from cds_service.packs.load import load_pack

    hooks, site = context.folders()
    pack = load_pack(hooks, site, profiles or None, thorough=False)
    rows = [_row(rule) for rule in sorted(pack.rules, key=lambda rule: rule.id)]
    if style == "json":
        echo_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    else:
        click.echo("\n".join(table([COLUMNS, *rows])))


@rules.command()
@TO
@for_people
def reference(target: Path | None) -> None:
    """Write the clinical reference (Markdown) of the shipped pack, without a site's changes."""
    from cds_service.packs.load import load_pack
    from cds_service.sources.reference import reference as written

    hooks, _ = context.folders()
    deliver(written(load_pack(hooks, thorough=False)), target)


@rules.command()
@LANGUAGE
@TO
@for_people
def cards(language: str, target: Path | None) -> None:
    """Write every card that the shipped pack can give, each with an example chart (Markdown)."""
    from cds_service.authoring.cards_page import page_of

    hooks, site = context.folders()
    deliver(page_of(hooks, site, language), target)


@rules.command()
@click.option("--language", required=True, help="Its tag: de, de-AT.")
@click.option("--missing", is_flag=True, help="Only what the language lacks.")
@TO
@for_people
def texts(language: str, missing: bool, target: Path | None) -> None:
    """Write a file of languages/ to fill in: every text and name of the cards, by its English."""
    from cds_service.authoring.language_file import language_file

    hooks, site = context.folders()
    deliver(language_file(hooks, site, language, missing=missing), target)


def _mutated(paths: tuple[Path, ...], least: float) -> bool:
    """Report on mutation; whether at least this percentage is noticed or explained."""
    from cds_service.authoring.mutation import pack as mutation
    from cds_service.cards.compose import compose

    hooks, site = context.folders()
    results = mutation.run_mutations(hooks, site, paths, compose)
    click.echo(mutation.report(results), err=any(not result.clean for result in results))
    if least == _ALL:  # then no reason may be out of date, either
        return all(result.clean for result in results)
    return mutation.share(results) >= least


def json_text(content: Json) -> str:
    """JSON, indented."""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def echo_json(content: Json) -> None:
    """Print JSON, indented."""
    click.echo(json_text(content))


def _facts_of(runtime: Runtime, service: ServiceDefinition, content: bytes) -> FactBase:
    """Raises ServiceError where the service would refuse the request."""
    from cds_service.gather.chart import gather
    from cds_service.protocol.request import parse_request

    return runtime.facts(gather(parse_request(service.hook, content), service))


def _row(rule: Rule) -> tuple[str, ...]:
    hooks, indicator = " ".join(rule.hooks), str(rule.card.get("indicator", ""))
    return (rule.id, rule.version, rule.status, hooks, rule.group, indicator, rule.title)


def _known(only: tuple[str, ...], pack: Pack) -> None:
    unknown = sorted(set(only) - {rule.id for rule in pack.rules})
    if unknown:
        fail(f"There is no rule {', '.join(unknown)}.", "Run: cds rules list")


def _verdict(problems: Sequence[Problem]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    return f"{errors} error(s), {len(problems) - errors} warning(s)"


def _leave(problems: Sequence[Problem]) -> None:
    if any(problem.severity == "error" for problem in problems):
        sys.exit(FAILED)
    if problems:
        sys.exit(WARNINGS)
