"""The entries of a chart as the facts need them: each a tuple, read once for all facts."""

from cds_service.portable.elm import (
    FALSE,
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
    gather,
    given,
    listed,
    missing,
    negated,
    number,
    of,
    op,
    operand,
    parameter,
    prop,
    query,
    ref,
    retrieve,
    text,
    tuple_of,
    when,
)
from cds_service.portable.reading_codes import either, flat, is_in, listed_code, or_empty
from cds_service.rules.model import Pack
from cds_service.terminology.word_lists import WordList

DRAFTS = "Draft Orders"
DRAFT = "Draft Order"
_ACTIVE = ("active", "recurrence", "relapse")
_ENDED = ("inactive", "remission", "resolved")
_DONE = {
    "Procedure": ("completed", "in-progress"),
    "DiagnosticReport": ("final", "amended", "corrected", "appended"),
}


def statements(pack: Pack) -> list[Node]:
    """The lists of entries, and what they are made by."""
    return [
        function("Concept of", ["value"], as_fhir(operand("value"), "CodeableConcept")),
        function("Codes of", ["codings"], _codes_of()),
        function("Stems of", ["codings"], _stems_of()),
        function("Any Code", ["concepts"], _any_code()),
        function("All Codings", ["concepts"], _all_codings()),
        *_conditions(),
        *_results(pack),
        *_others(),
        *_reasons(),
    ]


def with_codes(codings: Node) -> dict[str, Node]:
    """The elements of a tuple that tell its codes."""
    return {
        "codings": codings,
        "codes": call("Codes of", codings),
        "stems": call("Stems of", codings),
    }


def _codes_of() -> Node:
    return query(operand("codings"), "C", give=of("C", "code"))


def _stems_of() -> Node:
    return flat(query(operand("codings"), "C", give=of("C", "stems")))


def _any_code() -> Node:
    """Codes in lower case of a list of concepts."""
    plain = query(operand("concepts"), "E", give=call("Plain Codes", alias("E")))
    return either(flat(plain), listed([]))


def _all_codings() -> Node:
    all_of_them = query(operand("concepts"), "E", give=call("Codings", alias("E")))
    return either(flat(all_of_them), listed([]))


def _has(codes: Node, values: tuple[str, ...]) -> Node:
    return exists(query(codes, "S", is_in(alias("S"), values)))


def _conditions() -> list[Node]:
    condition = operand("condition")
    plain = call("Plain Codes", prop(condition, "verificationStatus"))
    clinical = call("Plain Codes", prop(condition, "clinicalStatus"))
    category = call("Any Code", prop(condition, "category"))
    return [
        function("Verification", ["codes"], _verification()),
        function("Abated", ["condition"], _abated()),
        function("Current", ["condition", "codes"], _current()),
        function("Condition Age", ["condition"], _condition_age()),
        function("Encounter Only", ["codes"], _encounter_only()),
        function("Site Words", ["concepts"], _site_words()),
        function(
            "Read Condition",
            ["condition"],
            tuple_of(
                {
                    **with_codes(call("Codings", prop(condition, "code"))),
                    "verification": call("Verification", plain),
                    "active": call("Current", condition, clinical),
                    "age": call("Condition Age", condition),
                    "encounterOnly": call("Encounter Only", category),
                    "encounter": prop(condition, "encounter.reference.value"),
                    "words": call("Said", prop(condition, "code")),
                    "names": call("Names", prop(condition, "code")),
                    "denied": call("Denies", prop(condition, "code")),
                    **_site(prop(condition, "bodySite")),
                    "id": prop(condition, "id.value"),
                }
            ),
        ),
        define(
            "Conditions",
            query(retrieve("Condition"), "C", give=call("Read Condition", alias("C"))),
        ),
        define("Unread Conditions", query(ref("Conditions"), "C", _says_some_problem())),
    ]


def _says_some_problem() -> Node:
    """A Condition that says what it is, and does not deny it."""
    return all_of([_names("C"), negated(of("C", "denied"))])


