"""One line a rule: what decided that it fires, does not, or is unknown.

Of a condition that does not hold the part that decided is told: of `all` the first part that is
"no", of `any` that none holds. Like the long explanation it holds patient data.
"""

from collections.abc import Iterable, Iterator

from cds_service.facts.model import Truth
from cds_service.rules.model import TraceNode
from cds_service.ruletests.explain import Explanation, item_text

_WIDTH = 8  # of an outcome: "unknown" and a blank
_MOST = 4  # parts of a condition that are named


def as_lines(explanations: Iterable[Explanation]) -> str:
    """ "no       rls.low-ferritin  not: RLS is recorded or suspected", rules that say "no" last."""
    order = ("error", "fires", "unknown", "no")
    told = sorted(explanations, key=lambda explanation: order.index(explanation.outcome))
    return "\n".join(_line(explanation) for explanation in told)


def _line(explanation: Explanation) -> str:
    about = f" for {explanation.draft}" if explanation.draft else ""
    status = f" ({explanation.rule.status}: no card)" if explanation.rule.status != "active" else ""
    why = explanation.error if explanation.outcome == "error" else "; ".join(_why(explanation))
    return f"{explanation.outcome:<{_WIDTH}}{explanation.rule.id}{about}{status}  {why}".rstrip()


def _why(explanation: Explanation) -> Iterator[str]:
    """What decided: `when` where it is not met, else what silences the rule."""
    when, *silencing = explanation.nodes
    if explanation.outcome == "fires":
        yield _told(when)
    elif when.truth is not Truth.YES and when.truth.name.lower() == explanation.outcome:
        yield from _decisive(when)
    else:
        for node in silencing:
            if node.truth is Truth.YES:
                yield f"silenced: {_told(node)}"
            elif node.truth is Truth.UNKNOWN and explanation.outcome == "unknown":
                yield from _decisive(node)


def _decisive(node: TraceNode) -> Iterator[str]:
    """What a truth other than "yes" goes back to."""
    if node.truth is Truth.UNKNOWN:
        leaves = list(dict.fromkeys(_unknown(node)))
        yield f"unknown: {_some(leaves)}"
    else:
        yield _missing(node)


def _missing(node: TraceNode) -> str:
    """Why a condition does not hold."""
    parts = [child for child in node.children if child.truth is Truth.NO]
    if node.text == "not" and node.children:
        holds, seen = _words(node.children[0]), _told(node.children[0])
        return holds if seen == holds else f"{holds}: {seen}"
    if not parts:
        return f"not: {node.text}"
    if node.text == "any of":
        return f"none of: {_some([_words(child) for child in parts])}"
    return _missing(parts[0])


def _words(node: TraceNode) -> str:
    """A condition by its words, or by those of its parts."""
    joined = {"all of": " and ", "any of": " or "}.get(node.text)
    if joined:
        return f"({joined.join(_words(child) for child in node.children)})"
    if node.text in ("not", "certainly") and node.children:
        return f"{node.text} {_words(node.children[0])}"
    return node.text


def _unknown(node: TraceNode) -> Iterator[str]:
    parts = [child for child in node.children if child.truth is Truth.UNKNOWN]
    for child in parts:
        yield from _unknown(child)
    if not parts:
        yield f"{node.text} ({'; '.join(node.reasons)})" if node.reasons else node.text


def _some(told: list[str]) -> str:
    more = len(told) - _MOST
    return ", ".join(told[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _told(node: TraceNode) -> str:
    """A condition that holds, by the entries on which it rests."""
    seen = [item_text(item) for leaf in _leaves(node) for item in leaf.seen]
    return _some(list(dict.fromkeys(filter(None, seen)))) or _words(node)


def _leaves(node: TraceNode) -> Iterator[TraceNode]:
    if node.truth is Truth.YES:
        if not node.children:
            yield node
        for child in node.children:
            yield from _leaves(child)
