"""How the package reads dates: as whole days before today, in UTC; a negative one lies ahead.

A year or a month stands for its last day, but not for one after today while it still runs.
"""

from cds_service.portable.elm import (
    NULL,
    Node,
    all_of,
    as_fhir,
    call,
    cases,
    define,
    function,
    given,
    missing,
    number,
    op,
    operand,
    parameter,
    prop,
    ref,
    when,
)

NOW = "Now"
_MINUTES_A_DAY = 1440
_SECONDS_A_DAY = 86_400


def statements() -> list[Node]:
    """Today, and the functions on dates."""
    return [
        define("Midnight", _midnight()),
        function("Part Age", ["moment"], _part_age()),
        function("Age", ["moment"], _age()),
        function("Place", ["moment"], _place()),
        function("Moment", ["value"], _moment()),
        function("Period Moment", ["period"], _period_moment()),
        function("Past", ["age"], _past()),
        function("Inside", ["age", "days"], _inside()),
    ]


def _component(source: Node, precision: str) -> Node:
    return {"type": "DateTimeComponentFrom", "precision": precision, "operand": source}


def _midnight() -> Node:
    """The beginning of today. `Now` is to be given in UTC."""
    return _day(*(_component(parameter(NOW), part) for part in ("Year", "Month", "Day")))


def _day(year: Node, month: Node, day: Node) -> Node:
    zero = number(0)
    moment: Node = {"type": "DateTime", "year": year, "month": month, "day": day}
    moment |= {"hour": zero, "minute": zero, "second": zero, "millisecond": zero}
    return {
        **moment,
        "timezoneOffset": {**number(0), "valueType": "{urn:hl7-org:elm-types:r1}Decimal"},
    }


def _between(start: Node, end: Node, precision: str) -> Node:
    return {"type": "DifferenceBetween", "precision": precision, "operand": [start, end]}


def _age() -> Node:
    """Whole days from a moment to today."""
    moment, midnight = operand("moment"), ref("Midnight")
    minutes = _between(midnight, moment, "Minute")
    days = op("Floor", op("Divide", minutes, _decimal(_MINUTES_A_DAY)))
    return cases(
        [
            (missing(moment), NULL),
            (given(_component(moment, "Hour")), op("Negate", days)),
            (given(_component(moment, "Day")), _between(moment, midnight, "Day")),
        ],
        call("Part Age", moment),
    )


def _decimal(value: int) -> Node:
    return {
        "type": "Literal",
        "valueType": "{urn:hl7-org:elm-types:r1}Decimal",
        "value": f"{value}.0",
    }


def _part_age() -> Node:
    """For a date that lacks its day or month."""
    moment = operand("moment")
    year, month = _component(moment, "Year"), _component(moment, "Month")
    first = _day(year, op("Coalesce", month, number(1)), number(1))
    last = op("Subtract", _plus_a_month(_day(year, op("Coalesce", month, number(12)), number(1))),
              _quantity("day"))  # fmt: skip
    midnight = ref("Midnight")
    from_first, from_last = _between(first, midnight, "Day"), _between(last, midnight, "Day")
    running = all_of(
        [op("GreaterOrEqual", from_first, number(0)), op("Less", from_last, number(0))]
    )
    return when(running, number(0), from_last)


def _plus_a_month(moment: Node) -> Node:
    return op("Add", moment, _quantity("month"))


def _quantity(unit: str) -> Node:
    return {"type": "Quantity", "value": 1, "unit": unit}


def _place() -> Node:
    """Seconds from the beginning of today, to order what is of one day."""
    moment = operand("moment")
    seconds = _between(ref("Midnight"), moment, "Second")
    by_day = op("Negate", op("Multiply", call("Age", moment), number(_SECONDS_A_DAY)))
    return when(given(_component(moment, "Hour")), seconds, by_day)


def _moment() -> Node:
    """The moment of a choice of dateTime, instant, Period and Timing."""
    value = operand("value")
    return op(
        "Coalesce",
        prop(as_fhir(value, "dateTime"), "value"),
        prop(as_fhir(value, "instant"), "value"),
        call("Period Moment", as_fhir(value, "Period")),
    )


def _period_moment() -> Node:
    """The end of a period where that has come, else its start."""
    period = operand("period")
    start, end = prop(period, "start.value"), prop(period, "end.value")
    come = op("GreaterOrEqual", call("Age", end), number(-1))
    return when(come, end, start)


def _past() -> Node:
    """An age in days; none for one further ahead than clocks may differ."""
    age = operand("age")
    return when(op("GreaterOrEqual", age, number(-1)), age, NULL)


def _inside() -> Node:
    """Whether an age lies in a look-back: day N is inside, day N+1 is not. Null is no limit."""
    age, days = operand("age"), operand("days")
    limit = op("Or", missing(days), op("LessOrEqual", age, days))
    return all_of([op("GreaterOrEqual", age, number(-1)), limit])
