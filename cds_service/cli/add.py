"""`cds add drug|lab|rule`: the files that a new drug, laboratory test or rule needs.

What a flag does not say is asked for on a terminal; elsewhere it is an error that names the flag.
"""

import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from cds_service.cli import context
from cds_service.cli.failures import fail, for_people


class _Number(click.ParamType):  # type: ignore[type-arg]
    name = "number"

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.fail(f"'{value}' is not a number.", param, ctx)
        return number


NUMBER = _Number()


@click.group()
def add() -> None:
    """Write what a new drug, laboratory test or rule needs into the site's folder.

    Nothing is overwritten, and nothing is left behind that the check refuses.
    """


@add.command()
@click.argument("name", required=False)
@click.option("--set", "sets", multiple=True, help="A shipped drug set that it joins; repeatable.")
@click.option(
    "--code",
    "codes",
    multiple=True,
    help="A code: RxNorm, or SYSTEM|CODE, atc:CODE ...; =NAME may follow; repeatable.",
)
@click.option("--brand", "brands", multiple=True, help="A brand or other name; repeatable.")
@click.option("--new", "surely_new", is_flag=True, help="It is no misspelt name of a known drug.")
@for_people
def drug(
    name: str | None,
    sets: tuple[str, ...],
    codes: tuple[str, ...],
    brands: tuple[str, ...],
    surely_new: bool,
) -> None:
    """Add the drug NAME (its generic name) to shipped value sets."""
    from cds_service.authoring.add.drug import NewDrug, add_drug, drug_sets
    from cds_service.authoring.add.naming import coded
    from cds_service.packs.load import load_pack
    from cds_service.terminology.codings import RXNORM
    from cds_service.terminology.loading import vocabulary_of

    hooks, site = _folders()
    asked = not name
    name = name or _ask("Generic name of the drug", "NAME")
    if not sets:
        known = drug_sets(load_pack(hooks, site, thorough=False))
        if _at_terminal():
            click.echo("\n".join(f"  {set_id:38} {title}" for set_id, title in known.items()))
        sets = _several("Sets that it joins", "--set")
    if asked:
        codes = codes or _several("Codes of its products (RxNorm, or SYSTEM|CODE)", "--code", "")
        brands = brands or _several("Brands and other names", "--brand", "")
    systems = vocabulary_of([hooks, site]).systems
    listed = tuple(coded(code, RXNORM, systems.canonical) for code in codes)
    new = NewDrug(name.strip(), sets, listed, brands, surely_new)
    done = add_drug(hooks, site, new, _today())
    _written(done.files)
    for set_id in done.untested:
        click.echo(
            f"No shipped test shows what a drug of {set_id} does alone: write one in tests/."
        )
    if done.cases:
        click.echo(f"{done.cases} cases, all pass: {name} does what the shipped drugs do.")
    _next()


@add.command()
@click.argument("title", required=False)
@click.option("--code", "codes", multiple=True, help="LOINC, or SYSTEM|CODE; =NAME may follow.")
@click.option("--unit", help="The unit in which it is kept (UCUM): ng/mL.")
@click.option("--also", "units", multiple=True, help="A further unit: nmol/L=0.4, or nmol/L=/2.5.")
@click.option("--order-name", "order_names", multiple=True, help="Words that name its order.")
@click.option("--at-most", type=NUMBER, help="A value above it is a slip of the pen.")
@click.option("--name", default="", help="Name of the fact behind 'lab.'; else made of TITLE.")
@for_people
def lab(
    title: str | None,
    codes: tuple[str, ...],
    unit: str | None,
    units: tuple[str, ...],
    order_names: tuple[str, ...],
    at_most: Decimal | None,
    name: str,
) -> None:
    """Add the laboratory test TITLE ("25-OH vitamin D") as a fact that rules can read."""
    from cds_service.authoring.add.lab import NewLab, add_lab
    from cds_service.authoring.add.naming import coded
    from cds_service.terminology.codings import LOINC
    from cds_service.terminology.loading import vocabulary_of

    hooks, site = _folders()
    asked = not title
    title = title or _ask("What clinicians call the test", "TITLE")
    codes = codes or _several("Codes that the laboratory sends (LOINC, or SYSTEM|CODE)", "--code")
    unit = unit or _ask("Unit in which it is kept, as UCUM writes it", "--unit")
    if asked:
        units = units or _several(f"Other units, as UNIT=FACTOR to {unit}", "--also", "")
        order_names = order_names or _several("Words that name its order", "--order-name", "")
    systems = vocabulary_of([hooks, site]).systems
    listed = tuple(coded(code, LOINC, systems.canonical) for code in codes)
    done = add_lab(
        hooks, site, NewLab(title, listed, unit, units, order_names, at_most, name), _today()
    )
    _written(done.files)
    click.echo(f"Facts for rules to read: {', '.join(done.facts)}.")
    if done.known:
        click.echo(f"The codes are also in: {', '.join(done.known)}.")
    click.echo("The prefetch template asks for the codes by itself: tell your EHR team.")
    _next()


