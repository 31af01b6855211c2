"""Nodes of ELM, HL7's Expression Logical Model, as JSON (https://cql.hl7.org/elm.html).

Only what the export needs, each as a short function. Operators that ELM names by one word and that
take operands only are made by `op`.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Node = dict[str, Any]

SYSTEM = "urn:hl7-org:elm-types:r1"
FHIR = "http://hl7.org/fhir"


def system_type(name: str) -> str:
    """A type of ELM itself: "{urn:hl7-org:elm-types:r1}Boolean"."""
    return f"{{{SYSTEM}}}{name}"


def fhir_type(name: str) -> str:
    """A type of FHIR: "{http://hl7.org/fhir}Condition"."""
    return f"{{{FHIR}}}{name}"


def text(value: str) -> Node:
    """A string."""
    return _literal("String", value)


def number(value: Decimal | int) -> Node:
    """A whole number, or a decimal one."""
    if isinstance(value, int):
        return _literal("Integer", str(value))
    return _literal("Decimal", f"{value:f}")


def _literal(kind: str, value: str) -> Node:
    return {"type": "Literal", "valueType": system_type(kind), "value": value}


def boolean(value: bool) -> Node:
    """True or false."""
    return _literal("Boolean", str(value).lower())


TRUE = boolean(True)
FALSE = boolean(False)
NULL: Node = {"type": "Null"}
UNKNOWN: Node = {"type": "As", "operand": NULL, "asType": system_type("Boolean")}


def op(kind: str, *operands: Node) -> Node:
    """An operator: its one operand, or the list of them."""
    return {"type": kind, "operand": operands[0] if len(operands) == 1 else list(operands)}


def gather(kind: str, source: Node) -> Node:
    """First, Min, Max, Count and the like: operators over a `source`."""
    return {"type": kind, "source": source}


def listed(elements: Iterable[Node]) -> Node:
    """A list."""
    return {"type": "List", "element": list(elements)}


def texts(values: Iterable[str]) -> Node:
    """A list of strings."""
    return listed(text(value) for value in values)


def all_of(parts: Sequence[Node]) -> Node:
    """Every part holds, in three values; true where there are none."""
    return _chain("And", parts, TRUE)


def any_of(parts: Sequence[Node]) -> Node:
    """A part holds, in three values; false where there are none."""
    return _chain("Or", parts, FALSE)


def _chain(kind: str, parts: Sequence[Node], empty: Node) -> Node:
    if not parts:
        return empty
    whole = parts[0]
    for part in parts[1:]:
        whole = op(kind, whole, part)
    return whole


def negated(part: Node) -> Node:
    """The part does not hold; null stays null."""
    return op("Not", part)


def certainly(part: Node) -> Node:
    """Null becomes false."""
    return op("IsTrue", part)


def missing(part: Node) -> Node:
    """There is no value."""
    return op("IsNull", part)


def given(part: Node) -> Node:
    """There is a value."""
    return op("Not", op("IsNull", part))


def when(condition: Node, then: Node, otherwise: Node) -> Node:
    """if condition then ... else ...: null counts as false."""
    return {"type": "If", "condition": condition, "then": then, "else": otherwise}


def cases(items: Sequence[tuple[Node, Node]], otherwise: Node) -> Node:
    """case when ... then ... else ... end."""
    items_of_case = [{"when": condition, "then": then} for condition, then in items]
    return {"type": "Case", "caseItem": items_of_case, "else": otherwise}


def ref(name: str, library: str = "") -> Node:
    """The value of an expression, of this library or another."""
    return _named("ExpressionRef", name, library)


def call(name: str, *operands: Node, library: str = "") -> Node:
    """A call of a function."""
    return {**_named("FunctionRef", name, library), "operand": list(operands)}


def parameter(name: str, library: str = "") -> Node:
    """The value of a parameter."""
    return _named("ParameterRef", name, library)


def value_set(name: str, library: str = "") -> Node:
    """A value set."""
    return _named("ValueSetRef", name, library)


def _named(kind: str, name: str, library: str) -> Node:
    return {"type": kind, "name": name} | ({"libraryName": library} if library else {})


def operand(name: str) -> Node:
    """An operand of the function at hand."""
    return {"type": "OperandRef", "name": name}


def alias(name: str) -> Node:
    """The element of a query at hand."""
    return {"type": "AliasRef", "name": name}


def of(name: str, path: str) -> Node:
    """A property of the element at hand: "C.code"."""
    return {"type": "Property", "path": path, "scope": name}


def prop(source: Node, path: str) -> Node:
    """A property of what an expression gives."""
    return {"type": "Property", "path": path, "source": source}


def as_fhir(source: Node, kind: str) -> Node:
    """The value where it is of this FHIR type, else null: one of the types of a choice."""
    return {"type": "As", "operand": source, "asType": fhir_type(kind), "strict": False}


def query(source: Node, name: str, where: Node | None = None, give: Node | None = None) -> Node:
    """The elements of a list for which `where` holds, or what `give` makes of each."""
    written: Node = {"type": "Query", "source": [{"alias": name, "expression": source}]}
    written |= {"relationship": []}
    if where is not None:
        written["where"] = where
    written["return"] = {"distinct": False, "expression": give or alias(name)}
    return written


def exists(source: Node) -> Node:
    """Whether a list has an element."""
    return op("Exists", source)


def any_in(codes: Node, name: str, library: str = "") -> Node:
    """Whether one of several codes is in a value set."""
    return {"type": "AnyInValueSet", "codes": codes, "valueset": value_set(name, library)}


def one_in(code: Node, name: str, library: str = "") -> Node:
    """Whether a code is in a value set."""
    return {"type": "InValueSet", "code": code, "valueset": value_set(name, library)}


def tuple_of(elements: Mapping[str, Node]) -> Node:
    """A tuple."""
    members = [{"name": name, "value": value} for name, value in elements.items()]
    return {"type": "Tuple", "element": members}


def code(system: Node, value: Node) -> Node:
    """A code of a system that is known only at run time."""
    elements = [{"name": "code", "value": value}, {"name": "system", "value": system}]
    return {"type": "Instance", "classType": system_type("Code"), "element": elements}


def retrieve(kind: str) -> Node:
    """All resources of a type."""
    return {"type": "Retrieve", "dataType": fhir_type(kind)}


def define(name: str, expression: Node) -> Node:
    """A named expression."""
    head = {"name": name, "context": "Patient", "accessLevel": "Public"}
    return {**head, "expression": expression}


def function(name: str, operands: Sequence[str], expression: Node) -> Node:
    """A named function. Operands are written without their types' names: any."""
    anything = {"type": "NamedTypeSpecifier", "name": system_type("Any")}
    typed = [
        {"name": name_of_operand, "operandTypeSpecifier": anything} for name_of_operand in operands
    ]
    return {**define(name, expression), "type": "FunctionDef", "operand": typed}


