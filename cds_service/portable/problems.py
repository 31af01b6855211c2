"""Problems as ELM: Conditions, reasons of the encounter and of the order, coded findings."""

from collections.abc import Callable, Iterable

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
    exists,
    listed,
    missing,
    negated,
    number,
    of,
    op,
    query,
    text,
    texts,
    tuple_of,
    when,
)
from cds_service.portable.names import PROBLEMS, names_of
from cds_service.portable.other_facts import last_clearing
from cds_service.portable.reading_codes import flat, is_in, with_codes
from cds_service.portable.supply import READING, gaps
from cds_service.portable.writer import Asked, Writer, dated, entries, verdict, weighed

USABLE = ("final", "amended", "corrected")
_REFUTED = frozenset({"refuted"})


def problem(writer: Writer, asked: Asked) -> Node:
    """Whether the problem is on file."""
    sources = asked.definition.sources
    entries_on_file = [make(writer, asked) for source in sources for make in _MAKERS[source]]
    return weighed(flat(listed(entries_on_file)), _unknown(writer, asked))


def _unknown(writer: Writer, asked: Asked) -> Node:
    """Why the problem may be on file though no entry says so."""
    parts = [gaps(asked.definition), *_unread(writer, asked)]
    if "order-reason" in asked.definition.sources:
        reasons = entries("Draft Reasons")
        parts.append(exists(query(reasons, "R", negated(of("R", "read")))))
    return any_of(parts)


def _conditions(writer: Writer, asked: Asked) -> Node:
    named = query(entries("Conditions"), "C", writer.sets.holds("C", asked.definition.value_sets))
    fits = all_of(
        [_certain(asked, "C"), at_place(writer, asked, "C"), by_words(writer, asked, "C")]
    )
    return query(named, "C", fits, _told(writer, asked, counts(writer, asked), of("C", "age")))


def _told(writer: Writer, asked: Asked, truth: Node, age: Node) -> Node:
    """The verdict on an entry; one before the last event that ended the problem is over."""
    if not asked.definition.cleared_by:
        return verdict(truth)
    ended = last_clearing(writer, asked.definition.cleared_by)
    later = when(missing(age), UNKNOWN, op("Less", age, ended))
    return verdict(when(all_of([op("IsTrue", truth), op("Not", missing(ended))]), later, truth))


def _certain(asked: Asked, name: str) -> Node:
    return is_in(of(name, "verification"), sorted(asked.definition.verification))


def counts(writer: Writer, asked: Asked) -> Node:
    """Whether the Condition C counts by its status and its dates."""
    definition = asked.definition
    truth = dated(asked, of("C", "age"), _days(writer, asked))
    if definition.clinical == "any" or definition.verification == _REFUTED:
        return truth
    unclear = when(op("IsFalse", truth), FALSE, UNKNOWN)
    active = of("C", "active")
    return cases([(op("IsFalse", active), FALSE), (missing(active), unclear)], truth)


def _days(writer: Writer, asked: Asked) -> Node | None:
    """The look-back of a diagnosis of some other encounter; None where there is no such thing."""
    days = writer.days(asked.definition.encounter_lookback)
    if asked.days is not None or days is None:
        return None
    own = op("Concatenate", text("Encounter/"), of("E", "id.value"))
    here = exists(query(entries("Encounters"), "E", op("EndsWith", of("C", "encounter"), own)))
    other = all_of([of("C", "encounterOnly"), negated(here)])
    return when(other, number(days), NULL)


def at_place(writer: Writer, asked: Asked, name: str) -> Node:
    """Whether an entry is at a place on the body that the fact means. Without a place it is."""
    definition = asked.definition
    elsewhere = _elsewhere(writer, asked)
    if elsewhere is None and not definition.body_site:
        return TRUE
    sites = of(name, "sites")
    parts = []
    if elsewhere is not None:
        parts.append(exists(query(sites, "B", negated(elsewhere))))
    if definition.body_site:
        parts.append(exists(query(sites, "B", writer.sets.holds("B", [definition.body_site]))))
    return op("Or", negated(exists(sites)), all_of(parts))


def _elsewhere(writer: Writer, asked: Asked) -> Node | None:
    definition = asked.definition
    parts = []
    if definition.not_body_site:
        parts.append(writer.sets.holds("B", [definition.not_body_site]))
    if definition.not_body_site_words:
        parts.append(_names(of("B", "words"), definition.not_body_site_words))
    return any_of(parts) if parts else None


def _names(words_of_entry: Node, words: Iterable[str]) -> Node:
    spaced = call("Spaced", words_of_entry, library=READING)
    return call("Names One", spaced, texts(words), library=READING)


def by_words(writer: Writer, asked: Asked, name: str) -> Node:
    """Whether an entry's words fit a code that names no place, or mostly another."""
    rule, definition = asked.definition.by_words, asked.definition
    if rule is None:
        return TRUE
    own = query(of(name, "codings"), "K", _among(writer, definition.value_sets))
    close = exists(query(own, "K", negated(_among(writer, (rule.wide, rule.narrow)))))
    wide = exists(query(own, "K", _among(writer, (rule.wide,))))
    sites = query(of(name, "sites"), "B", give=of("B", "words"))
    joined: Node = {
        "type": "Combine",
        "source": flat(listed([listed([of(name, "words")]), sites])),
        "separator": text(" "),
    }
    other = (*rule.elsewhere, *definition.not_body_site_words)
    here = op("Or", _names(joined, rule.here), _displayed(writer, asked, name, "here", rule.here))
    there = op("Or", _names(joined, other), _displayed(writer, asked, name, "elsewhere", other))
    return any_of([close, here, all_of([wide, negated(there)])])


