"""The other kinds of facts as ELM: coded results, procedures, orders, answers, the person."""

from cds_service.portable.elm import (
    FALSE,
    NULL,
    TRUE,
    UNKNOWN,
    Node,
    alias,
    all_of,
    any_in,
    any_of,
    call,
    cases,
    define,
    exists,
    gather,
    given,
    listed,
    missing,
    negated,
    number,
    of,
    op,
    parameter,
    prop,
    query,
    ref,
    text,
    texts,
    when,
)
from cds_service.portable.names import LISTED as LISTED_ORDERS
from cds_service.portable.names import names_of
from cds_service.portable.reading_codes import flat, is_in
from cds_service.portable.reading_orders import DRAFT
from cds_service.portable.supply import READING, gap, gaps, supplied_as
from cds_service.portable.writer import Asked, Writer, dated, entries, verdict, weighed

USABLE = ("final", "amended", "corrected")
_OBSERVED = 9_999_999  # days: an undated answer is older than any dated one


def coded(writer: Writer, asked: Asked) -> list[Node]:
    """Observations with a coded answer: the newest day decides."""
    name = asked.name
    named = query(entries("Results"), "R", _undisputed(writer, asked))
    usable = query(named, "R", all_of([is_in(of("R", "status"), USABLE), of("R", "hasValue")]))
    counted = query(usable, "R", op("IsTrue", dated(asked, of("R", "age"))))
    days = query(ref(f"{name} counted"), "R", give=_day("R"))
    newest = op("Equal", _day("R"), gather("Min", days))
    said_so = query(ref(f"{name} counted"), "R", all_of([newest, _answers(writer, asked)]))
    undated_ones = exists(query(usable, "R", missing(dated(asked, of("R", "age")))))
    unclear = any_of([gaps(asked.definition), _only(undated_ones, name)])
    return [
        define(f"{name} counted", counted),
        define(f"{name} newest", said_so),
        define(name, _cleared(writer, asked, ref(f"{name} newest"), unclear)),
    ]


def _only(undated: Node, name: str) -> Node:
    """An undated entry leaves the fact unknown only where no dated one decides."""
    return all_of([undated, negated(exists(ref(f"{name} counted")))])


def _undisputed(writer: Writer, asked: Asked) -> Node:
    held = writer.sets.holds("R", asked.definition.value_sets)
    return all_of([negated(of("R", "disputed")), held])


def _day(name: str) -> Node:
    return op("Coalesce", of(name, "age"), number(_OBSERVED))


def _answers(writer: Writer, asked: Asked) -> Node:
    """Whether a result's value is one of the fact's answers; any where it names none."""
    wanted = asked.definition.answers
    if not wanted:
        return TRUE
    return any_of([_answered(writer, answer) for answer in wanted])


def _answered(writer: Writer, answer: str) -> Node:
    as_word = op("Equal", op("Lower", of("R", "answerText")), text(answer.lower()))
    by_code = exists(
        query(of("R", "answers"), "A", op("Equal", of("A", "code.code"), text(answer)))
    )
    parts = [op("IsTrue", as_word), by_code]
    if answer in ("true", "false"):
        parts.append(op("IsTrue" if answer == "true" else "IsFalse", of("R", "yes")))
    if writer.pack.terminology.has_set(answer):
        codes = query(of("R", "answers"), "A", give=of("A", "code"))
        writer.sets.holds("R", [answer])
        parts.append(
            {
                "type": "AnyInValueSet",
                "codes": codes,
                "valueset": {"type": "ValueSetRef", "name": answer},
            }
        )
    return any_of(parts)