def _site(concepts: Node) -> dict[str, Node]:
    """Where on the body: how many sites, and each with its codes and words."""
    codings = call("Codings", alias("B"))
    sites = query(
        concepts,
        "B",
        give=tuple_of({**with_codes(codings), "words": call("Said", alias("B"))}),
    )
    return {"sites": or_empty(sites)}


def _site_words() -> Node:
    words = query(operand("concepts"), "B", give=call("Said", alias("B")))
    joined: Node = {"type": "Combine", "source": or_empty(words), "separator": text(" ")}
    return either(joined, text(""))


def _verification() -> Node:
    codes = operand("codes")
    return cases(
        [
            (negated(exists(codes)), text("confirmed")),
            (_has(codes, ("confirmed",)), text("confirmed")),
            (_has(codes, ("entered-in-error",)), text("")),
            (_has(codes, ("refuted",)), text("refuted")),
        ],
        text("suspected"),
    )


def _current() -> Node:
    """Whether the problem is current; null where its status is not understood."""
    codes = operand("codes")
    return cases(
        [
            (_has(codes, _ACTIVE), TRUE),
            (_has(codes, _ENDED), FALSE),
            (exists(codes), UNKNOWN),
            (given(prop(operand("condition"), "clinicalStatus.text.value")), UNKNOWN),
        ],
        negated(call("Abated", operand("condition"))),
    )


def _abated() -> Node:
    abatement = prop(operand("condition"), "abatement")
    day = call("Age", prop(as_fhir(abatement, "dateTime"), "value"))
    return when(op("Less", day, number(0)), FALSE, given(abatement))


def _condition_age() -> Node:
    """Days since the later of the recorded date and the onset."""
    condition = operand("condition")
    onset = prop(condition, "onset")
    began = either(
        prop(as_fhir(onset, "dateTime"), "value"), prop(as_fhir(onset, "Period"), "start.value")
    )
    ages = [
        call("Past", call("Age", prop(condition, "recordedDate.value"))),
        call("Past", call("Age", began)),
    ]
    return gather("Min", listed(ages))


def _encounter_only() -> Node:
    codes = operand("codes")
    return all_of(
        [_has(codes, ("encounter-diagnosis",)), negated(_has(codes, ("problem-list-item",)))]
    )


def _results(pack: Pack) -> list[Node]:
    observation, part = operand("observation"), operand("part")
    value = prop(part, "value")
    effective = call("Moment", prop(observation, "effective"))
    moment = either(effective, prop(observation, "issued.value"))
    answer = call("Concept of", value)
    age = call("Age", moment)
    codings, names = (call(reader, prop(part, "code")) for reader in ("Codings", "Result Names"))
    element = {
        **with_codes(codings),
        "status": op("Lower", prop(observation, "status.value")),
        "age": call("Past", age),
        "ahead": op("Less", age, number(-1)),
        "place": call("Place", moment),
        "quantity": as_fhir(value, "Quantity"),
        "integer": prop(as_fhir(value, "integer"), "value"),
        "asText": call("As Text", part),
        "hasValue": given(value),
        "due": call("Age", prop(as_fhir(value, "dateTime"), "value")),
        "answers": call("Codings", answer),
        "answerText": prop(as_fhir(value, "string"), "value"),
        "yes": prop(as_fhir(value, "boolean"), "value"),
        "denied": call("Denied", value),
        "flags": call("Any Code", prop(part, "interpretation")),
        "ranges": prop(part, "referenceRange"),
        "words": call("Said", prop(part, "code")),
        "names": names,
        "disputed": call("Disputed", call("Codes of", codings), names, prop(part, "code")),
        "wholeWords": call("Result Words", observation),
        "component": operand("component"),
        **_site(listed([prop(observation, "bodySite")])),
    }
    whole = call("Read Result", alias("O"), alias("O"), FALSE)
    component = call("Read Result", alias("O"), alias("P"), TRUE)
    parts = query(of("O", "component"), "P", give=component)
    observations = retrieve("Observation")
    return [
        function("As Text", ["part"], _as_text()),
        function("Denied", ["value"], _denied(pack)),
        function("Result Words", ["observation"], _result_words()),
        function("Read Result", ["observation", "part", "component"], tuple_of(element)),
        define(
            "Results",
            flat(query(observations, "O", give=flat(listed([listed([whole]), or_empty(parts)])))),
        ),
    ]


