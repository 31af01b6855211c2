"""The trace of an evaluation: made on demand from the very nodes that gave the outcome.

Every `TraceNode.truth` is the node's own `truth` in the same context, so a trace cannot say
anything else than the evaluation did. Nothing is cut short: the reader wants to see all parts.
"""

from cds_service.facts.model import Truth
from cds_service.rules.context import Context
from cds_service.rules.leaves import Leaf
from cds_service.rules.model import TraceNode
from cds_service.rules.nodes import All, AnyOf, Certainly, Node, Not, Reference
from cds_service.rules.words import Words


def trace(node: Node, context: Context, path: str, words: Words) -> TraceNode:
    """The evaluated condition under `path` ("when", "unless") as a tree."""
    truth = node.truth(context)
    if isinstance(node, Leaf):
        return _leaf(node, truth, context, path, words)
    children = tuple(
        trace(child, context, child_path, words) for child_path, child in _parts(node, path)
    )
    reasons: tuple[str, ...] = ()
    text = words.head(node.source)
    if isinstance(node, Reference) and node.name in context.assumed:
        text += " (assumed)"
    elif truth is Truth.UNKNOWN:
        reasons = tuple(dict.fromkeys(node.reasons(context)))
    return TraceNode(path, text, truth, reasons=reasons, children=children)


def _leaf(leaf: Leaf, truth: Truth, context: Context, path: str, words: Words) -> TraceNode:
    fact = leaf.read(context)
    reasons: tuple[str, ...] = ()
    if truth is Truth.UNKNOWN:
        reasons = tuple(dict.fromkeys(leaf.reasons(context)))
    return TraceNode(path, words.head(leaf.source), truth, seen=fact.items, reasons=reasons)


def _parts(node: Node, path: str) -> list[tuple[str, Node]]:
    """The children with their places in the rule file, or in definitions.json."""
    match node:
        case All():
            return [(f"{path}.all[{i}]", child) for i, child in enumerate(node.children)]
        case AnyOf():
            return [(f"{path}.any[{i}]", child) for i, child in enumerate(node.children)]
        case Not():
            return [(f"{path}.not", node.children[0])]
        case Certainly():
            return [(f"{path}.certainly", node.children[0])]
        case Reference():
            return [(f"definitions.{node.name}", node.children[0])]
    return []
