"""Words that stand for a status that FHIR has, and answers that say no: `statuses.json`.

The statuses of FHIR itself are none of these lists: whoever reads an entry knows them.
"""

from collections.abc import Iterable

from cds_service.terminology.names import Negations
from cds_service.terminology.word_lists import Lists, by_code, held_by, words_of

LISTS = (
    "denied-answers", "active-problems", "ended-problems", "refuted-problems",
    "erroneous-problems", "negations", "active-drugs", "stopped-drugs", "completed-drugs",
    "drug-negated-before", "drug-negated-after",
)  # fmt: skip
APART = (
    ("active-problems", "ended-problems"), ("active-problems", "negations"),
    ("ended-problems", "negations"), ("refuted-problems", "erroneous-problems"),
    ("active-drugs", "stopped-drugs"), ("active-drugs", "completed-drugs"),
    ("stopped-drugs", "completed-drugs"),
)  # fmt: skip


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
        self.negations = words("negations")
        self.medications = {
            word: status
            for status in ("active", "stopped", "completed")
            for word in words_of(lists, f"{status}-drugs")
        }
        self.drug_negations = Negations(words("drug-negated-before"), words("drug-negated-after"))
        self._denials = by_code(lists, "denied-answers")
        self._denying_words = words("denied-answers")

    def denies(self, codes: Iterable[tuple[str, str]]) -> bool:
        """Whether an answer, given as codings (system, code), says no."""
        return any(
            code.lower() in self._denying_words or held_by(self._denials, system, code)
            for system, code in codes
        )
