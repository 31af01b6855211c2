"""What the order services answer to whole calls that nobody wrote the rules against.

As test_clinical_calls.py: expected cards follow from the clinical specification, and a case names
every card of the answer. Last come the other profiles and the screen.
"""

from typing import Any, NamedTuple

import pytest

from tests.conftest import AppOfProfile
from tests.support.calls import Caller, Json
from tests.support.clinical import (
    check_cards,
    concept,
    done,
    draft_drug,
    draft_test,
    dx,
    encounter,
    lab,
    request,
    rx,
    taking,
    told,
)

CRAMP = dx("sct:449917004")
RLS = dx("sct:32914008")
QUININE = "quinine > Remove the quinine order!"
CRITICAL, WARNING = f"critical order.{QUININE}", f"warning order.{QUININE}"
LOW_PLATELETS = "critical redflag.quinine-low-platelets + order.quinine > Remove the quinine order!"
NO_RLS = "warning order.dopamine-agonist-without-rls > Remove this order"
NO_RLS_FERRITIN = f"{NO_RLS}; Order ferritin, if RLS is suspected"
FOR_RLS = "info order.dopamine-agonist-rls"
SLEEP_STUDY = "warning order.polysomnography > Remove this order"
ROUTINE = "info order.routine-electrolytes > Remove this order"
A, B = "warning order.cramp-provoking-drug", "info order.cramp-provoking-drug"
LIMITED = "info order.limited-evidence-therapy"
FOR_CRAMP = {"reasonCode": [concept("icd:R25.2")]}


class Case(NamedTuple):
    name: str
    cards: list[str]
    chart: dict[str, Any]


def case(name: str, *cards: str, **chart: Any) -> Case:
    return Case(name, list(cards), chart)


def drug(*codes: str, **more: Any) -> list[Json]:
    return [draft_drug(*codes, **more)]


def study(*codes: str, **more: Any) -> list[Json]:
    return [draft_test(*codes, **more)]


QUININE_CASES = [
    case("a branded capsule", CRITICAL, drafts=drug("rx:997012"), conditions=[CRAMP]),
    case("in words, no complaint", WARNING, drafts=drug("text:quiNINE sulfate 324 mg capsule")),
    case("an NDC with words", WARNING, drafts=drug("ndc:53489-0700-01", "text:Qualaquin 324 mg")),
    case("with suspected RLS", CRITICAL, drafts=drug("rx:198186"), conditions=[dx("icd:G25.81", verification="provisional")]),
    case("for a cramp, an array", CRITICAL, drafts=drug("rx:9071", **FOR_CRAMP)),
    case("for a cramp, an object", CRITICAL, drafts=drug("rx:9071", reasonCode=concept("sct:102550009"))),
    case("for a cramp, a Condition", CRITICAL, drafts=drug("rx:9071", reasonReference=[{"reference": "Condition/c-icd-g47-62"}]), conditions=[dx("icd:G47.62", clinical=None)]),
    case("for malaria", drafts=drug("rx:9071", reasonCode=[concept("sct:61462000")]), conditions=[CRAMP]),
    case("for malaria, a Condition on file", drafts=drug("rx:9071", reasonReference=[{"reference": "Condition/c-icd-b50-9"}]), conditions=[dx("icd:B50.9", recorded=300)]),
    case("malaria 31 days ago", CRITICAL, drafts=drug("rx:9071"), conditions=[CRAMP, dx("icd:B50.9", recorded=31)]),
    case("babesiosis this week", drafts=drug("rx:9071"), conditions=[CRAMP, dx("sct:21061004", recorded=3)]),
    case("renewed", CRITICAL, drafts=drug("rx:997012"), conditions=[CRAMP], medicationRequests=[rx("rx:198186")]),
    case("Conditions not sent", WARNING.replace("!", ""), drafts=drug("rx:9071"), conditions=None),
    case("quinidine", drafts=drug("text:quinidine gluconate 324 mg"), conditions=[CRAMP]),
    case("chloroquine", drafts=drug("text:chloroquine 250 mg"), conditions=[CRAMP]),
    case("tonic water", drafts=drug("text:tonic water"), conditions=[CRAMP]),
    case("a minor", CRITICAL, drafts=drug("rx:9071"), conditions=[CRAMP], patient={"birthDate": "2012"}),
    case("after death", drafts=drug("rx:9071"), conditions=[CRAMP], patient={"deceasedBoolean": True}),
    case("in pregnancy", CRITICAL, drafts=drug("rx:9071"), conditions=[CRAMP, dx("icd:Z34.93")]),
    case("not selected", drafts=drug("rx:9071"), select=[], conditions=[CRAMP]),
    case("platelets 149", LOW_PLATELETS, drafts=drug("rx:9071"), conditions=[CRAMP], observations=[lab("777-3", 149, "10*3/uL")]),
    case("platelets 150", CRITICAL, drafts=drug("rx:9071"), conditions=[CRAMP], observations=[lab("777-3", 150, "10*3/uL")]),
    case("TTP on the list", LOW_PLATELETS, drafts=drug("rx:9071"), conditions=[dx("sct:78129009")]),
    case("for malaria with platelets 80", "warning redflag.quinine-low-platelets", drafts=drug("rx:9071", reasonCode=[concept("icd:B50.9")]), observations=[lab("777-3", 80, "10*3/uL")]),
    case("a combination with quinine", f"{CRITICAL}", drafts=drug("rx:427479"), conditions=[CRAMP]),
]

