"""Whether a medicine acts on the whole body or where it is put, from words, forms and codes.

Order of trust: a word for the route ("vaginal", "by mouth") before a word for the form ("gel").
Transdermal patches act on the whole body, except those whose drug works under the patch.
Suppositories count as systemic: the listed drugs are given rectally for their systemic effect.
"""

import re
from typing import Literal

RouteClass = Literal["systemic", "local", "unknown"]

SYSTEMIC_ROUTES = frozenset({"oral", "injected", "inhaled", "transdermal", "rectal", "sublingual"})

# SNOMED CT route codes: names as published in ONCOFAIR/FHIR-ImplementationGuide-Article
# (CodeSystem snomedct-oncofair) and in the HL7 route-codes value set.
_CODES: dict[str, RouteClass] = {
    "26643006": "systemic",  # Oral route
    "34206005": "systemic",  # Subcutaneous route
    "37839007": "systemic",  # Sublingual route
    "47625008": "systemic",  # Intravenous route
    "54471007": "systemic",  # Buccal route
    "78421000": "systemic",  # Intramuscular route
    "6064005": "local",  # Topical route
    "10547007": "local",  # Otic route
    "16857009": "local",  # Per vagina
    "46713006": "local",  # Nasal route
    "54485002": "local",  # Ophthalmic route
    "62226000": "local",  # Intrauterine route
    "12130007": "local",  # Intra-articular route
}


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TRANSDERMAL = "45890007"  # Transdermal route

_SYSTEMIC_ROUTE = _words("""
    oral orally po mouth perorally intravenous intravenously iv ivpb ivp intramuscular im
    subcutaneous subcutaneously subq sq sc subcut sublingual sublingually sl buccal inhaled
    inhale inhalation inhalational inhaler nebulized nebulization nebulizer enteral gastric
    gastrostomy nasogastric swallow injected parenteral injection injectable infusion
""")
_LOCAL_ROUTE = _words("""
    topical topically cutaneous ophthalmic ophthalmically ophth opth ocular conjunctival
    intravitreal otic otically auricular aural nasal nasally intranasal intranasally nostril
    nostrils vaginal vaginally intravaginal intrauterine periodontal gingival scalp
    intra-articular intraarticular eyelid eyelids irrigation
""")
_LOCAL_FORM = _words("""
    gel cream ointment lotion foam shampoo liniment salve ungt paste pessary douche eye eyes
    ear ears mouthwash apply applied skin rub
""")
_SYSTEMIC_FORM = _words("""
    tablet tablets tab tabs capsule capsules cap caps caplet caplets pill pills softgel
    softgels gelcap gelcaps lozenge syrup elixir chewable inj vial pen syringe suppository
    suppositories supp inhl inh mdi hfa diskus
""")
_PATCH = _words("""
    patch patches plaster tts transdermal transdermally
""")
_LOCAL_PATCH = _words("""
    lidocaine diclofenac capsaicin menthol salicylate camphor ketoprofen flector lidoderm
""")
_ORAL_GEL = re.compile(r"\b(liquid|liqui|soft)[ -]?gels?\b|\bgel[ -]?(caps?|tabs?|capsules?)\b")
# Not "pr": in drug names it says prolonged release.
_RECTAL = frozenset({"rectal", "rectally", "enema"})
_WORD = re.compile(r"[a-z][a-z-]*[a-z]|[0-9]+")


def route_of(*hints: str) -> RouteClass:
    """The route class of a medicine from anything that tells it, most telling first.

    Each hint is a route code, a route's or form's display, dosage text or the drug's own text. The
    first hint that decides counts: hand in the dosage route before the product's name.
    """
    local_patch = any(_LOCAL_PATCH.intersection(_WORD.findall(hint.lower())) for hint in hints)
    for hint in hints:
        if hint.strip() == _TRANSDERMAL:
            return "local" if local_patch else "systemic"
        decided = _CODES.get(hint.strip()) or _from_words(hint.lower(), local_patch)
        if decided != "unknown":
            return decided
    return "unknown"


# SNOMED CT route codes of injections, as above.
_INJECTED_CODES = frozenset({"34206005", "47625008", "78421000"})
_INJECTED = _words("""
    intravenous intravenously iv ivpb ivp intramuscular im subcutaneous subcutaneously subq sq
    subcut injected parenteral injection injectable infusion inj vial ampoule
""")


def is_injected(*hints: str) -> bool:
    """Whether any hint, as for `route_of`, says that a medicine is injected or infused."""
    return any(
        hint.strip() in _INJECTED_CODES or bool(_INJECTED.intersection(_WORD.findall(hint.lower())))
        for hint in hints
    )


def _from_words(text: str, local_patch: bool) -> RouteClass:
    text = _ORAL_GEL.sub("softgel", text)
    found = set(_WORD.findall(text))
    systemic, local = found & _SYSTEMIC_ROUTE, found & _LOCAL_ROUTE
    if systemic or local:
        return "unknown" if systemic and local else "systemic" if systemic else "local"
    if found & _RECTAL:
        return "systemic" if found & _SYSTEMIC_FORM else "local"
    if found & _PATCH:
        return "local" if local_patch else "systemic"
    if found & _LOCAL_FORM:
        return "local"
    return "systemic" if found & _SYSTEMIC_FORM else "unknown"


def route_words() -> dict[str, list[str]]:
    """The words and SNOMED CT codes that tell a route, by what they tell; for other engines."""
    codes = {kind: sorted(code for code, told in _CODES.items() if told == kind)
             for kind in ("systemic", "local")}  # fmt: skip
    return {
        "systemic code": [*codes["systemic"], _TRANSDERMAL],
        "local code": codes["local"],
        "injected code": sorted(_INJECTED_CODES),
        **{
            name: sorted(words)
            for name, words in (
                ("systemic route", _SYSTEMIC_ROUTE),
                ("local route", _LOCAL_ROUTE),
                ("systemic form", _SYSTEMIC_FORM),
                ("local form", _LOCAL_FORM),
                ("patch", _PATCH),
                ("local patch", _LOCAL_PATCH),
                ("rectal", _RECTAL),
                ("injected", _INJECTED),
            )
        },
    }
