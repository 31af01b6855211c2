"""`cds terminology`: build, import, expand and search value sets and the drug dictionary."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from cds_service.cli.failures import FAILED, fail, for_people

if TYPE_CHECKING:
    from cds_service.authoring.terminology.find import Hit
    from cds_service.authoring.terminology.import_rxnorm import ImportReport

Json = Any
_FEW = 12  # facts or rules named in a line before it only counts


@click.group()
def terminology() -> None:
    """Look after value sets and the drug dictionary."""


@terminology.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", "version", help="Calendar version; else that of pack.json.")
@for_people
def package(target: Path, version: str | None) -> None:
    """Write into TARGET the project of a wheel with the pack's value sets and drugs.json.

    Build it with `python -m build --wheel TARGET`. Installed beside the program, its data count in
    place of the shipped ones.
    """
    from cds_service.authoring.terminology.data_wheel import write_project
    from cds_service.packs.locate import hooks_dir

    hooks = hooks_dir()
    shipped = orjson.loads((hooks / "pack.json").read_bytes()).get("terminology")
    chosen = version or shipped
    if not chosen or not re.fullmatch(r"20[0-9]{2}(\.[1-9][0-9]?){2}(\.[0-9]+)?", chosen):
        fail(f"'{chosen}' is no calendar version: 2026.11.27, without zeros in front.")
    click.echo(f"{write_project(hooks, chosen, target)} files of {chosen} in {target}.")


@terminology.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--to",
    "target",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The pack's folder.",
)
@for_people
def build(source: Path, target: Path) -> None:
    """Write valuesets/, drugs.json and units.json of a pack from SOURCE."""
    from cds_service.authoring.terminology.build import build as build_terminology

    for what, count in asdict(build_terminology(source, target)).items():
        name = what.replace("_", " ")
        if isinstance(count, dict):
            for system, codes in sorted(count.items()):
                click.echo(f"{name} of {system}: {codes}")
        else:
            click.echo(f"{name}: {count}")


@terminology.command("import-rxnorm")
@click.argument("release", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Report only; write nothing.")
@for_people
def import_rxnorm(release: Path, dry_run: bool) -> None:
    """Make the site's drug dictionary from an RxNorm RELEASE (the folder with RXNCONSO.RRF)."""
    from cds_service.authoring.terminology.import_rxnorm import import_release, size
    from cds_service.cli import context
    from cds_service.packs.load import load_pack

    hooks, _ = context.folders()
    site = _site()
    shipped = orjson.loads((hooks / "drugs.json").read_bytes())
    known = load_pack(hooks, site, thorough=False).terminology
    sets = {name: frozenset(known.ingredients_of(name)) for name in known.set_ids()}
    sets = {name: own for name, own in sets.items() if own}
    with click.progressbar(length=size(release), label="Reading", file=sys.stderr) as progress:
        text, report = import_release(release, shipped, sets, progress.update)
    if not dry_run:
        _write(site / "drugs.json", text)
    click.echo(_report_text(report))
    click.echo("Nothing was written." if dry_run else f"Written: {site / 'drugs.json'}")


@terminology.command()
@click.option("--server", required=True, help="Base address of a FHIR R4 terminology server.")
@click.option("--set", "only", multiple=True, help="Only this value set; may be repeated.")
@click.option(
    "--safeguards",
    is_flag=True,
    help="Instead: every condition set that safeguards use, with the narrower SNOMED CT codes.",
)
@for_people
def expand(server: str, only: Sequence[str], safeguards: bool) -> None:
    """Fill the site's value sets with the codes that a terminology SERVER gives ($expand).

    With --safeguards the shipped condition sets that silence or soften a card are written into the
    site's folder, with the narrower codes of the SNOMED CT codes that they list.
    """
    from cds_service.authoring.terminology.expand import expand as expand_sets
    from cds_service.authoring.terminology.expand import widen
    from cds_service.cli import context, http
    from cds_service.terminology.loading import vocabulary_of

    site = _site()
    systems = vocabulary_of([context.folders()[0], site]).systems
    files = _safeguards(site) if safeguards else sorted((site / "valuesets").glob("*.json"))
    chosen = [file for file in files if not only or file.stem in only]
    if not chosen:
        fail("There is no such value set in the site's folder.")
    done = (
        widen(chosen, site / "valuesets", server, http.post, systems.canonical)
        if safeguards
        else expand_sets(chosen, server, http.post)
    )
    with click.progressbar(
        done, length=len(chosen), label="Expanding", file=sys.stderr
    ) as progress:
        results = list(progress)
    for result in results:
        told = result.error or f"{result.codes} codes ({result.gained} new, {result.lost} gone)"
        click.echo(f"{result.file.name}: {told}")
    if any(result.error for result in results):
        sys.exit(FAILED)