@add.command()
@click.argument("rule_id", metavar="GROUP.NAME", required=False)
@click.option("--fact", help="What it looks at: lab.vitamin-d, drug.diuretic ...")
@click.option("--op", type=click.Choice(["lt", "le", "gt", "ge"]), help="For a value.")
@click.option("--value", type=NUMBER, help="The threshold, in the fact's unit.")
@click.option("--within", type=click.IntRange(1), help="Days that a result counts.")
@click.option(
    "--when", default="cramp-complaint", show_default=True, help="The definition that must hold."
)
@click.option("--unless", default="", help="A drug or problem that silences it.")
@click.option("--source", help="The guideline or agreement that it rests on.")
@click.option("--title", default="", help="Its title and the beginning of the card.")
@click.option("--detail", default="", help="A sentence for the card.")
@click.option("--owner", default="", help="Who answers for it.")
@for_people
def rule(
    rule_id: str | None,
    fact: str | None,
    op: str | None,
    value: Decimal | None,
    within: int | None,
    when: str,
    unless: str,
    source: str | None,
    title: str,
    detail: str,
    owner: str,
) -> None:
    """Add a rule in shadow, on a value, problem or drug, with its tests."""
    from cds_service.authoring.add.rule import NewRule, add_rule

    hooks, site = _folders()
    rule_id = rule_id or _ask("Id of the rule (GROUP.NAME: labs.low-vitamin-d)", "GROUP.NAME")
    fact = fact or _ask("Fact that it looks at", "--fact")
    if value is None and op is None and fact.startswith("lab.") and _at_terminal():
        op = click.prompt("Compared how", type=click.Choice(["lt", "le", "gt", "ge"]))
        value = click.prompt("Threshold, in the fact's unit", type=NUMBER)
        within = within or click.prompt("Days that a result counts", type=int, default=365)
    source = source or _ask("Guideline or agreement that it rests on", "--source")
    done = add_rule(
        hooks,
        site,
        NewRule(
            rule_id, fact, source, op or "present", value, within, when, unless, title, detail,
            owner,
        ),
        _today(),
    )  # fmt: skip
    _written(done.files)
    click.echo(f"{done.cases} cases, all pass. The rule is in shadow: it counts and shows nothing.")
    click.echo(f'To give it cards, in site.json: "rules": {{"{rule_id}": {{"status": "active"}}}}')
    _next()


def _folders() -> tuple[Path, Path]:
    hooks, site = context.folders()
    if site is None:
        fail("This writes into the site's folder, and CDS_SITE_DIR is not set.", "Run: cds init")
    return hooks, site


def _today() -> date:
    from cds_service.clock import Clock

    return Clock(context.settings().now).now().date()


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(question: str, flag: str, default: str | None = None) -> str:
    """An answer from the terminal; where nobody sits there, an error that names the flag."""
    if not _at_terminal():
        raise click.UsageError(f"Missing {flag}.")
    answer: str = click.prompt(question, default=default, show_default=False)
    return answer


def _several(question: str, flag: str, default: str | None = None) -> tuple[str, ...]:
    """Answers with commas between them."""
    if default is not None and not _at_terminal():
        return ()
    answers = _ask(f"{question}, commas between", flag, default)
    return tuple(filter(None, (answer.strip() for answer in answers.split(","))))


def _written(files: Sequence[Path]) -> None:
    for file in files:
        click.echo(f"{file}")


def _next() -> None:
    click.echo("Look at it, then run: cds rules check, cds rules test")
