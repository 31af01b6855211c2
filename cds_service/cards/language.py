"""In which language a card is written: texts and names by their English, figures, days, lists.

English is how everything is written; another language is a `rules.model.Translation`. A text that
it lacks stays English. Names of a translation are written as they stand inside a sentence.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds_service.cards import phrases, wording
from cds_service.cards.render import compile_template
from cds_service.facts.notes import Note
from cds_service.rules.model import Translation

ENGLISH_TAG = "en"
_DAY = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?")
_FIGURES = re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b|\d+\.\d+")
_OF_FIGURES = ("seen", "shown", "dated", "limit")  # values of notes, see `facts.notes`


@dataclass(frozen=True)
class Language:
    """The default is English as it is written."""

    tag: str = ENGLISH_TAG
    texts: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)  # by the casefolded English
    decimal: str = "."
    day: str = ""  # "{day}.{month}.{year}"; "" as sent
    month: str = ""
    reviewed: bool = True  # whether a clinician answers for its words
    clauses: Mapping[str, str] = field(default_factory=dict)  # of conditions that were not judged

    @property
    def is_english(self) -> bool:
        """Whether everything is said as it is written."""
        return self.tag == ENGLISH_TAG

    def text(self, english: str) -> str:
        """A text or template of the pack, or a phrase."""
        return self.texts.get(english, english)

    def say(self, phrase: str, **values: str) -> str:
        """A phrase with its values; an empty value leaves nothing behind."""
        template = compile_template(self.texts.get(phrase, phrase))
        return template.render(lambda name: values[name] or " ").strip()

    def count(self, singular: str, plural: str, number: int, **values: str) -> str:
        """The phrase that fits the number, with `{count}`."""
        return self.say(singular if number == 1 else plural, count=str(number), **values)

    def name(self, english: str) -> str:
        """A name of a test, drug or diagnosis, as it stands inside a sentence."""
        return self.known_name(english) or english

    def known_name(self, english: str) -> str:
        """The translated name, or ""."""
        return self.names.get(english.casefold(), "")

    def inside(self, words: str) -> str:
        """Words of the chart inside a sentence. Only English writes its nouns small."""
        return wording.inside(words) if self.is_english else self.name(words)

    def drug(self, names: str) -> str:
        """The name of a drug, or of several with " / " between them."""
        if self.is_english:
            return names.lower()
        parts = (self.known_name(name) or wording.opening(name) for name in names.split(" / "))
        return " / ".join(parts)

    def listed(self, names: list[str]) -> str:
        """ "a", "a and b", "a, b and c"."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.text(phrases.AND)} {names[-1]}"

    def figures(self, text: str) -> str:
        """Decimal numbers and days inside a text, as the language writes them."""
        return text if self.is_english else _FIGURES.sub(lambda m: self._figure(m.group()), text)

    def date(self, sent: str) -> str:
        """A day, month or year as sent."""
        match = _DAY.fullmatch(sent)
        form = (self.day if match["day"] else self.month) if match else ""
        if match is None or not form:
            return sent
        return compile_template(form).render(match.groupdict().get)

    def clause(self, sentence: str) -> str:
        """A condition in words, as what follows "whether"."""
        return self.clauses.get(sentence) or wording.clause(sentence)

    def note(self, note: str) -> str:
        """A note on the data."""
        if self.is_english or not isinstance(note, Note):
            return note
        values = {name: self._value(name, value) for name, value in note.values.items()}
        return wording.opening(self.say(note.phrase, **values))

    def _figure(self, text: str) -> str:
        return self.date(text) if "-" in text else text.replace(".", self.decimal)

    def _value(self, name: str, value: str) -> str:
        if isinstance(value, Note):
            return self.say(
                value.phrase, **{n: self._value(n, sent) for n, sent in value.values.items()}
            )
        if name.lower().endswith("title"):
            return self.name(value)
        return self.figures(value) if name.lower().endswith(_OF_FIGURES) else self.text(value)


ENGLISH = Language()


def closest(asked: Iterable[str], known: Iterable[str]) -> str:
    """The first language asked for that there is: itself, else without its region; else English."""
    tags = {tag.lower(): tag for tag in (ENGLISH_TAG, *known)}
    for tag in asked:
        for wanted in (tag.lower(), tag.lower().partition("-")[0]):
            if wanted in tags:
                return tags[wanted]
    return ENGLISH_TAG


def language_of(translation: Translation) -> Language:
    """A translation as cards use it."""
    return Language(
        tag=translation.tag,
        texts=translation.texts,
        names={name.casefold(): text for name, text in translation.names.items()},
        decimal=translation.decimal,
        day=translation.day,
        month=translation.month,
        reviewed=translation.reviewed,
    )