def _result_words() -> Node:
    observation = operand("observation")
    words = [call("Said", prop(observation, key)) for key in ("code", "method")]
    joined: Node = {"type": "Combine", "source": listed(words), "separator": text(" ")}
    return joined


def _as_text() -> Node:
    """Whether the result is given as words or as a range, and is not stated to be absent."""
    value = prop(operand("part"), "value")
    kinds = [given(as_fhir(value, kind)) for kind in ("string", "CodeableConcept", "Range")]
    return all_of([missing(prop(operand("part"), "dataAbsentReason")), any_of(kinds)])


def _denied(pack: Pack) -> Node:
    denials = pack.terminology.vocabulary.lists["statuses"].get("denied-answers", WordList())
    value = operand("value")
    said_no = op("Equal", prop(as_fhir(value, "boolean"), "value"), FALSE)
    answer = call("Concept of", value)
    listed_one = listed_code("C", denials.codes, "code.")
    return any_of(
        [
            op("IsTrue", said_no),
            _has(call("Plain Codes", answer), denials.words),
            exists(query(call("Codings", answer), "C", listed_one)),
        ]
    )


def _is_draft(kind: str, name: str) -> Node:
    reference = op("Concatenate", text(f"{kind}/"), of(name, "id.value"))
    return op("In", reference, or_empty(parameter(DRAFTS)))


def reference_of(kind: str, name: str) -> Node:
    """ "ServiceRequest/draft-1" of the element at hand."""
    return op("Concatenate", text(f"{kind}/"), of(name, "id.value"))


def _others() -> list[Node]:
    return [
        function("Order Words", ["concept"], _order_words()),
        define("Procedures", _procedures()),
        define("Orders", _orders()),
        define("Encounter Classes", _classes()),
        define("Encounters", retrieve("Encounter")),
    ]


def _order_words() -> Node:
    """What an order is called, in lower case, each word between blanks."""
    tokens = call("Tokens", call("Said", operand("concept")))
    words = query(tokens, "T", negated(op("Matches", alias("T"), text("^[^a-z0-9]+$"))))
    joined: Node = {"type": "Combine", "source": words, "separator": text(" ")}
    return op("Concatenate", text(" "), either(joined, text("")), text(" "))


def _procedures() -> Node:
    done = query(
        retrieve("Procedure"), "P", _status("P", "Procedure"), _procedure("P", "performed")
    )
    reports = query(
        retrieve("DiagnosticReport"),
        "R",
        _status("R", "DiagnosticReport"),
        _procedure("R", "effective"),
    )
    return flat(listed([done, reports]))


def _status(name: str, kind: str) -> Node:
    return is_in(op("Lower", of(name, "status.value")), _DONE[kind])


def _procedure(name: str, key: str) -> Node:
    moment = call("Moment", of(name, key))
    if key == "effective":
        moment = either(moment, of(name, "issued.value"))
    return tuple_of(
        {
            **with_codes(call("Codings", of(name, "code"))),
            "age": call("Past", call("Age", moment)),
            "status": op("Lower", of(name, "status.value")),
            "source": text("procedure" if key == "performed" else "report"),
        }
    )


def _orders() -> Node:
    """Orders of tests; the drafts of the call among them."""
    reference = reference_of("ServiceRequest", "R")
    open_order = all_of(
        [
            is_in(op("Lower", of("R", "status.value")), ("active", "on-hold")),
            negated(op("IsTrue", of("R", "doNotPerform.value"))),
        ]
    )
    return query(
        retrieve("ServiceRequest"),
        "R",
        give=tuple_of(
            {
                **with_codes(call("Codings", of("R", "code"))),
                "spaced": call("Order Words", of("R", "code")),
                "draft": _is_draft("ServiceRequest", "R"),
                "reference": reference,
                "open": op("IsTrue", open_order),
                "age": call("Past", call("Age", of("R", "authoredOn.value"))),
            }
        ),
    )


