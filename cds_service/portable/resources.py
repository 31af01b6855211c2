"""The FHIR R4 resources of the package: libraries, plans, activities, value sets."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from cds_service.portable.cql import library_text
from cds_service.portable.elm import Node
from cds_service.portable.left_out import verdict_on
from cds_service.portable.libraries import FACTS, PREFIX, Libraries, library_name, suggestions_of
from cds_service.portable.names import WORDS
from cds_service.portable.sets import Listed
from cds_service.portable.supply import READING
from cds_service.rules.model import Rule, ServiceDefinition
from cds_service.rules.ruleset import serves

Json = Any
Resource = dict[str, Any]
BASE = "https://cds.legcramps.example"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_PLACEHOLDER = re.compile(r"\{\?|\?\}|\{[^{}]*\}")
_PRIORITY = {"info": "routine", "warning": "urgent", "critical": "stat"}
EXPORTED = f"{BASE}/StructureDefinition/exported"


class Resources:
    """Makes the resources of one export. `date` is the day it is made."""

    def __init__(self, libraries: Libraries, date: str) -> None:
        self._libraries = libraries
        self._pack = libraries.pack
        self._date = date

    def all(self) -> Iterator[Resource]:
        """All but the Questionnaires and the tests."""
        yield from (self._library(name, elm) for name, elm in self._libraries.elm.items())
        yield from (self._value_set(value_set) for value_set in self._libraries.sets.by_id.values())
        yield self._words()
        yield from (self._activity(name, order) for name, order in self._pack.orders.items())
        yield from (self._plan(service) for service in self._pack.services if service.enabled)

    def _described(self, kind: str, identifier: str, title: str) -> Resource:
        name = "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", identifier))
        return {
            "resourceType": kind,
            "id": identifier[:64],
            "url": f"{BASE}/{kind}/{identifier}",
            "version": self._pack.version,
            "name": name,
            "title": title,
            "status": "active",
            "date": self._date,
            "publisher": "Leg Cramps CDS",
        }

    def _library(self, name: str, elm: Node) -> Resource:
        includes = elm["library"].get("includes", {}).get("def", [])
        sets = elm["library"].get("valueSets", {}).get("def", [])
        related = [f"{BASE}/Library/{include['path']}|{include['version']}" for include in includes]
        related += [f"{value_set['id']}|{self._pack.version}" for value_set in sets]
        kind = {"coding": [{"system": f"{_HL7}/library-type", "code": "logic-library"}]}
        parameters = [_library_parameter(parameter) for parameter in _parameters(elm)]
        return {
            **self._described("Library", name, _title_of(name)),
            "name": name,
            "type": kind,
            "relatedArtifact": [{"type": "depends-on", "resource": other} for other in related],
            **({"parameter": parameters} if parameters else {}),  # FHIR: no empty list
            "content": [
                _attachment("text/cql", library_text(elm).encode()),
                _attachment("application/elm+json", orjson.dumps(elm)),
            ],
        }

    def _value_set(self, value_set: Listed) -> Resource:
        contains = [
            {"system": system, "code": code} | ({"display": name} if name else {})
            for (system, code), name in value_set.codes.items()
        ]
        resource = self._described("ValueSet", value_set.id, value_set.title)
        if value_set.description:
            resource["description"] = value_set.description
        resource["compose"] = {"include": list(_includes(value_set))}
        resource["expansion"] = {
            "identifier": f"{value_set.url}|{self._pack.version}",
            "timestamp": f"{self._date}T00:00:00Z",
            "total": len(contains),
            "contains": contains,
        }
        return resource if contains else _empty(resource)

    def _words(self) -> Resource:
        head = self._described("CodeSystem", "words", "Words of names, as codes")
        told = "Each code is a name in lower case without punctuation: a name to be equal to."
        return {**head, "content": "not-present", "caseSensitive": True, "description": told,
                "url": WORDS}  # fmt: skip

    def _activity(self, name: str, order: Json) -> Resource:
        code = order.get("code", {})
        head = self._described("ActivityDefinition", name, str(code.get("text") or name))
        kind = order.get("resourceType", "ServiceRequest")
        return {**head, "kind": kind, "intent": order.get("intent", "proposal"), "code": code}

    def _plan(self, service: ServiceDefinition) -> Resource:
        rules = [rule for rule in self._libraries.rules if serves(service, rule)]
        groups = dict.fromkeys(library_name(rule.group) for rule in rules)
        version = self._pack.version
        kind = {"coding": [{"system": f"{_HL7}/plan-definition-type", "code": "eca-rule"}]}
        return {
            **self._described("PlanDefinition", service.id, service.title),
            "description": service.description,
            "type": kind,
            "library": [f"{BASE}/Library/{name}|{version}" for name in groups],
            "action": [
                {
                    "title": service.title,
                    "trigger": [{"type": "named-event", "name": service.hook}],
                    "action": [self._action(rule) for rule in rules],
                }
            ],
        }

    def _action(self, rule: Rule) -> Resource:
        """A rule: its condition, what its card is about, and its suggestions."""
        action: Resource = {
            "id": rule.id.replace(".", "-"),
            "extension": [{"url": EXPORTED, "valueCode": verdict_on(self._libraries, rule)}],
            "title": rule.title,
            "description": _without_values(rule.card.get("summary", rule.title)),
            "priority": _PRIORITY[rule.card.get("indicator", "info")],
            "documentation": [_cited(source) for source in rule.sources],
            "condition": [_condition(rule.id)],
            "selectionBehavior": "any",
            "action": [
                self._suggested(rule, number, part)
                for number, part in enumerate(suggestions_of(rule), 1)
            ],
        }
        if not action["action"]:
            del action["action"], action["selectionBehavior"]
        return {key: value for key, value in action.items() if value != []}

    def _suggested(self, rule: Rule, number: int, part: Mapping[str, Json]) -> Resource:
        action: Resource = {"title": _without_values(str(part.get("label", rule.title)))}
        if "when" in part:
            action["condition"] = [_condition(f"{rule.id} suggestion {number}")]
        if "create" in part:
            name = part["create"]
            action["definitionCanonical"] = f"{BASE}/ActivityDefinition/{name}|{self._pack.version}"
            action["type"] = {"coding": [{"system": f"{_HL7}/action-type", "code": "create"}]}
        elif "delete" in part:
            action["type"] = {"coding": [{"system": f"{_HL7}/action-type", "code": "remove"}]}
        return action


def _includes(value_set: Listed) -> Iterator[Resource]:
    by_system: dict[str, list[Resource]] = {}
    for (system, code), name in value_set.codes.items():
        entry = {"code": code} | ({"display": name} if name else {})
        by_system.setdefault(system, []).append(entry)
    for system, concepts in by_system.items():
        yield {"system": system, "concept": concepts}


def _empty(resource: Resource) -> Resource:
    """A set that lists nothing has no compose that FHIR accepts, and an empty expansion."""
    expansion = {key: value for key, value in resource["expansion"].items() if key != "contains"}
    return {key: value for key, value in resource.items() if key != "compose"} | {
        "expansion": expansion
    }


def _parameters(elm: Node) -> Sequence[Node]:
    parameters: Sequence[Node] = elm["library"].get("parameters", {}).get("def", [])
    return parameters


def _library_parameter(parameter: Node) -> Resource:
    specifier = parameter["parameterTypeSpecifier"]
    many = specifier["type"] == "ListTypeSpecifier"
    named = specifier["elementType"] if many else specifier
    kind = named["name"].split("}")[-1]
    kind = {"DateTime": "dateTime", "String": "string"}[kind]
    return {
        "name": parameter["name"],
        "use": "in",
        "min": 0,
        "max": "*" if many else "1",
        "type": kind,
    }


def _attachment(kind: str, content: bytes) -> Resource:
    return {"contentType": kind, "data": base64.b64encode(content).decode("ascii")}


def _condition(name: str) -> Resource:
    return {
        "kind": "applicability",
        "expression": {"language": "text/cql-identifier", "expression": name},
    }


def _cited(source: Mapping[str, str]) -> Resource:
    citation = {"type": "citation", "label": source["label"], "url": source.get("url", "")}
    return {key: value for key, value in citation.items() if value}


def _without_values(text: Json) -> str:
    """A template with "..." where the service fills in values of the chart."""
    shown = _PLACEHOLDER.sub(lambda placeholder: "" if "?" in placeholder[0] else "...", str(text))
    return " ".join(shown.split())


def _title_of(name: str) -> str:
    known = {
        f"{PREFIX}{READING}": "How the rules read a chart",
        f"{PREFIX}{FACTS}": "The facts and definitions that the rules ask for",
    }
    return known.get(name, f"Rules: {name.removeprefix(f'{PREFIX}Rules')}")
