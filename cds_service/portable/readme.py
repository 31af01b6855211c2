"""The package's own README: what is in it, and for each rule what could not be said."""

from collections.abc import Iterator

from cds_service.portable.left_out import GENERAL, WHOLE, limits_of, share, verdict_on
from cds_service.portable.libraries import Libraries, library_name


def readme(libraries: Libraries) -> str:
    """The text, in Markdown."""
    pack = libraries.pack
    whole, count = share(libraries)
    lines = [
        f"# Rules of {pack.name} {pack.version}",
        "",
        f"Content revision `{pack.revision}`. {whole} of {count} active rules are exported whole.",
        "",
        "Each rule is an expression of the Library of its group: true means that it fires, false "
        "that it does not, null that it is not known. Give the parameters of `LegCrampsReading`: "
        "`Now` in UTC; for each prefetch key whether its data were `supplied`, `empty` (asked "
        "for, none on file), `missing`, `failed` or `incomplete`; for the order hooks the "
        "references of all draft orders and of the one under evaluation. The draft orders are "
        "among the data.",
        "",
        "In `tests/` each Bundle is a chart; its first entry, a Parameters, has the parameters and "
        "the expected outcomes; a rule that it does not name is false or null there.",
        "",
        "## What no rule says here",
        "",
        *(f"- {limit}" for limit in GENERAL),
        "",
        "## Rules",
        "",
        "| rule | Library | exported | not said |",
        "|---|---|---|---|",
        *_rows(libraries),
        "",
    ]
    return "\n".join(lines)


def _rows(libraries: Libraries) -> Iterator[str]:
    for rule in libraries.rules:
        verdict = verdict_on(libraries, rule)
        limits = limits_of(libraries, rule)
        told = "; ".join(f"`{fact}`: {', '.join(what)}" for fact, what in limits.items())
        shown = verdict if verdict == WHOLE else f"**{verdict}**"
        yield f"| {rule.id} {rule.version} | {library_name(rule.group)} | {shown} | {told} |"