def library(
    name: str,
    version: str,
    statements: Sequence[Node],
    *,
    includes: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    value_sets: Mapping[str, str] | None = None,
) -> Node:
    """A library. `includes`: alias to library name; `parameters`: name to a type of ELM;
    `value_sets`: name to address.
    """
    written: Node = {
        "annotation": [],
        "identifier": {"id": name, "version": version},
        "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
        "usings": {
            "def": [
                {"localIdentifier": "System", "uri": SYSTEM},
                {"localIdentifier": "FHIR", "uri": FHIR, "version": "4.0.1"},
            ]
        },
    }
    if includes:
        written["includes"] = {"def": [_include(*pair, version) for pair in includes.items()]}
    if parameters:
        written["parameters"] = {"def": [_parameter(*pair) for pair in parameters.items()]}
    if value_sets:
        written["valueSets"] = {"def": [_value_set(*pair) for pair in value_sets.items()]}
    patient = define("Patient", op("SingletonFrom", retrieve("Patient")))
    written["contexts"] = {"def": [{"name": "Patient"}]}
    written["statements"] = {"def": [patient, *statements]}
    return {"library": written}


def _include(local: str, name: str, version: str) -> Node:
    return {"localIdentifier": local, "path": name, "version": version}


def _parameter(name: str, kind: str) -> Node:
    specifier: Node = {"type": "NamedTypeSpecifier", "name": system_type(kind.removeprefix("*"))}
    if kind.startswith("*"):
        specifier = {"type": "ListTypeSpecifier", "elementType": specifier}
    return {"name": name, "accessLevel": "Public", "parameterTypeSpecifier": specifier}


def _value_set(name: str, url: str) -> Node:
    return {"name": name, "id": url, "accessLevel": "Public"}