def _safeguards(site: Path) -> list[Path]:
    """The files of condition sets with SNOMED CT codes of their own that a safeguard reads."""
    from cds_service.cli import context
    from cds_service.packs.check.safeguards import listing_files
    from cds_service.packs.load import read_whole

    hooks, _ = context.folders()
    return listing_files(read_whole(hooks, site))


@terminology.command()
@click.argument("asked", metavar="TEXT|CODE")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@for_people
def find(asked: str, style: str) -> None:
    """Say what the pack knows of a code or a name, and which rules it would touch."""
    from cds_service.authoring.terminology.find import LIMIT
    from cds_service.authoring.terminology.find import find as find_hits
    from cds_service.cli import context
    from cds_service.packs.load import load_pack

    hooks, site = context.folders()
    hits = find_hits(load_pack(hooks, site, thorough=False), asked)
    if style == "json":
        entries = [asdict(hit) for hit in hits]
        click.echo(orjson.dumps(entries, option=orjson.OPT_INDENT_2).decode())
    else:
        for hit in hits:
            click.echo("\n".join(_hit_lines(hit)))
        if len(hits) == LIMIT:
            click.echo(f"Only the first {LIMIT} are shown.")
    if not hits:
        fail(f"Nothing in the pack knows '{asked}': no rule would see it.")


def _site() -> Path:
    from cds_service.cli import context

    _, site = context.folders()
    if site is None:
        fail("This writes into the site's folder, and CDS_SITE_DIR is not set.", "Run: cds init")
    return site


def _write(path: Path, text: str) -> None:
    """In one step: a running service sees the old file or the new one."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _report_text(report: "ImportReport") -> str:
    lines = [
        f"Concepts read: {report.concepts:,}",
        f"Products in the dictionary: {report.products:,}",
        f"  not in the shipped one: {report.new:,}",
        f"  with other ingredients than shipped: {report.changed:,}",
        f"  only in the shipped one, kept: {report.carried_over:,}",
        f"Concepts left out, no ingredient known: {report.without_ingredient:,}",
        f"Brand names: {report.brands:,}",
        f"National Drug Codes: {report.packages:,}",
        "Products by value set (before -> after):",
    ]
    for name, (before, after) in sorted(report.sets.items()):
        lines.append(f"  {name}: {before:,} -> {after:,}")
    return "\n".join(lines)


def _hit_lines(hit: "Hit") -> list[str]:
    lines = [f"{hit.kind} {hit.system}|{hit.code}  {hit.name}".rstrip()]
    if hit.kind == "product":
        made_of = ", ".join(hit.ingredients)
        lines.append(
            f"  ingredients: {made_of}; form: {hit.form or '?'}; route: {hit.route or '?'}"
        )
    lines.append(f"  value sets: {_listed(hit.sets)}")
    lines.append(f"  facts: {_listed(hit.facts)}")
    lines.append(f"  rules: {_listed(hit.rules)}")
    lines += [f"  on {hook}: {_listed(rules)}" for hook, rules in hit.hooks.items()]
    if hit.rules and not hit.hooks:
        lines.append("  on no hook: these rules are drafts or retired")
    return lines


def _listed(names: Sequence[str], join: Callable[[Sequence[str]], str] = ", ".join) -> str:
    if not names:
        return "none"
    more = len(names) - _FEW
    return join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")
