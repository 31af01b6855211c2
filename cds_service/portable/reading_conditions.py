"""The Conditions of a chart as the facts need them: each a tuple, read once for all facts."""

from cds_service.portable.elm import (
    FALSE,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    as_fhir,
    call,
    cases,
    define,
    exists,
    function,
    gather,
    given,
    listed,
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
    tuple_of,
    when,
)
from cds_service.portable.reading_codes import body_sites, either, has_code, with_codes

_ACTIVE = ("active", "recurrence", "relapse")
_ENDED = ("inactive", "remission", "resolved")


def statements() -> list[Node]:
    """The problem list and the diagnoses of encounters."""
    conditions = query(retrieve("Condition"), "C", give=call("Read Condition", alias("C")))
    return [
        function("Verification", ["codes"], _verification()),
        function("Abated", ["condition"], _abated()),
        function("Current", ["condition", "codes"], _current()),
        function("Condition Age", ["condition"], _condition_age()),
        function("Encounter Only", ["codes"], _encounter_only()),
        function("Read Condition", ["condition"], _condition()),
        define("Conditions", conditions),
        define("Unread Conditions", query(ref("Conditions"), "C", _says_some_problem())),
    ]


def _condition() -> Node:
    condition = operand("condition")
    concept = prop(condition, "code")
    verification, clinical = (
        call("Plain Codes", prop(condition, key))
        for key in ("verificationStatus", "clinicalStatus")
    )
    return tuple_of(
        {
            **with_codes(call("Codings", concept)),
            "verification": call("Verification", verification),
            "active": call("Current", condition, clinical),
            "age": call("Condition Age", condition),
            "encounterOnly": call("Encounter Only", call("Any Code", prop(condition, "category"))),
            "encounter": prop(condition, "encounter.reference.value"),
            "words": call("Said", concept),
            "names": call("Names", concept),
            "denied": call("Denies", concept),
            **body_sites(prop(condition, "bodySite")),
            "id": prop(condition, "id.value"),
        }
    )


def is_named(name: str) -> Node:
    """Whether a Condition, read, says what it is: by a code or in words."""
    return op("Or", exists(of(name, "codings")), op("NotEqual", of(name, "words"), text("")))


def _says_some_problem() -> Node:
    """A Condition that says what it is, and does not deny it."""
    return all_of([is_named("C"), negated(of("C", "denied"))])


def _verification() -> Node:
    codes = operand("codes")
    return cases(
        [
            (negated(exists(codes)), text("confirmed")),
            (has_code(codes, ("confirmed",)), text("confirmed")),
            (has_code(codes, ("entered-in-error",)), text("")),
            (has_code(codes, ("refuted",)), text("refuted")),
        ],
        text("suspected"),
    )


def _current() -> Node:
    """Whether the problem is current; null where its status is not understood."""
    codes = operand("codes")
    return cases(
        [
            (has_code(codes, _ACTIVE), TRUE),
            (has_code(codes, _ENDED), FALSE),
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
        [
            has_code(codes, ("encounter-diagnosis",)),
            negated(has_code(codes, ("problem-list-item",))),
        ]
    )
