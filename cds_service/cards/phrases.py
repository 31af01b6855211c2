"""The fixed words of cards: what the program says itself, in English.

A language gives each of them (`languages/`, docs/rule-format.md); `cds rules check` names those
that it lacks. Where a number decides between two forms, both are here.
"""

from cds_service.facts import notes
from cds_service.facts.prefetch_keys import KEYS
from cds_service.rules.words import UNIT_WORDS

BECAUSE = "Because:"
CONSIDER = "Consider:"  # a sentence that begins with it is a paragraph of its own
NOTE = "Note: {notes}"
NOT_CHECKED = "Not checked: {what}."
WHETHER = "whether {clause}"
AND = "and"
ONE_OTHER = "and {count} other"
MANY_OTHERS = "and {count} others"
ONE_MORE_NOTE = "{count} further note on the data."
MORE_NOTES = "{count} further notes on the data."
ONE_UNSHOWN = "{count} further note not shown: {titles}."
MANY_UNSHOWN = "{count} further notes not shown: {titles}."
RESULT = "Result"
UNDATED = "undated"
MATCHED_BY_NAME = "matched by name"
SENT_AS = "{value} (sent as {sent})"
LAST_ON = "{what} on {day}"
OF_SEVERAL = "({number} of {count})"

NOT_SIGNED_OFF = "Not signed off by a clinician."
SIGNED_OFF = "Content signed off by {who}, {role}, {date}."
UNREVIEWED = "Translation not reviewed by a clinician."
ONE_MORE_NUMBER = "{count} further number of this site."
MORE_NUMBERS = "{count} further numbers of this site."
SITE_NUMBER = "{subject}: this site uses {value}; default {default}."
SITE_NUMBER_ALONE = "this site uses {value}; default {default}."
LOOKBACK = "look-back of {title}"

MERGED = "Leg cramp review"
JOINED = "{count} warnings: {list}"
CONDITIONAL_TITLE = "If leg cramps are the concern"
CONDITIONAL_SUMMARY = "If leg cramps are the concern, what is on file may be relevant: {names}"

MEDICATIONS = "medications"
LACKING = "{what} ({how})"
HOW_MISSING = "not supplied"
HOW_FAILED = "could not be read"
HOW_INCOMPLETE = "incomplete"
NOT_RUN = "rules on {subjects} were not run"
MORE = "{count} more"

SOURCES = {  # where an entry of the list "Because" comes from
    "MedicationRequest": "medication order",
    "MedicationOrder": "medication order",
    "MedicationStatement": "reported medication",
    "MedicationUsage": "reported medication",
    "MedicationAdministration": "administered medication",
    "MedicationDispense": "dispensed medication",
}
# As facts write them.
_OTHER_SOURCES = (
    "problem list", "encounter diagnosis", "encounter", "order reason", "order", "draft",
    "observation", "procedure", "report", "questionnaire", "name alone",
    "code and name disagree", "status not known", "named in a report, not sent",
    "date of the report",
)  # fmt: skip
FLAGS = {"L": "low", "LL": "critically low", "H": "high", "HH": "critically high"}
SIDES = {"left": "left", "right": "right"}
_UNITS = tuple(filter(None, UNIT_WORDS.values()))


def _own() -> tuple[str, ...]:
    return tuple(
        text
        for name, text in list(globals().items())
        if name.isupper() and not name.startswith("_") and isinstance(text, str)
    )


PHRASES: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *_own(),
            *SOURCES.values(),
            *_OTHER_SOURCES,
            *FLAGS.values(),
            *SIDES.values(),
            *_UNITS,
            *(name for key in KEYS.values() for name in (key.on_cards, key.name)),
            *notes.PHRASES,
        )
    )
)
