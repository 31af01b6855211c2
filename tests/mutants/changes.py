"""The small changes that mutation makes to a module: one place, one change, still valid Python."""

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNCHANGED = frozenset({"annotation", "returns", "decorator_list", "bases", "type_params"})
# What only a person or the type checker reads.
SILENT_CALLS = frozenset({"cast", "TypeVar", "NewType"})


@dataclass(frozen=True)
class Mutant:
    """A changed module: the line that differs, in words and as the whole new source."""

    line: int
    change: str
    source: str


def count(source: str) -> int:
    """How many mutants a module has."""
    return sum(1 for _ in _places(ast.parse(source)))


def mutant(source: str, number: int) -> Mutant:
    """One mutant of a module, by its number from zero."""
    tree = ast.parse(source)
    node, parent = next(itertools.islice(_places(tree), number, None))
    before, line = ast.unparse(_shown(node)), node.lineno
    node = _change(node, parent)
    change = f"{before}  ->  {ast.unparse(_shown(node))}"
    return Mutant(line, change, ast.unparse(ast.fix_missing_locations(tree)))


def _places(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST]]:
    """What can be changed, with what holds it; the same order for the same source."""
    for node, parent in _live(tree):
        if isinstance(node, (ast.expr, ast.stmt)) and _changeable(node, parent):
            yield node, parent


def _live(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """All nodes with their parents, but for annotations, docstrings, protocols and the like."""
    waiting: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        for field, value in ast.iter_fields(node):
            if field in UNCHANGED or (field == "keywords" and isinstance(node, ast.ClassDef)):
                continue
            children = value if isinstance(value, list) else [value]
            live = [c for c in children if isinstance(c, ast.AST) and not _dead(c)]
            waiting += [(child, node) for child in live]


def _dead(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr() | ast.Assert():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=[ast.Name(id="Protocol"), *_]):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SILENT_CALLS
    return False


def _changeable(node: ast.expr | ast.stmt, parent: ast.AST) -> bool:
    match node:
        case ast.Compare(ops=[op]):
            return type(op) in COMPARISONS
        case ast.BinOp(right=ast.Constant(value=None)):
            return False  # a type
        case ast.BinOp(op=op):
            return type(op) in ARITHMETIC
        case ast.Constant(value=bool() | int()):
            return not isinstance(parent, ast.Subscript) or node.value in (0, -1)
        case ast.Call(func=ast.Name(id=name)):
            return name in CALLS
        case ast.If(test=test) | ast.IfExp(test=test):  # the test's own change says the same
            return not isinstance(test, (ast.Compare, ast.UnaryOp))
        case ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
            return True
        case ast.Return(value=ast.expr() as value):
            return not isinstance(value, (ast.Constant, ast.Compare, ast.BoolOp))
        case ast.Continue() | ast.Break():
            return True
    return False


def _change(node: ast.expr | ast.stmt, parent: ast.AST) -> ast.expr | ast.stmt:
    """Change a place; what stands there now."""
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [COMPARISONS[type(op)]()]
        case ast.BinOp(op=op):
            node.op = ARITHMETIC[type(op)]()
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() as value):
            node.value = value + 1
        case ast.Call(func=ast.Name() as name):
            name.id = CALLS[name.id]
        case ast.UnaryOp(operand=operand):
            node.operand = ast.UnaryOp(ast.Not(), operand)
        case ast.BoolOp(op=op):
            node.op = ast.And() if isinstance(op, ast.Or) else ast.Or()
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Return():
            node.value = ast.Constant(None)
        case ast.Continue() | ast.Break():
            return _swapped(node, parent)
    return node


def _swapped(node: ast.Continue | ast.Break, parent: ast.AST) -> ast.stmt:
    other: ast.stmt = ast.Break() if isinstance(node, ast.Continue) else ast.Continue()
    for _, value in ast.iter_fields(parent):
        if isinstance(value, list) and node in value:
            value[value.index(node)] = other
    return other


def _shown(node: ast.expr | ast.stmt) -> ast.AST:
    """The part of a statement that says what was changed."""
    return node.test if isinstance(node, ast.If) else node
