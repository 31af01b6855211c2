"""Medication entries as the facts need them: codes, route, dates, and whether each is in use."""

from cds_service.portable import drug_names, reading_routes
from cds_service.portable.elm import (
    FALSE,
    NULL,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    any_of,
    as_fhir,
    call,
    cases,
    define,
    exists,
    function,
    given,
    listed,
    missing,
    negated,
    number,
    of,
    op,
    operand,
    prop,
    query,
    ref,
    retrieve,
    text,
    texts,
    tuple_of,
    when,
)
from cds_service.portable.reading_codes import flat, is_in, or_empty, with_codes
from cds_service.portable.reading_orders import is_draft, reference_of
from cds_service.portable.sets import Sets
from cds_service.rules.model import Pack

_STATUSES = {
    "MedicationRequest": ("active", "on-hold", "cancelled", "completed", "entered-in-error",
                          "stopped", "draft"),
    "MedicationStatement": ("active", "completed", "entered-in-error", "intended", "stopped",
                            "on-hold", "not-taken"),
    "MedicationAdministration": ("in-progress", "not-done", "on-hold", "completed",
                                 "entered-in-error", "stopped"),
    "MedicationDispense": ("preparation", "in-progress", "cancelled", "on-hold", "completed",
                           "entered-in-error", "stopped", "declined"),
}  # fmt: skip
_COUNTING = {
    "MedicationRequest": ("active",),
    "MedicationStatement": ("active", "intended"),
    "MedicationAdministration": ("in-progress", "completed"),
    "MedicationDispense": ("completed", "in-progress"),
}
_LONGEST_SUPPLY = 366  # days; a longer one is a mistyped number


def statements(pack: Pack, sets: Sets) -> list[Node]:
    """The medication entries and what they are read by."""
    spans = {name: _span(pack, name) for name in ("max-age", "dispensed-within", "given-within")}
    return [
        *drug_names.statements(pack, sets),
        function("Milligrams", ["said", "ingredient"], _milligrams()),
        function("Drug Dispute", ["coded", "codes", "phrases", "another"], _dispute()),
        function("Referenced Drug", ["reference"], _referenced()),
        function("Drug Concepts", ["concept", "reference"], _concepts()),
        *reading_routes.statements(pack, sets),
        function("Request Holds", ["request"], _request_holds(spans["max-age"])),
        function("Over", ["end"], _over()),
        function("Within Span", ["age", "days"], _within_span()),
        *(define(kind, _entries(kind, spans)) for kind in _STATUSES),
        define("Drugs", flat(listed([ref(kind) for kind in _STATUSES]))),
        define("Drugs on File", query(ref("Drugs"), "M", negated(of("M", "draft")))),
        define("Drugs in Use", query(ref("Drugs on File"), "M", op("IsTrue", of("M", "active")))),
        define("Ingredients in Use", _in_use(TRUE)),
        define("Systemic Ingredients in Use", _in_use(negated(op("IsTrue", of("M", "local"))))),
    ]


def _in_use(kept: Node) -> Node:
    """The ingredients of the active medications of a kind."""
    return flat(query(ref("Drugs in Use"), "M", kept, call("Ingredients", alias("M"))))


def _span(pack: Pack, name: str) -> Node:
    setting = pack.settings.get(f"medication.{name}")
    return NULL if setting is None else number(int(setting.value))


def _referenced() -> Node:
    """The Medications that a reference leads to."""
    identifier = call("Last Part", operand("reference"))
    return query(retrieve("Medication"), "M", op("Equal", of("M", "id.value"), identifier))


def _milligrams() -> Node:
    """The strength of an ingredient by an entry's words: the number behind it, else the first."""
    amount = r"([0-9]+(?:\.[0-9]+)?)\s*mg\b.*$"
    behind = op("Concatenate", text(r"^.*\b"), operand("ingredient"), text(rf"\b[^/0-9]*?{amount}"))
    first = text(rf"^[^0-9]*(?:[0-9.]+(?!\s*mg|[0-9.])[^0-9]*)*?{amount}")
    words = operand("said")
    return cases(
        [
            (
                op("Matches", words, behind),
                op("ToDecimal", op("ReplaceMatches", words, behind, text("$1"))),
            ),
            (
                op("Matches", words, first),
                op("ToDecimal", op("ReplaceMatches", words, first, text("$1"))),
            ),
        ],
        NULL,
    )