def _cleared(writer: Writer, asked: Asked, items: Node, unclear: Node) -> Node:
    """The fact by its items, but for those before the last entry that ended them."""
    if not asked.definition.cleared_by:
        return cases([(exists(items), TRUE), (unclear, UNKNOWN)], FALSE)
    ended = last_clearing(writer, asked.definition.cleared_by)
    later = exists(query(items, "I", op("Or", missing(ended), op("Less", of("I", "age"), ended))))
    undated = all_of([given(ended), exists(query(items, "I", missing(of("I", "age"))))])
    return cases([(op("IsTrue", later), TRUE), (any_of([unclear, undated]), UNKNOWN)], FALSE)


def last_clearing(writer: Writer, set_id: str) -> Node:
    """Days since the last entry of a set that ends what came before; null without any."""
    held = writer.sets.holds("C", [set_id])
    certain = is_in(of("C", "verification"), ("confirmed", "suspected"))
    conditions = query(query(entries("Conditions"), "C", held), "C", certain, of("C", "age"))
    done = op("Equal", of("C", "status"), text("completed"))
    procedures = query(query(entries("Procedures"), "C", held), "C", done, of("C", "age"))
    return gather("Min", flat(listed([conditions, procedures])))


def procedure(writer: Writer, asked: Asked) -> list[Node]:
    """Procedures done; also as reports and Observations."""
    definition = asked.definition
    held = writer.sets.holds("R", definition.value_sets)
    wanted = [source for source in ("procedure", "report") if source in definition.sources]
    done = query(
        entries("Procedures"), "R", all_of([is_in(of("R", "source"), wanted), held]), _dated(asked)
    )
    done_or_measured = [done]
    if "observation" in definition.sources:
        final = is_in(of("R", "status"), USABLE)
        measured = query(entries("Results"), "R", _undisputed(writer, asked))
        done_or_measured.append(query(measured, "R", final, _dated(asked)))
    return [define(asked.name, weighed(flat(listed(done_or_measured)), gaps(definition)))]


def _dated(asked: Asked) -> Node:
    return verdict(dated(asked, of("R", "age")))


def order(writer: Writer, asked: Asked) -> list[Node]:
    """What is already ordered: open orders in the look-back, and the other drafts of the call."""
    held = _ordered(writer, asked)
    named = query(entries("Orders"), "R", held)
    filed = all_of([negated(of("R", "draft")), of("R", "open")])
    on_file = query(named, "R", filed, _dated(asked))
    own = op("Equal", of("R", "reference"), parameter(DRAFT, READING))
    others = query(named, "R", all_of([of("R", "draft"), negated(op("IsTrue", own))]), text("yes"))
    return [define(asked.name, weighed(flat(listed([on_file, others])), gaps(asked.definition)))]


def _ordered(writer: Writer, asked: Asked) -> Node:
    """Whether an order is in the fact's sets by its code, or by its words where no set has it."""
    sets = asked.definition.value_sets
    listed_code = any_in(of("R", "codes"), LISTED_ORDERS)
    by_words = [_by_words(writer, set_id) for set_id in sets]
    return op("Or", writer.sets.holds("R", sets), all_of([negated(listed_code), any_of(by_words)]))


def _by_words(writer: Writer, set_id: str) -> Node:
    """Whether an order's words name a set, and none of them rules it out."""
    phrases = list(writer.pack.terminology.order_names.phrases())
    names = sorted(phrase for phrase, named, _ in phrases if set_id in named)
    barred = sorted(phrase for phrase, _, out in phrases if set_id in out)
    if not names:
        return FALSE
    has_name, is_barred = (call("Names One", of("R", "spaced"), texts(words), library=READING)
                           for words in (names, barred))  # fmt: skip
    return all_of([has_name, negated(is_barred)])


def draft_order(writer: Writer, asked: Asked) -> list[Node]:
    """The order under evaluation is for a test."""
    own = op("Equal", of("R", "reference"), parameter(DRAFT, READING))
    named = query(entries("Orders"), "R", _ordered(writer, asked))
    return [define(asked.name, exists(query(named, "R", own)))]


