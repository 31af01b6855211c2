"""The Observations of a chart as the facts need them: each and each component a tuple."""

from cds_service.portable.elm import (
    FALSE,
    TRUE,
    Node,
    alias,
    all_of,
    any_of,
    as_fhir,
    call,
    define,
    exists,
    function,
    given,
    listed,
    missing,
    number,
    of,
    op,
    operand,
    prop,
    query,
    retrieve,
    text,
    tuple_of,
)
from cds_service.portable.reading_codes import (
    body_sites,
    either,
    flat,
    has_code,
    listed_code,
    or_empty,
    with_codes,
)
from cds_service.rules.model import Pack
from cds_service.terminology.word_lists import WordList


def statements(pack: Pack) -> list[Node]:
    """Observations and their components."""
    whole = call("Read Result", alias("O"), alias("O"), FALSE)
    component = call("Read Result", alias("O"), alias("P"), TRUE)
    parts = query(of("O", "component"), "P", give=component)
    results = flat(listed([listed([whole]), or_empty(parts)]))
    return [
        function("As Text", ["part"], _as_text()),
        function("Denied", ["value"], _denied(pack)),
        function("Result Words", ["observation"], _result_words()),
        function("Read Result", ["observation", "part", "component"], _result()),
        define("Results", flat(query(retrieve("Observation"), "O", give=results))),
    ]


def _result() -> Node:
    """An observation or a component: of which, when, its value, and what it is called."""
    observation, concept = operand("observation"), prop(operand("part"), "code")
    codings, names = call("Codings", concept), call("Result Names", concept)
    return tuple_of(
        {
            **with_codes(codings),
            "status": op("Lower", prop(observation, "status.value")),
            **_moment(observation),
            **_value(operand("part")),
            "words": call("Said", concept),
            "names": names,
            "disputed": call("Disputed", call("Codes of", codings), names, concept),
            "wholeWords": call("Result Words", observation),
            "component": operand("component"),
            **body_sites(listed([prop(observation, "bodySite")])),
        }
    )


def _moment(observation: Node) -> dict[str, Node]:
    effective = call("Moment", prop(observation, "effective"))
    moment = either(effective, prop(observation, "issued.value"))
    age = call("Age", moment)
    return {
        "age": call("Past", age),
        "ahead": op("Less", age, number(-1)),
        "place": call("Place", moment),
    }


def _value(part: Node) -> dict[str, Node]:
    value = prop(part, "value")
    return {
        "quantity": as_fhir(value, "Quantity"),
        "integer": prop(as_fhir(value, "integer"), "value"),
        "asText": call("As Text", part),
        "hasValue": given(value),
        "due": call("Age", prop(as_fhir(value, "dateTime"), "value")),
        "answers": call("Codings", call("Concept of", value)),
        "answerText": prop(as_fhir(value, "string"), "value"),
        "yes": prop(as_fhir(value, "boolean"), "value"),
        "denied": call("Denied", value),
        "flags": call("Any Code", prop(part, "interpretation")),
        "ranges": prop(part, "referenceRange"),
    }


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
            has_code(call("Plain Codes", answer), denials.words),
            exists(query(call("Codings", answer), "C", listed_one)),
        ]
    )