def _dispute() -> Node:
    """Whether code and name are different drugs."""
    phrases = operand("phrases")
    agree = call("Agree", operand("codes"), phrases)
    apart = when(exists(phrases), negated(agree), operand("another"))
    return all_of([operand("coded"), apart])


def _concepts() -> Node:
    """What an entry says its drug is: by its own concept, or by the Medication it refers to."""
    referenced = call("Referenced Drug", operand("reference"))
    codes = query(referenced, "M", give=of("M", "code"))
    parts = flat(query(referenced, "M", give=or_empty(of("M", "ingredient"))))
    items = query(parts, "I", give=as_fhir(of("I", "item"), "CodeableConcept"))
    coded = query(codes, "K", exists(or_empty(of("K", "coding"))))
    named = when(exists(coded), codes, items)
    return flat(listed([listed([operand("concept")]), or_empty(named)]))


def _over() -> Node:
    """Whether a period's end lies before today."""
    return op("IsTrue", op("Greater", call("Age", operand("end")), number(0)))


def _within_span() -> Node:
    age, days = operand("age"), operand("days")
    return all_of([given(age), given(days), call("Inside", age, days)])


def _request_holds(span: Node) -> Node:
    """Whether a request that is active still counts: by its end, else by its age."""
    request = operand("request")
    barred = any_of(
        [
            op("IsTrue", prop(request, "doNotPerform.value")),
            op("In", op("Lower", prop(request, "intent.value")), texts(("proposal", "option"))),
        ]
    )
    supply = prop(request, "dispenseRequest.validityPeriod.end.value")
    dosages = or_empty(prop(request, "dosageInstruction"))
    bounds = as_fhir(prop(of("D", "timing.repeat"), "bounds"), "Period")
    ends = query(dosages, "D", give=prop(bounds, "end.value"))
    told = query(ends, "E", given(alias("E")))
    counted: Node = {"type": "Count", "source": told}
    each: Node = {"type": "Count", "source": dosages}
    all_end = all_of([exists(told), op("Equal", counted, each)])
    lasting = exists(query(told, "E", negated(call("Over", alias("E")))))
    written = call("Age", prop(request, "authoredOn.value"))
    recent = any_of([missing(written), missing(span), op("LessOrEqual", written, span)])
    holds = cases([(given(supply), negated(call("Over", supply))), (all_end, lasting)], recent)
    return all_of([negated(barred), holds])


def _entries(kind: str, spans: dict[str, Node]) -> Node:
    concepts = call(
        "Drug Concepts",
        as_fhir(of("M", "medication"), "CodeableConcept"),
        prop(as_fhir(of("M", "medication"), "Reference"), "reference.value"),
    )
    codings = call("All Codings", concepts)
    words = query(concepts, "K", give=call("Said", alias("K")))
    joined: Node = {"type": "Combine", "source": words, "separator": text(" ")}
    entry = {
        **with_codes(codings),
        **_names(concepts, codings),
        "said": op("Lower", op("Coalesce", joined, text(""))),
        "kind": text(kind),
        "reference": reference_of(kind, "M"),
        "draft": is_draft(kind, "M"),
        **_use(kind, spans),
        **_way(kind, call("Codes of", codings), joined),
        "prior": given(of("M", "priorPrescription")) if kind == "MedicationRequest" else FALSE,
    }
    return query(retrieve(kind), "M", give=tuple_of(entry))


def _names(concepts: Node, codings: Node) -> dict[str, Node]:
    """What the entry's words name, and whether its code is another drug."""
    names = call("Drug Names", concepts)
    phrases = flat(query(names, "T", give=call("Drug Phrases", alias("T"))))
    another = exists(query(names, "T", call("Names Another Drug", alias("T"))))
    codes = call("Codes of", codings)
    coded = call("Coded Drug", codes, call("Stems of", codings))
    return {
        "coded": coded,
        "phrases": or_empty(phrases),
        "disputed": call("Drug Dispute", coded, codes, or_empty(phrases), another),
    }


