"""The engine-neutral part: a patient's lines in, rows of decisions out.

`local` and `spark` only bring the lines of one patient together; everything that is judged or
counted of a patient is judged and counted here.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from cds_service.facts.chart import Resource
from cds_service.population import replay
from cds_service.population.judge import VIEW, Answer, Judge, Shared, strongest
from cds_service.population.lines import entry_of_line
from cds_service.population.patient_chart import PatientChart
from cds_service.population.plan import LAST, RunPlan
from cds_service.population.replay import Moment
from cds_service.population.rows import CALL, CHART, LEFT_OUT, RULE, VARIANT, Row
from cds_service.protocol.entries import Entry, entry_of
from cds_service.protocol.raw import Raw, decoded
from cds_service.rules.model import ServiceDefinition

Json = Any
Line = tuple[str, str, bytes]  # patient, fullUrl, the resource as JSON

TWO_PATIENTS = "patients left out: two Patient resources with one id"
NO_PATIENT_RESOURCE = "patients left out: entries without their Patient"
TOO_MANY = "patients left out: too many resources"
NO_MOMENT = "patients left out: no encounter with a date"
TWICE = "a line that is there twice"

_BANDS = ((18, "0-17"), (35, "18-34"), (50, "35-49"), (65, "50-64"), (80, "65-79"))
_OLDEST = "80+"
_REST_OF_DATE = {4: "-12-31", 7: "-28"}  # the youngest possible age, nearly


class Decider:
    """Judges patients one after another with the pack of the run and its variants."""

    def __init__(self, plan: RunPlan, medications: Mapping[str, bytes]) -> None:
        self._plan = plan
        self._medications = medications
        pack = plan.pack()
        self._judge = Judge(pack, orders=plan.orders)
        self._variants = {
            name: Judge(other, orders=plan.orders) for name, other in plan.variants(pack).items()
        }
        self._salt = plan.salt.encode()

    def rows(self, lines: Iterable[Line]) -> Iterator[Row]:
        """All rows; what was left out comes last."""
        left_out: Counter[str] = Counter()
        for patient, own in groupby(lines, key=lambda line: line[0]):
            yield from self._patient(patient, own, left_out)
        for reason, count in sorted(left_out.items()):
            yield Row(LEFT_OUT, outcome=reason, count=count)

    def _patient(
        self, patient: str, lines: Iterable[Line], left_out: Counter[str]
    ) -> Iterator[Row]:
        entries = self._entries(lines, left_out)
        if len(entries) > self._plan.most_resources:
            left_out[TOO_MANY] += 1
            return
        if not entries:  # no line of it is FHIR
            return
        people = [entry for entry in entries if entry.kind == "Patient"]
        if len(people) != 1:
            left_out[TWO_PATIENTS if people else NO_PATIENT_RESOURCE] += 1
            return
        chart = PatientChart(patient, [*entries, *self._referenced(entries)])
        moments = self._moments(chart)
        if not moments:
            left_out[NO_MOMENT] += 1
            return
        yield from self._chart(chart, people[0].body, moments)

    def _entries(self, lines: Iterable[Line], left_out: Counter[str]) -> list[Entry]:
        """The entries of a patient; one more than the service would take where there are more."""
        entries: list[Entry] = []
        before = b""
        for _, url, line in lines:
            if line == before:  # lines are sorted: equal ones follow each other
                left_out[TWICE] += 1
                continue
            before = line
            entry = entry_of_line(line, url, left_out)
            if entry is not None and len(entries) <= self._plan.most_resources:
                entries.append(entry)
        return entries

    def _referenced(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """The Medication resources that the entries refer to."""
        wanted: dict[str, None] = {}
        for entry in entries:
            if entry.head.medication_reference:
                named = _reference(decoded(entry.head.medication_reference))
                if named and not named.startswith("#"):
                    wanted[replay.last_part(named)] = None
        for name in wanted:
            line = self._medications.get(name)
            medication = entry_of(Raw(line)) if line is not None else None
            if medication is not None:
                yield medication

    def _moments(self, chart: PatientChart) -> list[Moment]:
        if self._plan.at == LAST:
            moment = replay.last(chart)
            if moment is None and self._plan.fallback_now:
                moment = Moment(datetime.fromisoformat(self._plan.fallback_now), chart)
            return [moment] if moment else []
        return replay.encounters(chart)

    def _chart(
        self, chart: PatientChart, person: Resource, moments: Sequence[Moment]
    ) -> Iterator[Row]:
        sex = _text(person.get("gender")) or "not recorded"
        patient = self._hash(chart.patient_id)
        newest = moments[-1].at
        shared: Shared = {}
        whole = moments[0] if self._plan.at == LAST else Moment(newest, chart)
        matched, speaks = self._judge.matched(whole, shared)
        yield Row(
            CHART,
            patient=patient,
            sex=sex,
            age_band=_age_band(person, newest),
            facts=matched,
            count=len(moments),
        )
        others = self._variants.values()
        silent = not (speaks or any(other.matched(whole, shared)[1] for other in others))
        calls = self._calls(moments)
        for moment in moments:
            about = self._about(patient, person, sex, moment, calls)
            if silent and not moment.orders:
                yield from (
                    about(CALL, service=answer.service, outcome="answered")
                    for answer in self._judge.quiet_answers()
                )
            else:
                yield from self._moment(moment, shared if moment is whole else {}, about)

    def _moment(self, moment: Moment, shared: Shared, about: Callable[..., Row]) -> Iterator[Row]:
        answers = {answer.service: answer for answer in self._judge.answers(moment, shared)}
        for answer in answers.values():
            yield from self._rows_of(answer, about)
        for name, judge in self._variants.items():
            for other in judge.answers(moment, shared):
                yield from _difference(name, answers.get(other.service), other, about)

    def _rows_of(self, answer: Answer, about: Callable[..., Row]) -> Iterator[Row]:
        yield about(
            CALL,
            service=answer.service,
            outcome=f"refused: {answer.refused}" if answer.refused else "answered",
            cards=len(answer.indicators),
            indicator=strongest(answer.indicators),
            rules=sorted(answer.speaking),
        )
        for rule, outcome in answer.outcomes.items():
            heads = answer.heads.get(rule, ())
            yield about(
                RULE,
                service=answer.service,
                rule=rule,
                version=self._judge.versions[rule],
                outcome=outcome,
                reasons=answer.reasons.get(rule, ()),
                cards=len(heads),
                shown=answer.shown.get(rule, 0),
                indicator=strongest(heads),
            )

    def _about(
        self,
        patient: str,
        person: Resource,
        sex: str,
        moment: Moment,
        calls: Mapping[str, int],
    ) -> Callable[..., Row]:
        """A maker of rows that all say whose and when they are."""
        visit = moment.encounter.body if moment.encounter else {}
        fields: dict[str, Any] = {
            "patient": patient,
            "encounter": self._hash(_text(visit.get("id"))),
            "clinician": self._hash(_clinician(visit)),
            "site": self._hash(_reference(visit.get("serviceProvider"))),
            "day": moment.at.astimezone(UTC).date(),
            "setting": _class(visit),
            "sex": sex,
            "age_band": _age_band(person, moment.at),
        }
        return lambda row, **more: Row(row, calls=calls[more["service"]], **fields, **more)

    def _calls(self, moments: Sequence[Moment]) -> Mapping[str, int]:
        """How often each service is called for a patient."""
        signed = sum(bool(moment.orders) for moment in moments)
        services = (*self._judge.pack.services, *self._other_services())
        return {s.id: len(moments) if s.hook == VIEW else signed for s in services}

    def _other_services(self) -> Iterator[ServiceDefinition]:
        for judge in self._variants.values():
            yield from judge.pack.services

    def _hash(self, name: str) -> str:
        if not name:
            return ""
        return hashlib.blake2b(name.encode(), key=self._salt[:64], digest_size=10).hexdigest()


def _difference(
    name: str, base: Answer | None, other: Answer, about: Callable[..., Row]
) -> Iterator[Row]:
    """A row where a variant answers otherwise."""
    before = base or Answer(other.service)
    change = len(other.indicators) - len(before.indicators)
    gains, loses = other.speaking - before.speaking, before.speaking - other.speaking
    if change or gains or loses or sorted(other.indicators) != sorted(before.indicators):
        yield about(
            VARIANT,
            service=other.service,
            variant=name,
            cards=change,
            indicator=strongest(other.indicators),
            warnings=_warnings(other) - _warnings(before),
            gains=sorted(gains),
            loses=sorted(loses),
        )


def _warnings(answer: Answer) -> int:
    """How many of the cards interrupt."""
    return sum(indicator != "info" for indicator in answer.indicators)


def _age_band(person: Resource, at: datetime) -> str:
    born = _text(person.get("birthDate"))
    try:
        birth = date.fromisoformat(born + _REST_OF_DATE.get(len(born), ""))
    except ValueError:
        return "not recorded"
    age = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
    return next((band for limit, band in _BANDS if age < limit), _OLDEST)


def _clinician(visit: Resource) -> str:
    """Who saw the patient: the first participant that is a practitioner."""
    for participant in visit.get("participant") or ():
        who = _reference(participant.get("individual")) if isinstance(participant, dict) else ""
        if "Practitioner" in who:
            return who
    return ""


def _class(visit: Resource) -> str:
    coded = visit.get("class")
    return _text(coded.get("code"))[:20] if isinstance(coded, dict) else ""


def _reference(value: Json) -> str:
    return _text(value.get("reference")) if isinstance(value, dict) else ""


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