DOPAMINE = [
    case("cramps, no RLS", NO_RLS_FERRITIN, drafts=drug("rx:152952"), conditions=[CRAMP]),
    case("a ferritin is on file", NO_RLS, drafts=drug("rx:152952"), conditions=[CRAMP], observations=[lab("2276-4", 80, "ng/mL")]),
    case("a rotigotine patch for a cramp", NO_RLS_FERRITIN, drafts=drug("rx:722253", **FOR_CRAMP)),
    case("carbidopa and levodopa", NO_RLS_FERRITIN, drafts=drug("rx:724598"), conditions=[CRAMP]),
    case("no complaint", drafts=drug("rx:152952")),
    case("Parkinson's disease is the order's reason", drafts=drug("rx:858625", reasonCode=[concept("icd:G20.A1")]), conditions=[CRAMP]),
    case("RLS is the order's reason", FOR_RLS + " > Order ferritin", drafts=drug("rx:858625", reasonCode=[concept("sct:32914008")]), conditions=[CRAMP]),
    case("PLMD suspected", drafts=drug("rx:858625"), conditions=[CRAMP, dx("icd:G47.61", verification="provisional")]),
    case("PLMD refuted", NO_RLS_FERRITIN, drafts=drug("rx:858625"), conditions=[CRAMP, dx("icd:G47.61", verification="refuted")]),
    case("already in use", drafts=drug("rx:152953"), conditions=[CRAMP], medicationStatements=[taking("rx:72302")]),
    case("RLS, no ferritin", FOR_RLS + " > Order ferritin", drafts=drug("rx:858625"), conditions=[RLS]),
    case("RLS, ferritin ordered in the same session", FOR_RLS, drafts=[*drug("rx:858625"), *study("loinc:2276-4")], select=["MedicationRequest/draft-rx-858625"], conditions=[RLS]),
    case("RLS, ferritin 49", FOR_RLS, drafts=drug("rx:858625"), conditions=[RLS], observations=[lab("2276-4", 49, "ng/mL")]),
    case("RLS, ferritin 50", drafts=drug("rx:858625"), conditions=[RLS], observations=[lab("2276-4", 50, "ng/mL")]),
    case("RLS, ferritin 20 of last year", FOR_RLS + " > Order ferritin", drafts=drug("rx:858625"), conditions=[RLS], observations=[lab("2276-4", 20, "ng/mL", days=366)]),
    case("RLS with Parkinson's disease", drafts=drug("rx:858625"), conditions=[RLS, dx("icd:G20.C")]),
    case("RLS, renewed", drafts=drug("rx:858625"), conditions=[RLS], medicationRequests=[rx("rx:746741")]),
    case("RLS, Observations not sent", drafts=drug("rx:858625"), conditions=[RLS], observations=None),
]