def _use(kind: str, spans: dict[str, Node]) -> dict[str, Node]:
    """Whether and when the drug is taken."""
    status, age = op("Lower", of("M", "status.value")), call("Age", _recorded(kind))
    return {
        "status": status,
        "age": call("Past", age),
        "active": _active(kind, status, age, spans),
        "given": _given(kind, status),
    }


def _way(kind: str, codes: Node, words: Node) -> dict[str, Node]:
    """By which way the drug gets in."""
    routes = _routes(kind)
    return {
        "local": op("Equal", _route(routes, codes, words), text("local")),
        "injected": call("Injected", routes, codes, op("Coalesce", words, text(""))),
    }


_DOSAGES = {
    "MedicationRequest": "dosageInstruction",
    "MedicationStatement": "dosage",
    "MedicationDispense": "dosageInstruction",
}


def _routes(kind: str) -> Node:
    """The routes of the dosages; an administration has one dosage only."""
    if kind == "MedicationAdministration":
        return query(listed([of("M", "dosage.route")]), "R", given(alias("R")))
    dosages = or_empty(of("M", _DOSAGES[kind]))
    return query(query(dosages, "D", give=of("D", "route")), "R", given(alias("R")))


def _route(routes: Node, codes: Node, words: Node) -> Node:
    by_code = call("Route by Codes", call("Codes of", call("All Codings", routes)))
    by_words = call("Route by Words", call("Said Route", routes))
    by_name = call("Route by Words", op("Coalesce", words, text("")))
    return op("Coalesce", by_code, by_words, call("Product Route", codes), by_name)


def _recorded(kind: str) -> Node:
    """When a request was written, a drug handed over, or taken by what is said."""
    if kind == "MedicationRequest":
        return of("M", "authoredOn.value")
    if kind == "MedicationDispense":
        return op("Coalesce", of("M", "whenHandedOver.value"), of("M", "whenPrepared.value"))
    moment = call("Moment", of("M", "effective"))
    if kind == "MedicationStatement":
        return op("Coalesce", moment, of("M", "dateAsserted.value"))
    return moment


def _active(kind: str, status: Node, age: Node, spans: dict[str, Node]) -> Node:
    """Whether the drug is being taken; null where its status is not understood."""
    holds = _holding(kind, age, spans)
    known = is_in(status, _STATUSES[kind])
    counting = all_of([is_in(status, _COUNTING[kind]), _by_status(kind, status, holds)])
    unclear = when(holds, UNKNOWN, FALSE)
    return when(known, op("IsTrue", counting), unclear)


def _holding(kind: str, age: Node, spans: dict[str, Node]) -> Node:
    if kind == "MedicationRequest":
        return call("Request Holds", alias("M"))
    if kind == "MedicationStatement":
        end = prop(as_fhir(of("M", "effective"), "Period"), "end.value")
        return negated(call("Over", end))
    if kind == "MedicationAdministration":
        return call("Within Span", age, spans["given-within"])
    supply = of("M", "daysSupply.value.value")
    lasts = all_of(
        [op("Greater", supply, number(0)), op("LessOrEqual", supply, number(_LONGEST_SUPPLY))]
    )
    whole: Node = op("Truncate", when(op("IsTrue", lasts), supply, number(0)))
    recent = call("Within Span", age, spans["dispensed-within"])
    return op("Or", recent, call("Within Span", age, whole))


def _by_status(kind: str, status: Node, holds: Node) -> Node:
    """A dose that is being given counts whenever it began."""
    if kind == "MedicationAdministration":
        return op("Or", op("Equal", status, text("in-progress")), holds)
    return holds


def _given(kind: str, status: Node) -> Node:
    barred = op("IsTrue", of("M", "doNotPerform.value")) if kind == "MedicationRequest" else FALSE
    return all_of([is_in(status, ("completed", "in-progress")), negated(barred)])
