"""ELM as readable CQL: the same expressions in the language that people write."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from cds_service.portable.elm import Node

Json = Any
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INFIX = {
    "And": "and", "Or": "or", "Equal": "=", "NotEqual": "!=", "Less": "<", "LessOrEqual": "<=",
    "Greater": ">", "GreaterOrEqual": ">=", "Add": "+", "Subtract": "-", "Multiply": "*",
    "Divide": "/", "In": "in",
}  # fmt: skip
_AROUND = {
    "Not": "not ({})", "Exists": "exists ({})", "IsNull": "({}) is null", "IsTrue": "({}) is true",
    "IsFalse": "({}) is false", "Negate": "-({})", "SingletonFrom": "singleton from ({})",
    "Flatten": "flatten ({})",
}  # fmt: skip
_KEYED: Mapping[str, tuple[str, ...]] = {
    "Split": ("stringToSplit", "separator"),
    "Substring": ("stringToSub", "startIndex", "length"),
    "PositionOf": ("pattern", "string"),
    "Combine": ("source", "separator"),
    "First": ("source",),
    "Last": ("source",),
    "Min": ("source",),
    "Max": ("source",),
    "Count": ("source",),
    "Round": ("operand", "precision"),
    "Slice": ("source", "startIndex", "endIndex"),
}


def library_text(document: Node) -> str:
    """A whole library."""
    library = document["library"]
    name, version = library["identifier"]["id"], library["identifier"]["version"]
    lines = [f"library {name} version '{version}'", "", "using FHIR version '4.0.1'", ""]
    for include in _definitions(library, "includes"):
        path, local = include["path"], include["localIdentifier"]
        lines.append(f"include {path} version '{include['version']}' called {local}")
    for value_set in _definitions(library, "valueSets"):
        lines.append(f"valueset {_name(value_set['name'])}: '{value_set['id']}'")
    for parameter in _definitions(library, "parameters"):
        lines.append(
            f"parameter {_name(parameter['name'])} {_type(parameter['parameterTypeSpecifier'])}"
        )
    lines += ["", "context Patient", ""]
    for statement in _definitions(library, "statements"):
        if statement["name"] != "Patient":
            lines += [_statement(statement), ""]
    return "\n".join(lines)


def _definitions(library: Node, key: str) -> list[Node]:
    definitions: list[Node] = library.get(key, {}).get("def", [])
    return definitions


def _statement(statement: Node) -> str:
    body = _indented(text_of(statement["expression"]))
    if statement.get("type") != "FunctionDef":
        return f"define {_name(statement['name'])}:\n{body}"
    operands = ", ".join(f"{operand['name']} Any" for operand in statement["operand"])
    return f"define function {_name(statement['name'])}({operands}):\n{body}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f'"{name}"'


def _type(specifier: Node) -> str:
    if specifier["type"] == "ListTypeSpecifier":
        return f"List<{_type(specifier['elementType'])}>"
    return str(specifier["name"]).split("}")[-1]


def text_of(node: Node) -> str:
    """An expression."""
    kind = node["type"]
    if kind in _PRINTERS:
        return _PRINTERS[kind](node)
    if kind in _INFIX:
        return f"({f' {_INFIX[kind]} '.join(map(text_of, node['operand']))})"
    if kind in _AROUND:
        return _AROUND[kind].format(text_of(node["operand"]))
    if kind in _KEYED:
        return f"{kind}({', '.join(text_of(node[key]) for key in _KEYED[kind] if key in node)})"
    operands = node["operand"] if isinstance(node["operand"], list) else [node["operand"]]
    return f"{kind}({', '.join(map(text_of, operands))})"


def _literal(node: Node) -> str:
    if node["valueType"].endswith("}String"):
        value = node["value"].replace("\\", "\\\\").replace("'", "\\'")
        return f"'{value}'"
    return str(node["value"])


def _reference(node: Node) -> str:
    library = f"{node['libraryName']}." if "libraryName" in node else ""
    return f"{library}{_name(node['name'])}"


def _call(node: Node) -> str:
    return f"{_reference(node)}({', '.join(map(text_of, node['operand']))})"


def _property(node: Node) -> str:
    source = node["scope"] if "scope" in node else text_of(node["source"])
    return f"{source}.{node['path']}"


def _if(node: Node) -> str:
    parts = (text_of(node[key]) for key in ("condition", "then", "else"))
    return "(if {} then {} else {})".format(*parts)


def _case(node: Node) -> str:
    items = [
        f"when {text_of(item['when'])} then {text_of(item['then'])}" for item in node["caseItem"]
    ]
    lines = [
        "case",
        *(_indented(line) for line in (*items, f"else {text_of(node['else'])}")),
        "end",
    ]
    return "\n".join(lines)


def _query(node: Node) -> str:
    source = node["source"][0]
    parts = [f"({text_of(source['expression'])}) {source['alias']}"]
    if "where" in node:
        parts.append(f"  where {text_of(node['where'])}")
    given = node["return"]["expression"]
    if given != {"type": "AliasRef", "name": source["alias"]}:
        parts.append(f"  return all {text_of(given)}")
    return "(" + "\n".join(parts) + ")"


def _tuple(node: Node) -> str:
    parts = [f"{element['name']}: {text_of(element['value'])}" for element in node["element"]]
    return "Tuple {\n" + ",\n".join(_indented(part) for part in parts) + "\n}"


def _instance(node: Node) -> str:
    parts = ", ".join(
        f"{element['name']}: {text_of(element['value'])}" for element in node["element"]
    )
    return f"Code {{ {parts} }}"


def _as(node: Node) -> str:
    kind = node["asType"].replace("{http://hl7.org/fhir}", "FHIR.").split("}")[-1]
    return f"({text_of(node['operand'])} as {kind})"


def _date_time(node: Node) -> str:
    keys = ("year", "month", "day", "hour", "minute", "second", "millisecond", "timezoneOffset")
    return f"DateTime({', '.join(text_of(node[key]) for key in keys)})"


def _difference(node: Node) -> str:
    start, end = map(text_of, node["operand"])
    return f"(difference in {node['precision'].lower()}s between {start} and {end})"


_PRINTERS: Mapping[str, Callable[[Node], str]] = {
    "Literal": _literal,
    "Null": lambda node: "null",
    "ExpressionRef": _reference,
    "ParameterRef": _reference,
    "ValueSetRef": _reference,
    "OperandRef": lambda node: str(node["name"]),
    "AliasRef": lambda node: str(node["name"]),
    "FunctionRef": _call,
    "Property": _property,
    "If": _if,
    "Case": _case,
    "Query": _query,
    "Tuple": _tuple,
    "List": lambda node: "{ " + ", ".join(map(text_of, node["element"])) + " }",
    "Instance": _instance,
    "As": _as,
    "DateTime": _date_time,
    "DifferenceBetween": _difference,
    "DateTimeComponentFrom": lambda node: (
        f"({node['precision'].lower()} from {text_of(node['operand'])})"
    ),
    "Quantity": lambda node: f"{node['value']} {node['unit']}",
    "Retrieve": lambda node: f"[{node['dataType'].split('}')[-1]}]",
    "AnyInValueSet": lambda node: f"({text_of(node['codes'])} in {_reference(node['valueset'])})",
    "InValueSet": lambda node: f"({text_of(node['code'])} in {_reference(node['valueset'])})",
    "Indexer": lambda node: "{}[{}]".format(*map(text_of, node["operand"])),
    "Concatenate": lambda node: f"({' + '.join(map(text_of, node['operand']))})",
}
