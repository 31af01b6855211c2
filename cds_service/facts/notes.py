"""What cards say of data that were seen and not used: each note is one of these phrases, filled in.

A note is the English text, and knows its phrase and values, so that a card in another language can
say the same (`cards.language`). Values named `title` are names of tests, `seen`, `shown`, `dated`
and `limit` hold figures and days; all others are the chart's own words, or a phrase.
"""

from typing import Any


class Note(str):
    """A phrase with its values; as text, in English."""

    __slots__ = ("phrase", "values")

    phrase: str
    values: dict[str, str]

    def __new__(cls, phrase: str, /, **values: str) -> "Note":
        """`phrase` is one of this module's, or made of values alone."""
        note = super().__new__(cls, phrase.format(**values))
        note.phrase, note.values = phrase, values
        return note

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.phrase, self.values)


def _again(phrase: str, values: dict[str, str]) -> Note:
    return Note(phrase, **values)


PRELIMINARY = "A preliminary result ({seen}) was not used."
STRANGE_STATUS = "A result of unknown status ({seen}) was not used."
BY_NAME_ONLY = "A result named {name}{dated}, has no code that is known and was not used."
NAME_AND_CODE = (
    "The code and the name of a result disagree ({name}{dated}): it was not used."  # of a test
)
NOT_SENT = "A report names a result ({name}{dated}) that was not sent."
FUTURE = "A result dated in the future ({dated}) was not used."
UNDATED = "An undated result was not used."
TEXT_RESULT = "A {title} result given as text was not used."
NO_NUMBER = "A {title} result could not be read."
NO_UNIT = "{measurement} has no unit and was not used."
STRANGE_UNIT = "{measurement} has a unit that cannot be converted and was not used."
IMPLAUSIBLE = "{measurement} is outside the plausible range and was not used."
NEWER = "A newer result may exist: {reason}."
NONE_FOUND = "No {title} found in the data sent to this service."
STALE_MONTHS = "Last {title} {shown}, {dated}, is older than {count} months."
STALE_DAYS = "Last {title} {shown}, {dated}, is older than {count} days."
LEFT_MISSING = "{title}: left not reported."
RIGHT_MISSING = "{title}: right not reported."
COMPUTED = "{title} was computed: {how}."
RATIO = "{partTitle} {partShown} of {wholeTitle} {wholeShown}, {dated}"
NOT_COMPARABLE = "Result '{shown}' cannot be compared with {limit}."
ONE_UNREADABLE = "{count} medication could not be read."
MANY_UNREADABLE = "{count} medications could not be read."
ONE_UNRECOGNISED = "{count} medication was not recognised."
MANY_UNRECOGNISED = "{count} medications were not recognised."
DISPUTED = "Code and name are different drugs, not counted: {names}."
DISPUTED_MORE = "Code and name are different drugs, not counted: {names} and {count} others."
DISPUTED_DRAFT = "Code and name are different drugs, look at the order: {names}."
NO_STATUS = "No status that is understood, not counted: {names}."
NO_STATUS_MORE = "No status that is understood, not counted: {names} and {count} others."
NOT_SUPPLIED = "{what} were not supplied"
ONE_NOT_SUPPLIED = "{what} was not supplied"
NOT_READ = "{what} could not be read"
INCOMPLETE = "{what} are incomplete"
ONE_INCOMPLETE = "{what} is incomplete"

PHRASES: tuple[str, ...] = tuple(
    text for name, text in list(globals().items()) if name.isupper() and isinstance(text, str)
)

# A value and its name, where no words stand between them.
MEASURED = "{title} {shown}"
NAMED = "{title}"