TESTS = [
    case("sleep study by SNOMED CT", SLEEP_STUDY, drafts=study("sct:60554003"), conditions=[CRAMP]),
    case("sleep study by LOINC, for a cramp", SLEEP_STUDY, drafts=study("loinc:28633-6", **FOR_CRAMP)),
    case("with CPAP titration", SLEEP_STUDY, drafts=study("cpt:95811"), conditions=[CRAMP]),
    case("snoring", drafts=study("cpt:95810"), conditions=[CRAMP, dx("icd:R06.83")]),
    case("narcolepsy suspected", drafts=study("cpt:95810"), conditions=[CRAMP, dx("icd:G47.419", verification="provisional")]),
    case("RLS suspected", drafts=study("cpt:95810"), conditions=[CRAMP, dx("icd:G25.81", verification="differential")]),
    case("apnea resolved", SLEEP_STUDY, drafts=study("cpt:95810"), conditions=[CRAMP, dx("icd:G47.33", clinical="resolved")]),
    case("for something else", drafts=study("cpt:95810", reasonCode=[concept("icd:R40.0")]), conditions=[CRAMP]),
    case("for something in words", drafts=study("cpt:95810", reasonCode=[concept("text:witnessed apneas")]), conditions=[CRAMP]),
    case("home sleep apnea test", drafts=study("cpt:95806"), conditions=[CRAMP]),
    case("no complaint", drafts=study("cpt:95810")),
    case("Conditions not sent", drafts=study("cpt:95810", **FOR_CRAMP), conditions=None),
    case("panel for a cramp", ROUTINE, drafts=study("loinc:24321-2", **FOR_CRAMP)),
    case("magnesium at a visit for cramps", ROUTINE, drafts=study("loinc:19123-9"), visit=encounter("sct:102550009")),
    case("magnesium, cramps on the list only", drafts=study("loinc:19123-9"), conditions=[CRAMP]),
    case("TSH at a visit for cramps", drafts=study("loinc:3016-3"), visit=encounter("sct:102550009")),
    case("TSH for a cramp", ROUTINE, drafts=study("loinc:3016-3", **FOR_CRAMP)),
    case("HbA1c for a cramp", ROUTINE, drafts=study("loinc:4548-4", **FOR_CRAMP)),
    case("creatinine for a cramp", ROUTINE, drafts=study("loinc:2160-0", **FOR_CRAMP)),
    case("calcium for a cramp", ROUTINE, drafts=study("loinc:17861-6", **FOR_CRAMP)),
    case("panel for diabetes", drafts=study("loinc:24321-2", reasonCode=[concept("icd:E11.9")]), visit=encounter("icd:R25.2")),
    case("inpatient", drafts=study("loinc:24321-2", **FOR_CRAMP), visit=encounter(kind="IMP")),
    case("emergency", drafts=study("loinc:24321-2", **FOR_CRAMP), visit=encounter(kind="EMER")),
    case("observation unit", drafts=study("loinc:24321-2", **FOR_CRAMP), visit=encounter(kind="OBSENC")),
    case("class not sent", ROUTINE, drafts=study("loinc:24321-2", **FOR_CRAMP), visit=encounter(kind=None)),
    case("on a diuretic", drafts=study("loinc:24321-2", **FOR_CRAMP), medicationRequests=[rx("rx:313096")]),
    case("on lithium", drafts=study("loinc:24321-2", **FOR_CRAMP), medicationRequests=[rx("rx:197889")]),
    case("with dialysis", drafts=study("loinc:24321-2", **FOR_CRAMP), procedures=[done("sct:67970008", days=300)]),
    case("with kidney disease of stage 3", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:N18.31")]),
    case("with hyperthyroidism", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("sct:34486009")]),
    case("with prediabetes", drafts=study("loinc:4548-4", **FOR_CRAMP), conditions=[dx("icd:R73.03")]),
    case("with cirrhosis", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:K74.60")]),
    case("with edema", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("sct:271809000")]),
    case("with Addison's disease", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:E27.1")]),
    case("with an eating disorder", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:F50.2")]),
    case("with celiac disease", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:K90.0")]),
    case("after diarrhea", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:R19.7", recorded=30)]),
    case("long after diarrhea", ROUTINE, drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:R19.7", recorded=31)]),
    case("a low potassium 365 days ago", drafts=study("loinc:24321-2", **FOR_CRAMP), observations=[lab("2823-3", 3.0, "mmol/L", days=365)]),
    case("a low potassium 366 days ago", ROUTINE, drafts=study("loinc:24321-2", **FOR_CRAMP), observations=[lab("2823-3", 3.0, "mmol/L", days=366)]),
    case("pregnant", drafts=study("loinc:24321-2", **FOR_CRAMP), conditions=[dx("icd:Z34.93")]),
    case("drugs not sent", drafts=study("loinc:24321-2", **FOR_CRAMP), medicationRequests=None, medicationStatements=None),
    case("results not sent", drafts=study("loinc:24321-2", **FOR_CRAMP), observations=None),
    case("ferritin is no routine electrolyte", drafts=study("loinc:2276-4", **FOR_CRAMP)),
]

NEW_DRUGS = [
    case("hydrochlorothiazide", A, drafts=drug("rx:310798"), conditions=[CRAMP]),
    case("losartan and hydrochlorothiazide in words", A, drafts=drug("text:losartan-hydrochlorothiazide 50-12.5 mg"), conditions=[CRAMP]),
    case("the same, hydrochlorothiazide in use", drafts=drug("text:losartan-hydrochlorothiazide 50-12.5 mg"), conditions=[CRAMP], medicationRequests=[rx("rx:310798")]),
    case("another diuretic beside one", drafts=drug("rx:313988"), conditions=[CRAMP], medicationRequests=[rx("rx:310798")]),
    case("a diuretic that was stopped", A, drafts=drug("rx:313988"), conditions=[CRAMP], medicationRequests=[rx("rx:310798", status="stopped")]),
    case("named as a renewal", drafts=drug("rx:310798", priorPrescription={"reference": "MedicationRequest/old"}), conditions=[CRAMP]),
    case("naproxen, a brand", A, drafts=drug("rx:849728"), conditions=[CRAMP]),
    case("naproxen for the cramp itself", A, drafts=drug("rx:849728", **FOR_CRAMP)),
    case("salmeterol with fluticasone", A, drafts=drug("rx:284635"), conditions=[CRAMP]),
    case("teriparatide", A, drafts=drug("rx:847904"), conditions=[CRAMP]),
    case("iron sucrose with RLS and cramps", A, drafts=drug("rx:283517"), conditions=[CRAMP, RLS]),
    case("ferric carboxymaltose", drafts=drug("rx:1433693"), conditions=[CRAMP, RLS]),
    case("albuterol", B, drafts=drug("rx:745734"), conditions=[CRAMP]),
    case("amlodipine", B, drafts=drug("rx:197361"), conditions=[CRAMP]),
    case("amlodipine with celecoxib: one card", B, drafts=drug("rx:2047712"), conditions=[CRAMP]),
    case("amlodipine with benazepril, for hypertension", B, drafts=drug("rx:371002", reasonCode=[concept("icd:I10")]), conditions=[CRAMP]),
    case("simvastatin with ezetimibe", B, drafts=drug("rx:476345"), conditions=[CRAMP]),
    case("insulin", B, drafts=drug("rx:311041"), conditions=[CRAMP]),
    case("diclofenac gel", drafts=drug("text:Voltaren 1 % gel, topical"), conditions=[CRAMP]),
    case("aspirin 81 mg", drafts=drug("rx:318272"), conditions=[CRAMP]),
    case("aspirin 500 mg", B, drafts=drug("rx:198471"), conditions=[CRAMP]),
    case("lisinopril", drafts=drug("rx:314076"), conditions=[CRAMP]),
    case("no complaint", drafts=drug("rx:310798")),
    case("RLS alone", drafts=drug("rx:310798"), conditions=[RLS]),
    case("Conditions not sent", drafts=drug("rx:310798"), conditions=None),
    case("magnesium oxide", LIMITED, drafts=drug("rx:198741"), conditions=[CRAMP]),
    case("magnesium with a low magnesium", drafts=drug("rx:198741"), conditions=[CRAMP], observations=[lab("19123-9", 1.2, "mg/dL", days=20)]),
    case("magnesium for constipation", drafts=drug("rx:198741"), conditions=[CRAMP, dx("icd:K59.00")]),
    case("magnesium for another reason", drafts=drug("rx:198741", reasonCode=[concept("icd:G43.909")]), conditions=[CRAMP]),
    case("magnesium for a cramp", LIMITED, drafts=drug("rx:198741", **FOR_CRAMP)),
    case("vitamin B12", LIMITED, drafts=drug("rx:11248"), conditions=[CRAMP]),
    case("vitamin B12 for pernicious anemia", drafts=drug("rx:11248"), conditions=[CRAMP, dx("sct:84027009")]),
    case("carisoprodol at 65", "warning order.limited-evidence-therapy", drafts=drug("rx:94126"), conditions=[CRAMP], patient={"birthDate": "1961-11-21"}),
    case("carisoprodol at 64", LIMITED, drafts=drug("rx:94126"), conditions=[CRAMP], patient={"birthDate": "1961-11-22"}),
    case("carisoprodol, born in 1961", LIMITED, drafts=drug("rx:94126"), conditions=[CRAMP], patient={"birthDate": "1961"}),
    case("carisoprodol, born in 1960", "warning order.limited-evidence-therapy", drafts=drug("rx:94126"), conditions=[CRAMP], patient={"birthDate": "1960"}),
    case("carisoprodol, age unknown", LIMITED, drafts=drug("rx:94126"), conditions=[CRAMP], patient={"birthDate": None}),
    case("baclofen for spasticity", drafts=drug("rx:197391"), conditions=[CRAMP, dx("icd:G80.1")]),
    case("cyclobenzaprine for a cramp", LIMITED, drafts=drug("rx:828320", **FOR_CRAMP)),
    case("diltiazem for a cramp", LIMITED, drafts=drug("rx:830837", **FOR_CRAMP)),
    case("diltiazem for a cramp, with hypertension", B, drafts=drug("rx:830837", **FOR_CRAMP), conditions=[dx("sct:59621000")]),
    case("a minor", drafts=drug("rx:310798"), conditions=[CRAMP], patient={"birthDate": "2012-01-01"}),
]

SEVERAL = [
    case("two selected", CRITICAL, A, drafts=[*drug("rx:9071"), *drug("rx:310798")], conditions=[CRAMP]),
    case("one of two selected", A, drafts=[*drug("rx:9071"), *drug("rx:310798")], select=["MedicationRequest/draft-rx-310798"], conditions=[CRAMP]),
    case("order-sign: all of them", CRITICAL, SLEEP_STUDY, A, hook="order-sign", drafts=[*drug("rx:310798"), *study("cpt:95810"), *drug("rx:9071")], conditions=[CRAMP]),
    case("two strengths of one drug, one card", "critical order.quinine > Remove the quinine order: quinine 325 MG capsule!; Remove the quinine order: quinine 200 MG capsule!", drafts=[*drug("rx:198186", "text:quinine 325 MG capsule"), *drug("rx:198832", "text:quinine 200 MG capsule")], conditions=[CRAMP]),
]

ALL = {"quinine": QUININE_CASES, "dopamine": DOPAMINE, "tests": TESTS, "drugs": NEW_DRUGS, "several": SEVERAL}


@pytest.mark.parametrize(
    "one", [pytest.param(c, id=f"{theme}: {c.name}") for theme, cs in ALL.items() for c in cs]
)
def test_order(caller: Caller, one: Case) -> None:
    """Exactly these cards, and no others."""
    answer = caller.cards(request(**one.chart))
    assert told(answer) == one.cards
    check_cards(answer)


ORDER_IRON = "Order iron studies with transferrin saturation"
BAND = f"info rls.guideline-band > {ORDER_IRON}"
EXERCISE = (
    "info claudication.normal-abi > Order an exercise treadmill ABI; Order a toe-brachial index;"
    " Order segmental pressures; Order an arterial duplex ultrasound"
)
CLAUDICATION = dx("sct:63491006")
FERRITIN_30 = [lab("2276-4", 30, "ng/mL")]
PROFILES = [
    ("aasm-2025", case("ferritin 60", BAND, conditions=[RLS], observations=[lab("2276-4", 60, "ng/mL")])),
    ("aasm-2025", case("saturation 19%", "info rls.guideline-band", conditions=[RLS], observations=[lab("2276-4", 120, "ng/mL"), lab("2502-3", 19, "%")])),
    ("aasm-2025", case("saturation 20%", conditions=[RLS], observations=[lab("2276-4", 120, "ng/mL"), lab("2502-3", 20, "%")])),
    ("aasm-2025", case("ferritin 60 on iron", conditions=[RLS], observations=[lab("2276-4", 60, "ng/mL")], medicationRequests=[rx("rx:310325")])),
    ("aasm-2025", case("ferritin 60 and hemochromatosis", conditions=[RLS, dx("icd:E83.110")], observations=[lab("2276-4", 60, "ng/mL")])),
    ("aasm-2025", case("ferritin 49", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 49, "ng/mL")])),
    ("aasm-2025", case("every new dopamine agonist", FOR_RLS, drafts=drug("rx:858625"), conditions=[RLS], observations=[lab("2276-4", 120, "ng/mL")])),
    ("acc-aha-2024", case("ABI 1.35", EXERCISE, conditions=[CLAUDICATION], observations=[lab("77194-9", 1.35, "1")])),
    ("acc-aha-2024", case("ABI 1.41", "info claudication.high-abi > Order a toe-brachial index", conditions=[CLAUDICATION], observations=[lab("77194-9", 1.41, "1")])),
    ("acc-aha-2024", case("ferritin 60", conditions=[RLS], observations=[lab("2276-4", 60, "ng/mL")])),
    ("aasm-2025+acc-aha-2024", case("both differ", BAND, EXERCISE, conditions=[RLS, CLAUDICATION], observations=[lab("2276-4", 60, "ng/mL"), lab("77194-9", 1.35, "1")])),
    ("demo", case("a diuretic without a complaint", "info drug-review.diuretic", medicationRequests=[rx("rx:310798")])),
    ("demo", case("a low ferritin without a complaint", "info rls.ferritin-indicator", observations=FERRITIN_30)),
    ("demo", case("a low ABI without a complaint", "info claudication.low-abi", observations=[lab("77194-9", 0.8, "1")])),
    ("demo", case("conditions and results claim no complaint", conditions=[dx("sct:23056005"), dx("icd:E05.90")], observations=[lab("2823-3", 2.9, "mmol/L")])),
    ("demo", case("RLS alone still silences drugs", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=FERRITIN_30, medicationRequests=[rx("rx:310798")])),
    ("demo", case("quinine without a reason", "warning order.quinine > Remove the quinine order!", drafts=drug("rx:9071"))),
]


@pytest.mark.parametrize(
    ("profiles", "one"), [pytest.param(p, c, id=f"{p}: {c.name}") for p, c in PROFILES]
)
def test_profile(app_with_profile: AppOfProfile, profiles: str, one: Case) -> None:
    caller = Caller(app_with_profile(*profiles.split("+")).test_client())
    answer = caller.cards(request(**one.chart))
    assert told(answer) == one.cards
    check_cards(answer, profiles.split("+"))


SCREEN = [
    case("a diuretic", "info screen.strong-drugs", medicationRequests=[rx("rx:310798")]),
    case("a statin", "info screen.other-drugs", medicationRequests=[rx("rx:617312")]),
    case("several things, one card", "info screen.strong-drugs + screen.other-drugs + screen.low-ferritin + screen.low-abi", medicationRequests=[rx("rx:310798"), rx("rx:617312")], observations=[*FERRITIN_30, lab("77194-9", 0.8, "1")]),
    case("ABI 1.45", "info screen.high-abi", observations=[lab("77194-9", 1.45, "1")]),
    case("ferritin 50, ABI 1.3", observations=[lab("2276-4", 50, "ng/mL"), lab("77194-9", 1.3, "1")]),
    case("lisinopril", medicationRequests=[rx("rx:314076")]),
    case("cramps on the list: the review speaks", conditions=[CRAMP], medicationRequests=[rx("rx:310798")]),
    case("leg pain on the list", conditions=[dx("sct:10601006")], observations=FERRITIN_30),
    case("RLS on the list", conditions=[RLS], observations=FERRITIN_30),
    case("claudication on the list", conditions=[CLAUDICATION], observations=[lab("77194-9", 0.8, "1")]),
    case("a low ABI at 70: the review speaks", patient={"birthDate": "1950-01-01"}, observations=[lab("77194-9", 0.8, "1")]),
    case("cramps resolved", "info screen.strong-drugs", conditions=[dx("icd:R25.2", clinical="resolved")], medicationRequests=[rx("rx:310798")]),
    case("Conditions not sent", "info screen.strong-drugs", conditions=None, medicationRequests=[rx("rx:310798")]),
    case("a minor", patient={"birthDate": "2012-01-01"}, medicationRequests=[rx("rx:310798")]),
    case("after death", patient={"deceasedBoolean": True}, medicationRequests=[rx("rx:310798")]),
    case("nothing on file"),
]


@pytest.mark.parametrize("one", [pytest.param(c, id=c.name) for c in SCREEN])
def test_screen(caller: Caller, one: Case) -> None:
    answer = caller.cards(request(**one.chart), "leg-symptoms-screen")
    assert told(answer) == one.cards
    check_cards(answer)


@pytest.mark.parametrize("one", [pytest.param(c, id=c.name) for c in SCREEN])
def test_screen_and_review_never_both(caller: Caller, one: Case) -> None:
    """The screen is silent whenever the review has cards for the same facts (design, section 5)."""
    sent = request(**one.chart)
    reviewed = caller.send(sent).get_json()
    if reviewed.get("cards"):
        assert told(caller.cards(sent, "leg-symptoms-screen")) == []
