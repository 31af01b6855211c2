"""Generated charts: what the facts of a rule read, at the edges of what counts.

Each chart is made around one rule: entries for its facts, with look-backs met and missed by a day,
values at thresholds in any unit that converts, comparators, statuses, code systems in the ways
records spell them, and prefetch keys that are missing, failed or cut off. The same seed gives the
same charts.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cds_service.facts.chart import PREFETCH_KEYS, Chart, Draft, Slot, Supply
from cds_service.facts.definitions import FactDefinition
from cds_service.facts.prefetch_keys import KEY_OF_TYPE
from cds_service.protocol.entries import Entry, entry
from cds_service.rules.inputs import inputs_of
from cds_service.rules.model import Pack, Rule, ServiceDefinition
from cds_service.rules.ruleset import serves
from cds_service.terminology.codings import ICD10CM, LOINC, RXNORM, SNOMED
from cds_service.units.table import UnitTable

Json = Any
Resource = dict[str, Any]
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PATIENT = {"reference": "Patient/patient-1"}
_HL7 = "http://terminology.hl7.org/CodeSystem"
_SPELLINGS = {
    ICD10CM: (ICD10CM, "urn:oid:2.16.840.1.113883.6.90", "https://hl7.org/fhir/sid/icd-10-cm/"),
    SNOMED: (SNOMED, "https://snomed.info/sct", "http://snomed.info/sct/731000124108"),
    LOINC: (LOINC, "https://loinc.org/", "urn:oid:2.16.840.1.113883.6.1"),
    RXNORM: (RXNORM, "urn:oid:2.16.840.1.113883.6.88"),
}
_FOREIGN = ("http://example.org/problems", "http://hl7.org/fhir/sid/icd-9-cm")
_RESULT_STATUSES = ("final", "final", "final", "amended", "corrected", "preliminary", "registered",
                    "unknown", "cancelled", "entered-in-error")  # fmt: skip
_COMPARATORS = (None, None, None, None, "<", "<=", ">", ">=")
_FLAGS = (None, None, None, None, "L", "LL", "N", "H")


class Charts:
    """Charts of a pack, one rule after the other."""

    def __init__(self, pack: Pack, seed: int) -> None:
        self._pack = pack
        self._random = random.Random(seed)
        self._rules = [rule for rule in pack.rules if rule.status == "active"]
        self._number = 0

    def make(self, count: int) -> Iterator[tuple[str, ServiceDefinition, Chart]]:
        """Charts with their names and the service that is asked."""
        for number in range(count):
            rule = self._rules[number % len(self._rules)]
            services = [service for service in self._pack.services if serves(service, rule)]
            service = services[number // len(self._rules) % len(services)]
            yield f"generated {number + 1}, {rule.id}", service, self._chart(rule, service)

    def always(self) -> Iterator[tuple[str, ServiceDefinition, Chart]]:
        """Charts for what a sample may miss: for each analyte leg cramps, restless legs and half of
        the lowest threshold, in the unit that converts with the largest factor, or preliminary; for
        each problem that an Observation tells the answer no, beside such results."""
        service = next(service for service in self._pack.services if service.hook == "patient-view")
        complaints = [self._complaint_of("G47.62"), self._complaint_of("G25.81")]
        low: list[Resource] = []
        for fact in self._pack.catalogue.facts.values():
            table = self._pack.terminology.units.get(getattr(fact, "unit_table", ""))
            if table is None or fact.computed_from:
                continue
            unit, by = _largest_factor(table)
            converted = self._low(fact, unit, by)
            yield f"converted, {fact.name}", service, self._of(*complaints, converted)
            low.append(self._low(fact, table.canonical, Decimal(1)))
            unripe = low[-1] | {"status": "preliminary"}
            yield f"preliminary, {fact.name}", service, self._of(*complaints, unripe)
        for fact in self._pack.catalogue.facts.values():
            if "observation" in getattr(fact, "sources", ()) and fact.kind == "problem":
                yield f"denied, {fact.name}", service, self._of(self._denied(fact), *low)

    def _low(self, fact: FactDefinition, unit: str, by: Decimal) -> Resource:
        result = self._identified("Observation") | {"status": "final"}
        result |= {"code": _first_of(self._pack, fact), "effectiveDateTime": str(NOW.date())}
        value = min(self._thresholds(fact)) / 2 / by
        return result | {"valueQuantity": {"value": float(round(value, 6)), "unit": unit}}

    def _denied(self, fact: FactDefinition) -> Resource:
        result = self._identified("Observation") | {"status": "final"}
        result |= {"code": _first_of(self._pack, fact), "effectiveDateTime": str(NOW.date())}
        return result | {"valueCodeableConcept": _coding(SNOMED, "260385009")}

    def _complaint_of(self, code: str) -> Resource:
        return self._identified("Condition") | {"code": _coding(ICD10CM, code)}

    def _of(self, *resources: Resource) -> Chart:
        """A chart of these, and of nothing else."""
        person = {"resourceType": "Patient", "id": "patient-1", "birthDate": "1960"}
        sent: dict[str, list[Entry]] = {key: [] for key in PREFETCH_KEYS}
        for resource in (person, *resources):
            sent[KEY_OF_TYPE[resource["resourceType"]]].append(entry(resource))
        slots = {
            key: Slot(Supply.SUPPLIED if entries else Supply.EMPTY, entries)
            for key, entries in sent.items()
        }
        return Chart(slots, [], [], "patient-view")

    def _chart(self, rule: Rule, service: ServiceDefinition) -> Chart:
        facts = [self._pack.catalogue[name] for name in inputs_of(self._pack, rule).facts]
        wanted = self._random.sample(facts, min(len(facts), self._random.randint(1, 8)))
        resources = [resource for fact in wanted for resource in self._entries(fact)]
        resources += [*self._complaint(), *self._person()]
        drafts = self._drafts(facts) if service.hook != "patient-view" else []
        slots = {key: self._slot(key, resources) for key in PREFETCH_KEYS}
        others = [
            entry(resource) for resource in resources if resource["resourceType"] not in KEY_OF_TYPE
        ]
        return Chart(slots, drafts, others, service.hook)

    def _complaint(self) -> list[Resource]:
        """A leg cramp or restless legs, without which most rules have nothing to say."""
        if self._random.random() < 0.35:
            return []
        code = self._random.choice(("G47.62", "G25.81", "I73.9"))
        condition = self._identified("Condition") | {
            "code": {"coding": [{"system": ICD10CM, "code": code}]}
        }
        return [condition | _coded("clinicalStatus", "condition-clinical", "active")]

    def _slot(self, key: str, resources: Sequence[Resource]) -> Slot:
        own = [
            resource for resource in resources if KEY_OF_TYPE.get(resource["resourceType"]) == key
        ]
        supply = Supply.SUPPLIED if own else Supply.EMPTY
        gap = self._random.random()
        if gap < 0.12 and key != "patient":
            supply = self._random.choice((Supply.MISSING, Supply.FAILED, Supply.INCOMPLETE))
        if supply in (Supply.MISSING, Supply.FAILED):
            own = []
        return Slot(supply, [entry(resource) for resource in own])

    def _person(self) -> list[Resource]:
        ages = sorted(
            {int(setting.value) for setting in self._pack.settings.values() if setting.unit == "a"}
        )
        age = self._random.choice((*ages, 40, 70))
        born = date(NOW.year - age, NOW.month, NOW.day) + timedelta(
            self._random.choice((0, 1, -90))
        )
        person = {"resourceType": "Patient", "id": "patient-1"}
        person["gender"] = self._random.choice(("female", "male"))
        if self._number % 13 == 0:
            person["gender"] = "unknown"
        person["birthDate"] = self._random.choice((str(born), str(born), str(born.year)))
        if self._random.random() < 0.03:
            return [person | {"deceasedBoolean": True}]
        resources: list[Resource] = [person]
        if self._random.random() < 0.4:
            kind = self._random.choice(("AMB", "EMER", "IMP"))
            resources.append({"resourceType": "Encounter", "id": "e1", "status": "in-progress",
                         "class": {"system": f"{_HL7}/v3-ActCode", "code": kind}})  # fmt: skip
        return resources

    def _identified(self, kind: str) -> Resource:
        self._number += 1
        return {"resourceType": kind, "id": f"g{self._number}", "subject": PATIENT}

    def _entries(self, fact: FactDefinition) -> Iterator[Resource]:
        makers = {
            "problem": self._problem,
            "quantity": self._result,
            "coded": self._coded,
            "drug": self._drug,
            "procedure": self._procedure,
            "order": self._order,
            "answer": self._answers,
        }
        make = makers.get(fact.kind)
        for _ in range(self._random.choice((1, 1, 2)) if make and not fact.computed_from else 0):
            assert make is not None
            yield make(fact)
        for name in fact.computed_from:
            yield self._result(self._pack.catalogue[name])

    def _days(self, fact: FactDefinition) -> int | None:
        name = fact.lookback or getattr(fact, "encounter_lookback", "")
        return int(self._pack.settings[name].value) if name else None

    def _moment(self, fact: FactDefinition) -> str | None:
        """A date at an edge of the fact's look-back, today's or the future's."""
        days = self._days(fact)
        edges = [0, -1, -2, 1, 30, 400] + ([days, days + 1, days - 1] * 2 if days else [])
        day = NOW.date() - timedelta(self._random.choice(edges))
        way = self._random.random()
        if way < 0.08:
            return None
        if way < 0.14:
            return str(day)[: self._random.choice((4, 7))]
        if way < 0.5:
            return str(day)
        hour, zone = (
            self._random.choice((0, 1, 12, 23)),
            self._random.choice(("Z", "+02:00", "-05:00")),
        )
        return f"{day}T{hour:02}:30:00{zone}"

    def _concept(self, set_ids: Sequence[str]) -> Resource:
        """A code of one of the sets, or of no set at all."""
        if self._random.random() < 0.06:
            return {"coding": [{"system": self._random.choice(_FOREIGN), "code": "X1"}]}
        terminology = self._pack.terminology
        value_set = terminology.value_set(self._random.choice(set_ids))
        keys = [
            key for key in (*value_set.concepts, *value_set.below) if key not in value_set.excluded
        ]
        keys = [key for key in keys if "CodeSystem/ingredient" not in key[0]] or [
            (SNOMED, "404684003")
        ]
        system, code = self._random.choice(sorted(keys))
        if (system, code) in value_set.below and self._random.random() < 0.5:
            code = f"{code}9" if "." in code or system.endswith("atc") else f"{code}.9"
        spelt = self._random.choice(_SPELLINGS.get(system, (system,)))
        return {"coding": [{"system": spelt, "code": code}]}

    def _problem(self, fact: FactDefinition) -> Resource:
        """A Condition, or the finding as an Observation where the fact reads those."""
        if "observation" in getattr(fact, "sources", ()) and self._random.random() < 0.35:
            return self._finding(fact)
        return self._condition(fact)

    def _finding(self, fact: FactDefinition) -> Resource:
        """A finding that is there or denied, as the code or as the value of an Observation."""
        result = self._identified("Observation") | {"status": self._random.choice(_RESULT_STATUSES)}
        result |= _unless_none("effectiveDateTime", self._moment(fact))
        concept = self._concept(fact.value_sets)
        way = self._random.choice(("yes", "no", "coded no", "value"))
        if way == "value":
            asked = {"coding": [{"system": LOINC, "code": "75325-1"}]}
            return result | {"code": asked, "valueCodeableConcept": concept}
        if way == "coded no":
            denied = {"coding": [{"system": SNOMED, "code": "260385009"}]}
            return result | {"code": concept, "valueCodeableConcept": denied}
        return result | {"code": concept, "valueBoolean": way == "yes"}

    def _condition(self, fact: FactDefinition) -> Resource:
        choose = self._random.choice
        status = choose(("active", "active", "active", "recurrence", "resolved", "inactive", None))
        certain = choose(
            ("confirmed", "confirmed", None, "provisional", "refuted", "entered-in-error")
        )
        condition = self._identified("Condition") | {"code": self._concept(fact.value_sets)}
        condition |= _coded("clinicalStatus", "condition-clinical", status)
        condition |= _coded("verificationStatus", "condition-ver-status", certain)
        category = choose(("problem-list-item", "problem-list-item", "encounter-diagnosis"))
        condition["category"] = [_coded("category", "condition-category", category)["category"]]
        condition |= _unless_none("recordedDate", self._moment(fact))
        if status is None and choose((True, False)):
            condition |= _unless_none("abatementDateTime", self._moment(fact))
        return condition

    def _thresholds(self, fact: FactDefinition) -> list[Decimal]:
        """Settings in the fact's unit: where rules compare, mostly."""
        numbers = {
            name: Decimal(setting.value)
            for name, setting in self._pack.settings.items()
            if setting.unit == fact.unit and not isinstance(setting.value, bool | str)
        }
        stem = fact.name.split(".")[-1].split("-")[0]
        near = [value for name, value in numbers.items() if name.startswith(stem)]
        return near or list(numbers.values()) or [Decimal(10)]

    def _quantity(self, fact: FactDefinition) -> Resource:
        table = self._pack.terminology.units.get(fact.unit_table)
        target = self._random.choice(self._thresholds(fact))
        target += self._random.choice(
            (Decimal(0), Decimal(0), Decimal("0.1"), Decimal("-0.1"), Decimal(5))
        )
        quantity: Resource = {"value": float(target)}
        if table is not None and self._random.random() < 0.93:
            unit, value = self._in_some_unit(table, target)
            quantity = {
                "value": value,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            }
        return quantity | _unless_none("comparator", self._random.choice(_COMPARATORS))

    def _in_some_unit(self, table: UnitTable, target: Decimal) -> tuple[str, float]:
        unit = self._random.choice(sorted(table.factors))
        factor = table.factors[unit]
        value = target * factor.divided_by / factor.times
        rough = self._random.choice((value, round(value, 2), round(value, 1)))
        return unit, float(round(rough, 6))

    def _result(self, fact: FactDefinition) -> Resource:
        result = self._identified("Observation") | {"code": self._concept(fact.value_sets)}
        result |= _unless_none("status", self._random.choice((*_RESULT_STATUSES, None)))
        result["valueQuantity"] = self._quantity(fact)
        if self._random.random() < 0.04:
            del result["valueQuantity"]
            result["valueString"] = "see report"
        flag = self._random.choice(_FLAGS)
        if flag:
            result["interpretation"] = [_coded("i", "v3-ObservationInterpretation", flag)["i"]]
        if self._random.random() < 0.3:
            limit = {
                key: value for key, value in self._quantity(fact).items() if key != "comparator"
            }
            result["referenceRange"] = [{self._random.choice(("low", "high")): limit}]
        return result | _unless_none("effectiveDateTime", self._moment(fact))

    def _coded(self, fact: FactDefinition) -> Resource:
        result = self._identified("Observation") | {"code": self._concept(fact.value_sets)}
        result["status"] = self._random.choice(_RESULT_STATUSES)
        sets = [name for name in fact.answers if self._pack.terminology.has_set(name)]
        result["valueCodeableConcept"] = self._concept(sets or fact.value_sets)
        return result | _unless_none("effectiveDateTime", self._moment(fact))

    def _product(self, fact: FactDefinition) -> Resource:
        """A product of the fact's drugs, one of the dictionary as a rule."""
        drugs = self._pack.terminology.drugs
        if self._random.random() < 0.3:
            return self._concept(fact.value_sets)
        ingredients = [
            ingredient
            for set_id in fact.value_sets
            for ingredient in self._pack.terminology.ingredients_of(set_id)
        ]
        if not ingredients:
            return self._concept(fact.value_sets)
        name = self._random.choice(ingredients)
        if self._random.random() < 0.15:
            return {"text": name}
        products = [product for product in drugs.products() if name in product.ingredients]
        if not products:
            return {"text": name}
        product = self._random.choice(products)
        concept: Resource = {"coding": [{"system": RXNORM, "code": product.code}]}
        return concept | ({"text": product.name} if self._random.random() < 0.3 else {})

    def _drug(self, fact: FactDefinition) -> Resource:
        request = self._random.random() < 0.6
        kind = "MedicationRequest" if request else "MedicationStatement"
        statuses = ("active", "active", "active", "completed", "stopped", "on-hold", "unknown")
        medication = self._identified(kind) | {"medicationCodeableConcept": self._product(fact)}
        medication["status"] = self._random.choice(statuses)
        moment = self._drug_moment(fact)
        if request:
            medication["intent"] = self._random.choice(("order", "order", "plan", "proposal"))
            return medication | _unless_none("authoredOn", moment)
        return medication | _unless_none("effectiveDateTime", moment)

    def _drug_moment(self, fact: FactDefinition) -> str | None:
        name = self._random.choice(
            ("medication.max-age", getattr(fact, "given_within", "") or "medication.max-age")
        )
        if self._random.random() < 0.5 or name not in self._pack.settings:
            return self._moment(fact)
        days = int(self._pack.settings[name].value) + self._random.choice((0, 1))
        return str(NOW.date() - timedelta(days))

    def _procedure(self, fact: FactDefinition) -> Resource:
        procedure = self._identified("Procedure") | {"code": self._concept(fact.value_sets)}
        procedure["status"] = self._random.choice(
            ("completed", "completed", "in-progress", "not-done")
        )
        return procedure | _unless_none("performedDateTime", self._moment(fact))

    def _order(self, fact: FactDefinition) -> Resource:
        order = self._identified("ServiceRequest") | {"code": self._concept(fact.value_sets)}
        order |= {
            "status": self._random.choice(("active", "active", "on-hold", "completed", "revoked"))
        }
        order["intent"] = "order"
        return order | _unless_none("authoredOn", self._moment(fact))

    def _answers(self, fact: FactDefinition) -> Resource:
        response = self._identified("QuestionnaireResponse")
        response["status"] = self._random.choice(
            ("completed", "completed", "amended", "in-progress")
        )
        response["questionnaire"] = fact.questionnaire + self._random.choice(("", "|1.0.0"))
        answer = {"valueBoolean": self._random.choice((True, True, False))}
        response["item"] = [{"linkId": fact.link_id or "Q2", "answer": [answer]}]
        return response | _unless_none("authored", self._moment(fact))

    def _drafts(self, facts: Sequence[FactDefinition]) -> list[Draft]:
        kinds = [
            fact for fact in facts if fact.kind in ("draft-drug", "draft-order") and fact.value_sets
        ]
        orders = []
        for _ in range(self._random.choice((1, 1, 2)) if kinds else 0):
            orders.append(self._draft(self._random.choice(kinds), facts))
        return [Draft(order, f"{order['resourceType']}/{order['id']}", True) for order in orders]

    def _draft(self, fact: FactDefinition, facts: Sequence[FactDefinition]) -> Resource:
        if fact.kind == "draft-drug":
            order = self._identified("MedicationRequest")
            order |= {"medicationCodeableConcept": self._product(fact), "intent": "order"}
        else:
            order = self._identified("ServiceRequest")
            order |= {"code": self._concept(fact.value_sets), "intent": "order"}
        order["status"] = "draft"
        reasons = [other for other in facts if "order-reason" in getattr(other, "sources", ())]
        if reasons and self._random.random() < 0.6:
            order["reasonCode"] = [self._concept(self._random.choice(reasons).value_sets)]
        return order


def _largest_factor(table: UnitTable) -> tuple[str, Decimal]:
    by_unit = {unit: factor.times / factor.divided_by for unit, factor in table.factors.items()}
    return max(by_unit.items(), key=lambda item: max(item[1], 1 / item[1]))


def _first_of(pack: Pack, fact: FactDefinition) -> Resource:
    return _coding(*min(pack.terminology.value_set(fact.value_sets[0]).concepts))


def _coding(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _coded(name: str, system: str, code: str | None) -> Resource:
    return {name: {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}} if code else {}


def _unless_none(name: str, value: Json) -> Resource:
    return {} if value is None else {name: value}