def answer(writer: Writer, asked: Asked) -> list[Node]:
    """An answer in the newest finished response to the questionnaire; never unknown."""
    definition = asked.definition
    mine = op("Equal", of("R", "questionnaire"), text(definition.questionnaire))
    inside = call("Inside", of("R", "age"), _limit(asked), library=READING)
    finished = query(entries("Responses"), "R", all_of([mine, inside]))
    newest = gather("Max", query(finished, "R", give=of("R", "place")))
    last = gather("First", query(finished, "R", op("Equal", of("R", "place"), newest)))
    given_answers = query(prop(last, "answers"), "A", _wanted(asked))
    return [define(asked.name, exists(given_answers))]


def _limit(asked: Asked) -> Node:
    return NULL if asked.days is None else number(asked.days)


def _wanted(asked: Asked) -> Node:
    definition = asked.definition
    link = op("Equal", of("A", "link"), text(definition.link_id)) if definition.link_id else TRUE
    if not definition.link_id or not definition.answers:
        return link
    values = is_in(of("A", "value"), [word.lower() for word in definition.answers])
    return all_of([link, values])


def age(_writer: Writer, asked: Asked) -> list[Node]:
    """The age in whole years, null where it is not known."""
    return [define(asked.name, entries("Patient Age"))]


def code(_writer: Writer, asked: Asked) -> list[Node]:
    """A code of the patient or the encounter: the codes, and whether there are any."""
    if asked.definition.path.endswith("gender"):
        known = entries("Patient Known")
        values = query(listed([entries("Patient Sex")]), "V", given(alias("V")))
        present = when(all_of([known, exists(ref(asked.name))]), TRUE, UNKNOWN)
    else:
        values = query(entries("Encounter Classes"), "V", given(alias("V")))
        complete = supplied_as("encounter", ("supplied", "empty"))
        none = all_of([complete, negated(exists(entries("Encounters")))])
        present = cases([(exists(ref(asked.name)), TRUE), (none, FALSE)], UNKNOWN)
    return [define(asked.name, values), define(f"{asked.name} present", present)]


def flag(writer: Writer, asked: Asked) -> list[Node]:
    """What is derived: each flag in its own way."""
    name = asked.definition.name
    make = {
        "patient.deceased": _deceased,
        "chart.conditions-unavailable": _unavailable,
        "draft.any": _any_draft,
        "draft.has-reason": _has_reason,
        "pregnancy.due-ahead": _due_ahead,
    }.get(name)
    if make is None:
        writer.cannot(asked, "a flag that only the service derives")
        return [define(asked.name, UNKNOWN)]
    return [define(asked.name, make(writer, asked))]


def _deceased(_writer: Writer, _asked: Asked) -> Node:
    return when(entries("Patient Known"), entries("Patient Deceased"), UNKNOWN)


def _unavailable(_writer: Writer, _asked: Asked) -> Node:
    return supplied_as("conditions", ("missing", "failed"))


def _any_draft(_writer: Writer, _asked: Asked) -> Node:
    return exists(entries("Drafts"))


def _has_reason(writer: Writer, asked: Asked) -> Node:
    """Any reason but words alone that are a name of the flag's sets."""
    named = any_of(
        [
            any_in(of("R", "names"), names_of(set_id))
            for set_id in asked.definition.value_sets
            if names_of(set_id) in writer.sets.by_id
        ]
    )
    alone = all_of([op("IsTrue", of("R", "read")), negated(exists(of("R", "codings"))), named])
    return exists(query(entries("Draft Reasons"), "R", negated(alone)))


def _due_ahead(writer: Writer, asked: Asked) -> Node:
    """An expected delivery date that lies ahead, unless the pregnancy has ended since."""
    named = query(entries("Results"), "R", _undisputed(writer, asked))
    ahead = op("LessOrEqual", of("R", "due"), number(0))
    due = query(named, "R", all_of([ahead, is_in(of("R", "status"), USABLE)]))
    return _cleared(writer, asked, due, gap("observations"))