def _among(writer: Writer, set_ids: Iterable[str]) -> Node:
    """Whether the coding K is in one of some sets."""
    inside = []
    for set_id in set_ids:
        listed_codes = query(listed([alias("K")]), "L", give=_as_entry("L"))
        inside.append(exists(query(listed_codes, "M", writer.sets.holds("M", [set_id]))))
    return any_of(inside)


def _as_entry(name: str) -> Node:
    coding = listed([alias(name)])
    codes = {"codes": listed([of(name, "code")]), "stems": of(name, "stems"), "codings": coding}
    return tuple_of(codes)


def _displayed(writer: Writer, asked: Asked, name: str, kind: str, words: tuple[str, ...]) -> Node:
    """Whether the pack's own name of one of the entry's codes has one of the words."""
    rule = asked.definition.by_words
    codes = {}
    for set_id in (rule.wide, rule.narrow) if rule else ():
        value_set = writer.pack.terminology.value_set(set_id)
        for key, display in {**value_set.concepts, **value_set.below}.items():
            spaced = f" {' '.join(display.lower().replace(',', ' ').split())} "
            if any(f" {word} " in spaced for word in words):
                codes[key] = display
    if not codes:
        return FALSE
    set_id = f"{asked.definition.name.replace('.', '-')}-named-{kind}"
    told = "codes whose own name says where the cramp is"
    writer.sets.named(set_id, f"{asked.definition.title}: {kind}", codes, told)
    return op("Or", any_in(of(name, "codes"), set_id), any_in(of(name, "stems"), set_id))


def _reasons(list_name: str) -> Callable[[Writer, Asked], Node]:
    def make(writer: Writer, asked: Asked) -> Node:
        held = writer.sets.holds("C", asked.definition.value_sets)
        named = query(entries(list_name), "C", held)
        fits = all_of(
            [
                of("C", "counts"),
                _certain(asked, "C"),
                at_place(writer, asked, "C"),
                by_words(writer, asked, "C"),
            ]
        )
        return query(named, "C", fits, _told(writer, asked, TRUE, number(0)))

    return make


def _by_code(writer: Writer, asked: Asked) -> Node:
    named = query(entries("Results"), "C", writer.sets.holds("C", asked.definition.value_sets))
    return query(named, "C", _finding(writer, asked, of("C", "denied")), _dated(writer, asked))


def _by_value(writer: Writer, asked: Asked) -> Node:
    """Findings that are the value of an Observation."""
    answered = query(entries("Results"), "R", negated(of("R", "component")), _answer())
    named = query(answered, "C", writer.sets.holds("C", asked.definition.value_sets))
    return query(named, "C", _finding(writer, asked, FALSE), _dated(writer, asked))


def _answer() -> Node:
    coded = with_codes(of("R", "answers"))
    coded = {key: _in_reading(node) for key, node in coded.items()}
    kept = {key: of("R", key) for key in ("status", "age", "sites")}
    return tuple_of({**coded, **kept, "words": of("R", "answerText")})


def _in_reading(node: Node) -> Node:
    return {**node, "libraryName": READING} if node.get("type") == "FunctionRef" else node


def _finding(writer: Writer, asked: Asked, denied: Node) -> Node:
    certain = TRUE if "confirmed" in asked.definition.verification else FALSE
    return all_of(
        [
            certain,
            is_in(of("C", "status"), USABLE),
            negated(denied),
            at_place(writer, asked, "C"),
            by_words(writer, asked, "C"),
        ]
    )


def _dated(writer: Writer, asked: Asked) -> Node:
    days = asked.days
    if days is None:
        days = writer.days(asked.definition.encounter_lookback)
    own = Asked(asked.definition, asked.name, days, asked.include, asked.exclude)
    return _told(writer, asked, dated(own, of("C", "age")), of("C", "age"))


_MAKERS: dict[str, tuple[Callable[[Writer, Asked], Node], ...]] = {
    "condition": (_conditions,),
    "encounter": (_reasons("Encounter Reasons"),),
    "order-reason": (_reasons("Draft Reasons"),),
    "observation": (_by_code, _by_value),
}


def _unread(writer: Writer, asked: Asked) -> list[Node]:
    """Conditions coded only in systems that no set of the fact has."""
    definition = asked.definition
    if definition.unread == "never" or "condition" not in definition.sources:
        return []
    terminology = writer.pack.terminology
    systems = {s for set_id in definition.value_sets for s in terminology.systems_of(set_id)}
    covered = exists(query(of("C", "codings"), "K", is_in(_system("K"), sorted(systems))))
    strange = query(entries("Unread Conditions"), "C", negated(covered))
    counting = query(strange, "C", _may(writer, asked))
    own = any_of([any_in(of("C", "names"), names_of(set_id)) for set_id in definition.value_sets
                  if names_of(set_id) in writer.sets.by_id])  # fmt: skip
    others = query(counting, "C", negated(any_in(of("C", "names"), PROBLEMS)))
    coded = exists(query(others, "C", exists(of("C", "codings"))))
    count_strange: Node = {"type": "Count", "source": strange}
    every: Node = {"type": "Count", "source": entries("Conditions")}
    whole = op("Equal", count_strange, every)
    named = exists(query(counting, "C", own))
    if definition.unread == "entry":
        return [named, coded, all_of([whole, exists(others)])]
    return [named, all_of([whole, coded])]


def _system(name: str) -> Node:
    return of(name, "code.system")


def _may(writer: Writer, asked: Asked) -> Node:
    """Whether the Condition would count if its code were one of the fact's."""
    definition = asked.definition
    parts = [_certain(asked, "C")]
    if not (definition.clinical == "any" or definition.verification == _REFUTED):
        parts.append(negated(op("IsFalse", of("C", "active"))))
    parts.append(negated(op("IsFalse", dated(asked, of("C", "age")))))
    return all_of(parts)