def _classes() -> Node:
    counts = negated(is_in(op("Lower", of("E", "status.value")), ("entered-in-error", "cancelled")))
    return query(retrieve("Encounter"), "E", counts, op("Upper", of("E", "class.code.value")))


def _reasons() -> list[Node]:
    """Why the encounter is, and why the draft order is: each reason with what it names."""
    empty_site: dict[str, Node] = {"sites": listed([])}
    plain = tuple_of(
        {
            **with_codes(call("Codings", alias("Q"))),
            "verification": text("confirmed"),
            "counts": operand("counts"),
            "read": TRUE,
            "words": call("Said", alias("Q")),
            **empty_site,
        }
    )
    concepts = query(operand("concepts"), "Q", _says_something("Q"), plain)
    return [
        function("Last Part", ["reference"], _last_part()),
        function("Coded Reasons", ["concepts", "counts"], or_empty(concepts)),
        function("Named Reasons", ["references"], _named_reasons()),
        define("Encounter Reasons", _encounter_reasons()),
        define("Drafts", _drafts()),
        define("Draft Reasons", _draft_reasons()),
    ]


def _says_something(name: str) -> Node:
    return op("Or", given(of(name, "text.value")), exists(or_empty(of(name, "coding"))))


def _last_part() -> Node:
    """The id at the end of a reference."""
    parts: Node = {
        "type": "Split",
        "stringToSplit": operand("reference"),
        "separator": text("/"),
    }
    return gather("Last", parts)


def _named_reasons() -> Node:
    """Reasons given by reference: the Conditions they lead to, or one that cannot be read."""
    identifier = call("Last Part", of("R", "reference.value"))
    conditions = query(ref("Conditions"), "C", op("Equal", of("C", "id"), identifier))
    keys = ("codings", "codes", "stems", "verification", "words", "sites")
    kept = {key: of("F", key) for key in keys}
    readable = query(conditions, "F", give=tuple_of({**kept, "counts": TRUE, "read": _names("F")}))
    nothing = listed([])
    unread = tuple_of(
        {
            "codings": nothing,
            "codes": nothing,
            "stems": nothing,
            "verification": text(""),
            "words": text(""),
            "sites": nothing,
            "counts": FALSE,
            "read": FALSE,
        }
    )
    each = when(exists(conditions), readable, listed([unread]))
    return or_empty(flat(query(operand("references"), "R", give=each)))


def _names(name: str) -> Node:
    return op("Or", exists(of(name, "codings")), op("NotEqual", of(name, "words"), text("")))


def _encounter_reasons() -> Node:
    fine = negated(is_in(op("Lower", of("E", "status.value")), ("entered-in-error", "cancelled")))
    coded = call("Coded Reasons", of("E", "reasonCode"), op("Coalesce", fine, TRUE))
    named = call("Named Reasons", of("E", "reasonReference"))
    diagnoses = query(of("E", "diagnosis"), "D", give=of("D", "condition"))
    diagnosed = call("Named Reasons", or_empty(diagnoses))
    return flat(query(ref("Encounters"), "E", give=flat(listed([coded, named, diagnosed]))))


def _drafts() -> Node:
    """The order under evaluation: none in a hook without orders."""
    both = [
        query(retrieve(kind), "D", op("Equal", reference_of(kind, "D"), parameter(DRAFT)))
        for kind in ("ServiceRequest", "MedicationRequest")
    ]
    return flat(listed(both))


def _draft_reasons() -> Node:
    coded = call("Coded Reasons", of("D", "reasonCode"), TRUE)
    named = call("Named Reasons", of("D", "reasonReference"))
    return flat(query(ref("Drafts"), "D", give=flat(listed([coded, named]))))
