"""The person and the answers to the questionnaire, as the facts need them."""

from cds_service.facts.kinds.person import OLDEST, SEXES
from cds_service.portable.elm import (
    FALSE,
    NULL,
    Node,
    all_of,
    as_fhir,
    call,
    cases,
    define,
    function,
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
    texts,
    tuple_of,
    when,
)
from cds_service.portable.reading_codes import flat, is_in, or_empty
from cds_service.portable.reading_dates import NOW
from cds_service.portable.supply import parameter_of


def statements() -> list[Node]:
    """The person, and the responses to questionnaires."""
    person = ref("Patient")
    supply = parameter(parameter_of("patient"))
    sex = op("Lower", prop(person, "gender.value"))
    return [
        define("Patient Known", op("In", supply, texts(("supplied", "incomplete")))),
        define("Patient Sex", when(op("In", sex, texts(SEXES)), sex, NULL)),
        define("Patient Deceased", _deceased(person)),
        function("Years", ["born"], _years()),
        define("Patient Age", _age(prop(person, "birthDate.value"))),
        function("Answers of", ["items"], _answers()),
        define("Responses", _responses()),
    ]


def _deceased(person: Node) -> Node:
    died = prop(person, "deceased")
    flagged = op("IsTrue", prop(as_fhir(died, "boolean"), "value"))
    return op("Or", flagged, given(as_fhir(died, "dateTime")))


def _component(source: Node, precision: str) -> Node:
    return {"type": "DateTimeComponentFrom", "precision": precision, "operand": source}


def _years() -> Node:
    """Whole years since a birth date; of a year or month alone, as few as it allows."""
    now, born = parameter(NOW), operand("born")
    month = op("Coalesce", _component(born, "Month"), number(12))
    day = op("Coalesce", _component(born, "Day"), number(31))
    earlier = op("Or", op("Less", _component(now, "Month"), month),
                 all_of([op("Equal", _component(now, "Month"), month),
                         op("Less", _component(now, "Day"), day)]))  # fmt: skip
    years = op("Subtract", _component(now, "Year"), _component(born, "Year"))
    less = op("Subtract", years, number(1))
    in_part = negated(given(_component(born, "Day")))
    still = when(in_part, op("Equal", call("Part Age", born), number(0)), FALSE)
    return cases([(missing(born), NULL), (still, number(0)), (earlier, less)], years)


def _age(born: Node) -> Node:
    years = call("Years", born)
    real = all_of(
        [op("GreaterOrEqual", years, number(0)), op("LessOrEqual", years, number(OLDEST))]
    )
    known = all_of([ref("Patient Known"), given(born), real])
    return when(known, years, NULL)


def _answers() -> Node:
    """The answers of items three levels deep, each with its link and its value as a word."""
    return flat(listed([_level("items", 1), _level("items", 2), _level("items", 3)]))


def _level(source: str, depth: int) -> Node:
    items = operand(source)
    for step in range(depth - 1):
        items = flat(query(or_empty(items), f"I{step}", give=or_empty(of(f"I{step}", "item"))))
    answers = query(
        of("T", "answer"),
        "A",
        _says(),
        tuple_of({"link": of("T", "linkId.value"), "value": _value()}),
    )
    return flat(query(or_empty(items), "T", give=or_empty(answers)))


def _says() -> Node:
    return given(of("A", "value"))


def _value() -> Node:
    value = of("A", "value")
    yes = prop(as_fhir(value, "boolean"), "value")
    return cases(
        [(op("IsTrue", yes), text("true")), (op("IsFalse", yes), text("false"))],
        op(
            "Coalesce",
            op("Lower", prop(as_fhir(value, "string"), "value")),
            op("Lower", prop(as_fhir(value, "Coding"), "code.value")),
        ),
    )


def _responses() -> Node:
    """Finished responses, each with its questionnaire, its moment and its answers."""
    finished = is_in(op("Lower", of("Q", "status.value")), ("completed", "amended"))
    url: Node = {
        "type": "Split",
        "stringToSplit": of("Q", "questionnaire.value"),
        "separator": text("|"),
    }
    authored = of("Q", "authored.value")
    response = tuple_of(
        {
            "questionnaire": {"type": "First", "source": url},
            "age": call("Age", authored),
            "place": call("Place", authored),
            "answers": call("Answers of", of("Q", "item")),
        }
    )
    return query(retrieve("QuestionnaireResponse"), "Q", finished, response)
