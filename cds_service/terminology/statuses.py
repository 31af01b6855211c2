"""Words that stand for a status that FHIR has, and answers that say no: `statuses.json`.

The statuses of FHIR itself are none of these lists: whoever reads an entry knows them.
"""

from collections.abc import Iterable

from cds_service.terminology.entry_names import words_of as words_of_name
from cds_service.terminology.names import Negations
from cds_service.terminology.word_lists import Lists, by_code, held_by, words_of

LISTS = (
    "denied-answers", "active-problems", "ended-problems", "confirmed-problems",
    "refuted-problems",
    "erroneous-problems", "negations", "active-drugs", "stopped-drugs", "completed-drugs",
    "nothing-known", "no-information", "drug-negated-before", "drug-negated-after",
)  # fmt: skip
APART = (
    ("active-problems", "ended-problems"), ("active-problems", "negations"),
    ("ended-problems", "negations"), ("refuted-problems", "erroneous-problems"),
    ("confirmed-problems", "refuted-problems"), ("confirmed-problems", "erroneous-problems"),
    ("confirmed-problems", "negations"),
    ("active-drugs", "stopped-drugs"), ("active-drugs", "completed-drugs"),
    ("stopped-drugs", "completed-drugs"), ("nothing-known", "no-information"),
)  # fmt: skip


NOTHING_KNOWN, NO_INFORMATION = "nothing-known", "no-information"


class Statuses:
    """The lists in force, compiled. Immutable; words are in lower case.

    `medications`: the status of FHIR that a medication's status in words stands for.
    `drug_negations`: words by which a text says that a drug is not in it.
    """

    def __init__(self, lists: Lists) -> None:
        def words(name: str) -> frozenset[str]:
            return frozenset(words_of(lists, name))

        self.active, self.ended = words("active-problems"), words("ended-problems")
        self.refuted, self.erroneous = words("refuted-problems"), words("erroneous-problems")
        self.confirmed, self.negations = words("confirmed-problems"), words("negations")
        self.medications = {
            word: status
            for status in ("active", "stopped", "completed")
            for word in words_of(lists, f"{status}-drugs")
        }
        self.drug_negations = Negations(words("drug-negated-before"), words("drug-negated-after"))
        self._denials = by_code(lists, "denied-answers")
        self._denying_words = words("denied-answers")
        self._about_the_list = {
            name: (by_code(lists, name), frozenset(map(_plain, words(name))))
            for name in (NOTHING_KNOWN, NO_INFORMATION)
        }

    def denies(self, codes: Iterable[tuple[str, str]]) -> bool:
        """Whether an answer, given as codings (system, code), says no."""
        return any(
            code.lower() in self._denying_words or held_by(self._denials, system, code)
            for system, code in codes
        )

    def about_the_list(self, codes: Iterable[tuple[str, str]], names: Iterable[str]) -> str:
        """What an entry says of the list that it stands in, and of no problem or drug: that nothing
        is known to be on it (NOTHING_KNOWN), or that nobody knows (NO_INFORMATION); else ""."""
        codings, texts = tuple(codes), frozenset(map(_plain, names))
        for state, (keys, words) in self._about_the_list.items():
            by_its_code = any(held_by(keys, system, code) for system, code in codings)
            if by_its_code or (not codings and texts and texts <= words):
                return state
        return ""


def _plain(text: str) -> str:
    """Words as they are compared: without punctuation."""
    return " ".join(words_of_name(text))
