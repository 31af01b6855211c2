"""What the chart review answers to whole calls that nobody wrote the rules against.

Expected cards follow from the sentences of the clinical specification, with other codes and other
shapes of data than the rules' own tests: SNOMED CT, OIDs, products, names, components, units. A
case names every card of the answer, so that it also says which rules stay silent.
"""

from typing import Any, NamedTuple

import pytest

from tests.support.calls import Caller, Json
from tests.support.clinical import (
    answers,
    check_cards,
    concept,
    done,
    dx,
    encounter,
    lab,
    ordered,
    request,
    rx,
    said,
    taking,
    told,
)

CRAMP = dx("sct:449917004")  # cramp in lower limb, recorded long ago
RLS = dx("sct:32914008")
CLAUDICATION = dx("sct:63491006")
RECENT_LABS = [
    lab("2823-3", 4.2, "mmol/L"),
    lab("2951-2", 140, "mmol/L"),
    lab("2160-0", 0.9, "mg/dL"),
]
FERRITIN_80 = lab("2276-4", 80, "ng/mL")
ORDER_IRON = "Order iron studies with transferrin saturation"
FERRITIN_MISSING = (
    "info rls.ferritin-missing"
    " > Order ferritin; Order iron, iron-binding capacity and transferrin saturation"
)
ABI_MISSING = "info claudication.abi-missing > Order an ankle-brachial index"
ABI_NORMAL = (
    "info claudication.normal-abi > Order a toe-brachial index; Order segmental pressures;"
    " Order an arterial duplex ultrasound"
)
ABI_HIGH = "info claudication.high-abi > Order a toe-brachial index"
DIURETIC = "info drug-review.diuretic"
QUININE = "warning drug-review.quinine > Order a complete blood count"
LOW_PLATELETS = "critical redflag.quinine-low-platelets > Order a complete blood count"
WORKUP = "info labs.targeted-workup > Order electrolytes; Order renal function"


class Case(NamedTuple):
    name: str
    cards: list[str]
    chart: dict[str, Any]


def case(name: str, *cards: str, **chart: Any) -> Case:
    return Case(name, list(cards), chart)


def sided(left: float, right: float) -> Json:
    """One ABI study with a component for each leg."""
    whole = lab("77194-9", 1, "1")
    del whole["valueQuantity"]
    whole["component"] = [
        {"code": {"text": f"{side} leg"}, "valueQuantity": {"value": value, "unit": "{ratio}"}}
        for side, value in (("Left", left), ("Right", right))
    ]
    return whole


def panel(potassium: float, sodium: float, date: str = "2026-11-11") -> Json:
    """A metabolic panel with its results as components."""
    whole = lab("24321-2", 1, "1", effectiveDateTime=date, days=None)
    del whole["valueQuantity"]
    whole["component"] = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmol/L", "code": "mmol/L"},
        }
        for code, value in (("2823-3", potassium), ("2951-2", sodium), ("2160-0", 80))
    ]
    whole["component"][2]["valueQuantity"] |= {"unit": "umol/L", "code": "umol/L"}
    return whole


def due(date: str, days: float) -> Json:
    whole = lab("11778-8", 1, "1", days=days)
    del whole["valueQuantity"]
    return whole | {"valueDateTime": date}


def flagged(code: str, value: Any, unit: str, flag: str, days: float = 7) -> Json:
    return lab(code, value, unit, days=days, interpretation=[{"coding": [{"code": flag}]}])


def ranged(code: str, value: Any, unit: str, low: float, days: float = 7) -> Json:
    limit = {"low": {"value": low, "unit": unit, "code": unit}}
    return lab(code, value, unit, days=days, referenceRange=[limit])


def by_reference(name: str, *codes: str, contained: bool) -> dict[str, Any]:
    """A request whose drug is a Medication resource, contained or sent along."""
    medication = {"resourceType": "Medication", "id": "med-1", "code": concept(*codes)}
    target = {"reference": "#med-1" if contained else "Medication/med-1"}
    order = rx(medicationReference=target)
    if contained:
        order["contained"] = [medication]
        return {"medicationRequests": [order]}
    return {"medicationRequests": [order, medication]}


COMPLAINT = [
    case("SNOMED CT cramp", DIURETIC, conditions=[CRAMP], drugs=True),
    case("SNOMED CT by OID", DIURETIC, conditions=[dx("sct-oid:102550009")], drugs=True),
    case("a US edition of SNOMED CT", DIURETIC, conditions=[dx("sct-us:449918009")], drugs=True),
    case("ICD-10-CM by OID", DIURETIC, conditions=[dx("icd-oid:G47.62")], drugs=True),
    case("ICD-10-CM without a dot", DIURETIC, conditions=[dx("icd:M62831")], drugs=True),
    case("a cramp in words only", conditions=[dx("text:nocturnal leg cramps")], drugs=True),
    case("WHO ICD-10 is not ICD-10-CM", conditions=[dx("local:R25.2")], drugs=True),
    case("relapse", DIURETIC, conditions=[dx("icd:R25.2", clinical="relapse")], drugs=True),
    case("recurrence", DIURETIC, conditions=[dx("icd:R25.2", clinical="recurrence")], drugs=True),
    case("resolved", conditions=[dx("icd:R25.2", clinical="resolved")], drugs=True),
    case("inactive", conditions=[dx("icd:R25.2", clinical="inactive")], drugs=True),
    case("remission", conditions=[dx("icd:R25.2", clinical="remission")], drugs=True),
    case("refuted", conditions=[dx("icd:R25.2", verification="refuted")], drugs=True),
    case("in error", conditions=[dx("icd:R25.2", verification="entered-in-error")], drugs=True),
    case("provisional", DIURETIC, conditions=[dx("icd:R25.2", verification="provisional")], drugs=True),
    case("no statuses", DIURETIC, conditions=[dx("icd:R25.2", clinical=None, verification=None)], drugs=True),
    case(
        "no status, abated", drugs=True,
        conditions=[dx("icd:R25.2", clinical=None, abatementDateTime="2026-02-01")],
    ),
    case(
        "a diagnosis of a visit 365 days ago", DIURETIC, drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded=365)],
    ),
    case(
        "a diagnosis of a visit 366 days ago", drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded=366)],
    ),
    case(
        "a problem of ten years ago", DIURETIC, drugs=True,
        conditions=[dx("icd:G47.62", recorded=3650)],
    ),
    case(
        "a visit's diagnosis with only a year: new until that year ends", "info drug-review.diuretic + cramp.first-line-care", drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded="2026")],
    ),
    case(
        "a visit's diagnosis of the month that ends 356 days ago", DIURETIC, drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded="2025-11")],
    ),
    case(
        "a visit's diagnosis of the month before that", drugs=True,
        conditions=[dx("icd:R25.2", category="encounter-diagnosis", recorded="2025-10")],
    ),
    case(
        "cramp of the hand", drugs=True,
        conditions=[dx("icd:R25.2", bodySite=[{"coding": [{"system": "http://snomed.info/sct", "code": "7569003"}]}])],
    ),
    case(
        "cramp of the calf", DIURETIC, drugs=True,
        conditions=[dx("icd:R25.2", bodySite=[{"text": "left calf"}])],
    ),
    case("the visit's reason", "info drug-review.diuretic + cramp.first-line-care", visit=encounter("sct:55300003"), drugs=True),
    case(
        "the visit's reason by reference to a Condition", "info drug-review.diuretic + cramp.first-line-care", drugs=True,
        conditions=[dx("icd:R25.2", recorded=800, category="encounter-diagnosis")],
        visit=encounter(reasonReference=[{"reference": "Condition/c-icd-r25-2"}]),
    ),
    case(
        "the visit's diagnosis by reference", "info drug-review.diuretic + cramp.first-line-care", drugs=True,
        conditions=[dx("icd:G47.62", recorded=800)],
        visit=encounter(diagnosis=[{"condition": {"reference": "Condition/c-icd-g47-62"}}]),
    ),
    case("a hardening muscle in the questionnaire", DIURETIC, drugs=True, more={"q": [answers(Q9=True)]}),
    case("no hardening muscle", drugs=True, more={"q": [answers(Q9=False)]}),
    case("answered 91 days ago", drugs=True, more={"q": [answers(91, Q9=True)]}),
    case(
        "a cramp found and coded, 20 days ago", "info drug-review.diuretic + cramp.first-line-care", drugs=True,
        observations=[*RECENT_LABS, said("sct:102550009", answer="text:present")],
    ),
    case("heat cramp", "info drug-review.diuretic + assoc.fluid-loss-heat + cramp.first-line-care", conditions=[dx("icd:T67.2XXA", recorded=3)], drugs=True),
    case("new 30 days ago", "info cramp.first-line-care", conditions=[dx("icd:G47.62", recorded=30)]),
    case("31 days old", conditions=[dx("icd:G47.62", recorded=31)]),
    case("recorded long ago, onset last week", "info cramp.first-line-care", conditions=[dx("icd:G47.62", recorded=300, onsetDateTime="2026-11-14")]),
    case("new, with RLS recorded", "info rls.coexisting-cramp", conditions=[dx("icd:G47.62", recorded=5), RLS], observations=[FERRITIN_80]),
    case("new, questionnaire two weeks ago", conditions=[dx("icd:G47.62", recorded=5)], more={"q": [answers(14, Q1=True)]}),
]

DRUGS = [
    case("a branded product", DIURETIC, conditions=[CRAMP], medicationRequests=[rx("rx:93253")], observations=RECENT_LABS),
    case("RxNorm by OID", "info drug-review.ccb", conditions=[CRAMP], medicationRequests=[rx("rx-oid:197361")]),
    case("NDC and words", "info drug-review.ccb", conditions=[CRAMP], medicationRequests=[rx("ndc:00093-7167-98", "text:amLODIPine 5 mg tablet")]),
    case("words only, a brand", "info drug-review.named-agents", conditions=[CRAMP], medicationStatements=[taking("text:Aleve 220 mg as needed")]),
    case("words only, a combination", "info drug-review.diuretic + drug-review.context", WORKUP, conditions=[CRAMP], medicationRequests=[rx("text:Lisinopril-Hydrochlorothiazide 20-12.5 mg")]),
    case("a contained Medication", "info drug-review.lipid-lowering", conditions=[CRAMP], **by_reference("contained", "rx:617312", contained=True)),
    case("a Medication sent along", "info drug-review.lipid-lowering", conditions=[CRAMP], **by_reference("sent", "rx:617312", contained=False)),
    case("requested and stated, one drug", "info drug-review.ccb", conditions=[CRAMP], medicationRequests=[rx("rx:197361")], medicationStatements=[taking("rx:17767")]),
    case("a statement that is intended", "info drug-review.ccb", conditions=[CRAMP], medicationStatements=[taking("rx:17767", status="intended")]),
    case("a statement not taken", conditions=[CRAMP], medicationStatements=[taking("rx:17767", status="not-taken")]),
    case("a completed request", conditions=[CRAMP], medicationRequests=[rx("rx:197361", status="completed")]),
    case("a request on hold", conditions=[CRAMP], medicationRequests=[rx("rx:197361", status="on-hold")]),
    case("an order not to give it", conditions=[CRAMP], medicationRequests=[rx("rx:197361", doNotPerform=True)]),
    case("written 400 days ago", "info drug-review.ccb", conditions=[CRAMP], medicationRequests=[rx("rx:197361", days=400)]),
    case("written 401 days ago", conditions=[CRAMP], medicationRequests=[rx("rx:197361", days=401)]),
    case(
        "written long ago, valid until next month", "info drug-review.ccb", conditions=[CRAMP],
        medicationRequests=[rx("rx:197361", days=900, dispenseRequest={"validityPeriod": {"end": "2026-12-21"}})],
    ),
    case(
        "past its validity", conditions=[CRAMP],
        medicationRequests=[rx("rx:197361", dispenseRequest={"validityPeriod": {"end": "2026-11-20"}})],
    ),
    case("a diclofenac gel", conditions=[CRAMP], medicationRequests=[rx("text:diclofenac 1 % topical gel")]),
    case("diclofenac onto the skin", conditions=[CRAMP], medicationRequests=[rx("rx:3355", route="topical")]),
    case("ketorolac eye drops", conditions=[CRAMP], medicationRequests=[rx("text:ketorolac 0.5 % ophthalmic solution")]),
    case("diclofenac tablets", "info drug-review.nsaid", conditions=[CRAMP], medicationRequests=[rx("rx:855657")]),
    case("a meloxicam suppository acts in the whole body", "info drug-review.nsaid", conditions=[CRAMP], medicationRequests=[rx("rx:152694")]),
    case("aspirin 81 mg", conditions=[CRAMP], medicationRequests=[rx("rx:318272")]),
    case("aspirin 325 mg", conditions=[CRAMP], medicationRequests=[rx("rx:212033")]),
    case("aspirin 500 mg", "info drug-review.nsaid", conditions=[CRAMP], medicationRequests=[rx("rx:198471")]),
    case("vaginal conjugated estrogens", conditions=[CRAMP], medicationRequests=[rx("text:Premarin 0.625 mg/g vaginal cream")]),
    case("conjugated estrogens by mouth", "info drug-review.named-agents", conditions=[CRAMP], medicationRequests=[rx("rx:150840")]),
    case("estradiol patch", conditions=[CRAMP], medicationRequests=[rx("text:estradiol 0.05 mg/day transdermal patch")]),
    case("fluticasone and salmeterol", "info drug-review.beta-agonist", conditions=[CRAMP], medicationRequests=[rx("rx:284635")]),
    case("levalbuterol", "info drug-review.beta-agonist", conditions=[CRAMP], medicationRequests=[rx("rx:237159")]),
    case("atenolol", conditions=[CRAMP], medicationRequests=[rx("rx:197381")]),
    case("acetazolamide", conditions=[CRAMP], medicationRequests=[rx("text:acetazolamide 250 mg tablet")]),
    case("omega-3", conditions=[CRAMP], medicationRequests=[rx("text:omega-3 acid ethyl esters 1 g capsule")]),
    case("cholestyramine", conditions=[CRAMP], medicationRequests=[rx("text:cholestyramine 4 g powder")]),
    case("ezetimibe", "info drug-review.lipid-lowering", conditions=[CRAMP], medicationRequests=[rx("rx:349556")]),
    case("insulin glargine", "info drug-review.other-listed", conditions=[CRAMP], medicationRequests=[rx("rx:311041")]),
    case("levonorgestrel device", conditions=[CRAMP], medicationRequests=[rx("text:levonorgestrel 52 mg intrauterine system")]),
    case("iron sucrose 30 days ago", "info drug-review.named-agents", conditions=[CRAMP], medicationStatements=[taking("rx:283517", status="completed", days=30)]),
    case("iron sucrose 31 days ago", conditions=[CRAMP], medicationStatements=[taking("rx:283517", status="completed", days=31)]),
    case("ferric carboxymaltose", conditions=[CRAMP], medicationStatements=[taking("rx:1433693", status="completed", days=3)]),
    case("ferrous sulfate", conditions=[CRAMP], medicationRequests=[rx("rx:310325")]),
    case("amlodipine and atorvastatin in one", "info drug-review.ccb + drug-review.lipid-lowering", conditions=[CRAMP], medicationRequests=[rx("rx:404010")]),
    case("lisinopril alone", conditions=[CRAMP], medicationRequests=[rx("rx:314076")]),
    case("alcohol beside raloxifene", "info drug-review.named-agents + drug-review.context", conditions=[CRAMP, dx("sct:7200002")], medicationRequests=[rx("rx:312768")]),
    case("alcohol alone", conditions=[CRAMP, dx("icd:F10.20")]),
    case("naproxen is not listed twice", "info drug-review.named-agents", conditions=[CRAMP], medicationRequests=[rx("rx:849728")]),
    case("RLS alone silences drugs and conditions", conditions=[RLS, dx("icd:E11.42")], medicationRequests=[rx("rx:313988"), rx("rx:197361")], observations=[FERRITIN_80]),
    case("ropinirole without its reason", "info drug-review.dopamine-agonist-without-rls", conditions=[CRAMP], medicationRequests=[rx("rx:152953")]),
    case("a rotigotine patch", "info drug-review.dopamine-agonist-without-rls", conditions=[CRAMP], medicationRequests=[rx("rx:722253")]),
    case("carbidopa and levodopa", "info drug-review.dopamine-agonist-without-rls", conditions=[CRAMP], medicationStatements=[taking("rx:724598")]),
    case("pramipexole for drug-induced parkinsonism", "info assoc.neurologic", conditions=[CRAMP, dx("sct:4223005")], medicationRequests=[rx("rx:858625")]),
    case("ropinirole with suspected PLMD", "info plmd.movements", conditions=[CRAMP, dx("sct:418763003", verification="differential")], medicationRequests=[rx("rx:152953")]),
]

QUININE_CASES = [
    case("a branded capsule", QUININE, conditions=[CRAMP], medicationRequests=[rx("rx:997012")]),
    case("with RLS in pregnancy", QUININE, conditions=[dx("sct:1052284009")], medicationRequests=[rx("rx:198186")], observations=[FERRITIN_80]),
    case("no reason on file", QUININE, medicationStatements=[taking("text:quinine sulfate 324 mg")]),
    case("malaria recorded 30 days ago", conditions=[dx("sct:61462000", recorded=30)], medicationRequests=[rx("rx:9071")]),
    case("malaria recorded 31 days ago", QUININE, conditions=[dx("sct:61462000", recorded=31)], medicationRequests=[rx("rx:9071")]),
    case("babesiosis", conditions=[dx("icd:B60.00", recorded=5)], medicationRequests=[rx("rx:9071")]),
    case("malaria is the visit's reason", visit=encounter("icd:B54"), medicationRequests=[rx("rx:9071")]),
    case("malaria refuted", QUININE, conditions=[dx("icd:B54", recorded=5, verification="refuted")], medicationRequests=[rx("rx:9071")]),
    case("quinidine", conditions=[CRAMP], medicationRequests=[rx("text:quinidine sulfate 200 mg")]),
    case("hydroxychloroquine", conditions=[CRAMP], medicationRequests=[rx("text:hydroxychloroquine 200 mg")]),
    case("a minor", QUININE, conditions=[CRAMP], patient={"birthDate": "2010-01-01"}, medicationRequests=[rx("rx:9071")]),
    case("after death", conditions=[CRAMP], patient={"deceasedDateTime": "2026-10-01"}, medicationRequests=[rx("rx:9071")]),
    case("platelets 149", LOW_PLATELETS, conditions=[CRAMP], medicationRequests=[rx("rx:9071")], observations=[lab("777-3", 149, "10*9/L")]),
    case("platelets 150", QUININE, conditions=[CRAMP], medicationRequests=[rx("rx:9071")], observations=[lab("777-3", 150, "10*9/L")]),
    case("platelets 92,000 per microliter", LOW_PLATELETS, medicationRequests=[rx("rx:9071")], observations=[lab("26515-7", 92000, "/uL")]),
    case("platelets 91 days ago", QUININE, medicationRequests=[rx("rx:9071")], observations=[lab("777-3", 92, "10*3/uL", days=91)]),
    case("low, then normal", QUININE, medicationRequests=[rx("rx:9071")], observations=[lab("777-3", 92, "10*3/uL", days=20), lab("777-3", 180, "10*3/uL", days=2)]),
    case("ITP on the list", LOW_PLATELETS, conditions=[dx("sct:32273002")], medicationRequests=[rx("rx:9071")]),
    case("malaria and platelets 80", "warning redflag.quinine-low-platelets > Order a complete blood count", conditions=[dx("icd:B50.9", recorded=5)], medicationRequests=[rx("rx:9071")], observations=[lab("777-3", 80, "10*3/uL")]),
]

RESTLESS_LEGS = [
    case("SNOMED CT and 40 ug/L", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("20567-4", 40, "ug/L")]),
    case("90 pmol/L is 40 ng/mL", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("14723-1", 90, "pmol/L")]),
    case("0.04 mg/L is 40 ng/mL", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 0.04, "mg/L")]),
    case("LOINC by OID", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 40, "ng/mL") | {"code": concept("loinc-oid:2276-4")}]),
    case("a corrected result", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 40, "ng/mL", status="corrected")]),
    case("preliminary 30 after a final 80", conditions=[RLS], observations=[lab("2276-4", 30, "ng/mL", status="preliminary", days=2), lab("2276-4", 80, "ng/mL", days=60)]),
    case("two on one day: the lowest", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 80, "ng/mL", days=9), lab("2276-4", 45, "ng/mL", days=9)]),
    case("a newer normal one", conditions=[RLS], observations=[lab("2276-4", 45, "ng/mL", days=90), FERRITIN_80]),
    case("saturation on file: none to order", "warning rls.low-ferritin", conditions=[RLS], observations=[lab("2276-4", 45, "ng/mL"), lab("2502-3", 25, "%")]),
    case("on iron tablets", f"info rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 45, "ng/mL")], medicationStatements=[taking("rx:310325")]),
    case("intravenous iron 90 days ago", f"info rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 45, "ng/mL")], medicationStatements=[taking("rx:1433693", status="completed", days=90)]),
    case("intravenous iron 91 days ago", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], observations=[lab("2276-4", 45, "ng/mL")], medicationStatements=[taking("rx:1433693", status="completed", days=91)]),
    case("suspected in the questionnaire", FERRITIN_MISSING, more={"q": [answers(Q2=True, Q3=True)]}),
    case("urge without relief by moving", more={"q": [answers(Q2=True, Q3=False)]}),
    case("RLS unconfirmed, no ferritin", FERRITIN_MISSING, conditions=[dx("icd:G25.81", verification="unconfirmed")]),
    case("RLS resolved", conditions=[dx("icd:G25.81", clinical="resolved")]),
    case("RLS in error", conditions=[dx("icd:G25.81", verification="entered-in-error")]),
    case("ferritin ordered 30 days ago", conditions=[RLS], serviceRequests=[ordered("loinc:2276-4", days=30)]),
    case("ferritin ordered 31 days ago", FERRITIN_MISSING, conditions=[RLS], serviceRequests=[ordered("loinc:2276-4", days=31)]),
    case("the iron panel ordered", conditions=[RLS], serviceRequests=[ordered("loinc:50190-8", status="on-hold")]),
    case("Observations not sent: nothing is missing", conditions=[RLS], observations=None),
    case("with cramps, one card", f"warning rls.low-ferritin + rls.coexisting-cramp > {ORDER_IRON}", conditions=[RLS, CRAMP], observations=[lab("2276-4", 45, "ng/mL")]),
    case("with cramps and no ferritin, one card", FERRITIN_MISSING.replace(" >", " + rls.coexisting-cramp >"), conditions=[RLS, CRAMP]),
    case("suspected RLS with cramps and ferritin", "info cramp.first-line-care", conditions=[dx("icd:G25.81", verification="provisional"), dx("icd:G47.62", recorded=2)], observations=[FERRITIN_80]),
    case("cramps and a low ferritin", "info rls.ferritin-indicator", conditions=[CRAMP], observations=[lab("2276-4", 45, "ng/mL")]),
    case("pain in the calf and a low ferritin", "info rls.ferritin-indicator", conditions=[dx("sct:300954003")], observations=[lab("2276-4", "<5", "ng/mL")]),
    case("PLMD and a low ferritin", "info rls.ferritin-indicator", conditions=[dx("sct:445140006")], observations=[lab("2276-4", 45, "ng/mL")]),
    case("RLS refuted 365 days ago", conditions=[CRAMP, dx("icd:G25.81", verification="refuted", recorded=365)], observations=[lab("2276-4", 45, "ng/mL")]),
    case("RLS refuted 366 days ago", "info rls.ferritin-indicator", conditions=[CRAMP, dx("icd:G25.81", verification="refuted", recorded=366)], observations=[lab("2276-4", 45, "ng/mL")]),
    case("no leg complaint", observations=[lab("2276-4", 45, "ng/mL")]),
    case("a minor with RLS", conditions=[RLS], patient={"birthDate": "2009-01-01"}, observations=[lab("2276-4", 20, "ng/mL")]),
    case("18 today", f"warning rls.low-ferritin > {ORDER_IRON}", conditions=[RLS], patient={"birthDate": "2008-11-21"}, observations=[lab("2276-4", 20, "ng/mL")]),
    case("18 tomorrow", conditions=[RLS], patient={"birthDate": "2008-11-22"}, observations=[lab("2276-4", 20, "ng/mL")]),
    case("born in 2008, day unknown", conditions=[RLS], patient={"birthDate": "2008"}, observations=[lab("2276-4", 20, "ng/mL")]),
    case("PLMD with cramps", "info plmd.movements", conditions=[CRAMP, dx("sct:418763003")]),
    case("PLMD refuted", conditions=[CRAMP, dx("sct:418763003", verification="refuted")]),
]

CLAUDICATION_CASES = [
    case("SNOMED CT, no ABI", ABI_MISSING, conditions=[CLAUDICATION]),
    case("atherosclerosis with claudication, by child code", ABI_MISSING, conditions=[dx("icd:I70.213")]),
    case("pain on walking in the questionnaire", ABI_MISSING, more={"q": [answers(Q7=True)]}),
    case("known PAD with an old ABI", conditions=[dx("icd:I70.213")], observations=[lab("77194-9", 0.8, "1", days=900)]),
    case("ABI ordered 60 days ago", conditions=[CLAUDICATION], serviceRequests=[ordered("cpt:93922", days=60)]),
    case("ABI ordered 61 days ago", ABI_MISSING, conditions=[CLAUDICATION], serviceRequests=[ordered("cpt:93922", days=61)]),
    case("legs as components, one low", "warning claudication.low-abi", conditions=[CRAMP], observations=[sided(1.05, 0.72)]),
    case("legs as components, both normal", ABI_NORMAL, conditions=[CLAUDICATION], observations=[sided(1.02, 0.97)]),
    case("side by LOINC code", "warning claudication.low-abi", conditions=[CRAMP], observations=[lab("8579-5", 0.9, "{ratio}"), lab("8580-3", 1.1, "{ratio}")]),
    case("no unit, up to 3.0", "warning claudication.low-abi", conditions=[CRAMP], observations=[lab("77194-9", 0.85, None)]),
    case("72 percent", "warning claudication.low-abi", conditions=[CRAMP], observations=[lab("77194-9", 72, "%")]),
    case("preliminary", conditions=[CRAMP], observations=[lab("77194-9", 0.5, "1", status="preliminary")]),
    case("730 days ago", "warning claudication.low-abi", conditions=[CRAMP], observations=[lab("77194-9", 0.5, "1", days=730)]),
    case("731 days ago", conditions=[CRAMP], observations=[lab("77194-9", 0.5, "1", days=731)]),
    case("age 65, no symptom", "info claudication.low-abi", patient={"birthDate": "1961-11-21"}, observations=[lab("77194-9", 0.85, "1")]),
    case("age 64, no symptom", patient={"birthDate": "1961-11-22"}, observations=[lab("77194-9", 0.85, "1")]),
    case("age 50 and smoking", "info claudication.low-abi", patient={"birthDate": "1976-11-21"}, observations=[lab("77194-9", 0.85, "1"), said("loinc:72166-2", answer="sct:449868002")]),
    case("age 50 with diabetes", "info claudication.low-abi", patient={"birthDate": "1976-11-21"}, conditions=[dx("sct:44054006")], observations=[lab("77194-9", 0.85, "1")]),
    case("age 49 and smoking", patient={"birthDate": "1976-11-22"}, conditions=[dx("icd:F17.210")], observations=[lab("77194-9", 0.85, "1")]),
    case("age 49, diabetes and smoking", "info claudication.low-abi", patient={"birthDate": "1976-11-22"}, conditions=[dx("icd:E11.9"), dx("icd:Z87.891")], observations=[lab("77194-9", 0.85, "1")]),
    case("age 40, diabetes alone", patient={"birthDate": "1986-01-01"}, conditions=[dx("icd:E11.9")], observations=[lab("77194-9", 0.85, "1")]),
    case("coronary disease at 40", "info claudication.low-abi", patient={"birthDate": "1986-01-01"}, conditions=[dx("icd:I25.10")], observations=[lab("77194-9", 0.85, "1")]),
    case("PAD recorded, no symptom", patient={"birthDate": "1950-01-01"}, conditions=[dx("sct:840580004")], observations=[lab("77194-9", 0.7, "1")]),
    case("cramps and PAD, low ABI: one card", "warning claudication.low-abi + claudication.mimic-review", conditions=[CRAMP, dx("sct:840580004")], observations=[lab("77194-9", 0.7, "1")]),
    case("cramps and PAD, no ABI", "info claudication.mimic-review", conditions=[CRAMP, dx("sct:399957001")]),
    case("claudication and stenosis, studied", "info claudication.mimic-review", conditions=[CLAUDICATION, dx("sct:18347007")], observations=[lab("77194-9", 1.1, "1"), lab("77617-9", 0.8, "1")]),
    case("claudication and arthritis of the knee", ABI_MISSING.replace(" >", " + claudication.mimic-review >"), conditions=[CLAUDICATION, dx("sct:239873007")]),
    case("claudication and arthritis of the hand", ABI_MISSING, conditions=[CLAUDICATION, dx("icd:M19.041")]),
    case("1.31", ABI_HIGH, conditions=[CLAUDICATION], observations=[lab("77194-9", 1.31, "1")]),
    case("1.45 right, 0.80 left", "warning claudication.low-abi", conditions=[CLAUDICATION], observations=[sided(0.80, 1.45)]),
    case("1.45 with cramps at 70", ABI_HIGH, conditions=[CRAMP], patient={"birthDate": "1956-01-01"}, observations=[lab("77194-9", 1.45, "1")]),
    case("1.45 with cramps at 40", conditions=[CRAMP], patient={"birthDate": "1986-01-01"}, observations=[lab("77194-9", 1.45, "1")]),
    case("1.45, toe index done", conditions=[CLAUDICATION], observations=[lab("77194-9", 1.45, "1"), lab("77618-7", 0.7, "1")]),
    case("normal, duplex 730 days ago", conditions=[CLAUDICATION], observations=[lab("77194-9", 1.1, "1")], procedures=[done("loinc:39421-3", days=730)]),
    case("normal, duplex 731 days ago", ABI_NORMAL, conditions=[CLAUDICATION], observations=[lab("77194-9", 1.1, "1")], procedures=[done("loinc:39421-3", days=731)]),
    case("low ABI and a diuretic: two cards", "warning claudication.low-abi", DIURETIC, conditions=[CLAUDICATION, CRAMP], observations=[*RECENT_LABS, lab("77194-9", 0.8, "1")], medicationRequests=[rx("rx:313988")]),
]

CONDITIONS = [
    case("sciatica", "info assoc.neurologic", conditions=[CRAMP, dx("sct:23056005")]),
    case("diabetic polyneuropathy, SNOMED CT", "info assoc.neurologic + assoc.systemic", conditions=[CRAMP, dx("sct:49455004"), dx("sct:44054006")]),
    case("twitching and tingling", "info assoc.neurologic", conditions=[CRAMP, dx("icd:R25.3"), dx("icd:R20.2")]),
    case("tingling of the hand", conditions=[CRAMP, dx("icd:R20.2", bodySite=[{"text": "right hand"}])]),
    case("carpal tunnel syndrome", conditions=[CRAMP, dx("icd:G56.01")]),
    case("radiculopathy resolved", conditions=[CRAMP, dx("icd:M54.16", clinical="resolved")]),
    case("varicose veins and edema", "info assoc.venous", "info labs.targeted-workup > Order renal function", conditions=[CRAMP, dx("sct:72866009"), dx("sct:102572006")]),
    case("esophageal varices", conditions=[CRAMP, dx("icd:I85.00")]),
    case("cirrhosis, child code", "info assoc.systemic", conditions=[CRAMP, dx("icd:K70.31")]),
    case("hypertension and high cholesterol only", conditions=[CRAMP, dx("icd:I10"), dx("icd:E78.00")]),
    case("dialysis known by a Procedure", "info assoc.systemic", conditions=[CRAMP], procedures=[done("sct:233575001")], observations=RECENT_LABS),
    case("dialysis that was not done", conditions=[CRAMP], procedures=[done("sct:233575001", status="not-done")], observations=RECENT_LABS),
    case("gestational diabetes", conditions=[CRAMP, dx("icd:O24.410", clinical="resolved")]),
    case("pregnant by SNOMED CT", "info assoc.pregnancy", conditions=[CRAMP, dx("sct:16356006", recorded=30)]),
    case("pregnant by status, 300 days ago", "info assoc.pregnancy", conditions=[CRAMP], observations=[said("loinc:82810-3", answer="sct:77386006", days=300)]),
    case("pregnant by status, 301 days ago", conditions=[CRAMP], observations=[said("loinc:82810-3", answer="sct:77386006", days=301)]),
    case("pregnant, then not", conditions=[CRAMP], observations=[said("loinc:82810-3", answer="sct:77386006", days=60), said("loinc:82810-3", answer="sct:60001007", days=2, id="o-later")]),
    case("pregnancy, then a delivery", conditions=[CRAMP, dx("icd:Z34.93", recorded=120), dx("icd:O80", recorded=10)]),
    case("a delivery, then a pregnancy", "info assoc.pregnancy", conditions=[CRAMP, dx("icd:Z34.93", recorded=20), dx("icd:O80", recorded=700, clinical="resolved")]),
    case("pregnant by status, then a loss", conditions=[CRAMP, dx("icd:O03.9", recorded=10)], observations=[said("loinc:82810-3", answer="sct:77386006", days=60)]),
    case("due date ahead", "info assoc.pregnancy", conditions=[CRAMP], observations=[due("2027-02-01", days=30)]),
    case("due date ahead, then a loss", conditions=[CRAMP, dx("icd:O03.9", recorded=10)], observations=[due("2027-02-01", days=60)]),
    case("due date gone by", conditions=[CRAMP], observations=[due("2026-11-01", days=200)]),
    case("pregnancy recorded for a man", conditions=[CRAMP, dx("icd:Z34.93", recorded=20)], patient={"gender": "male"}),
    case("pregnancy, sex not recorded", "info assoc.pregnancy", conditions=[CRAMP, dx("icd:Z34.93", recorded=20)], patient={"gender": None}),
    case("vomiting 30 days ago", "info assoc.fluid-loss-heat" , conditions=[CRAMP, dx("icd:R11.10", recorded=30)], observations=RECENT_LABS),
    case("vomiting 31 days ago", conditions=[CRAMP, dx("icd:R11.10", recorded=31)], observations=RECENT_LABS),
    case("diarrhea, long recorded, resolved", conditions=[CRAMP, dx("sct:62315008", clinical="resolved", recorded=5)], observations=RECENT_LABS),
    case("atrophy 180 days ago", "warning redflag.neuro-deficit", conditions=[CRAMP, dx("icd:M62.561", recorded=180)]),
    case("atrophy 181 days ago", conditions=[CRAMP, dx("icd:M62.561", recorded=181)]),
    case("foot drop, undated", "warning redflag.neuro-deficit", conditions=[CRAMP, dx("icd:M21.371", recorded=None)]),
    case("weakness refuted", conditions=[CRAMP, dx("icd:M62.81", verification="refuted", recorded=20)]),
    case("gait explained by a stroke", conditions=[CRAMP, dx("icd:R26.9", recorded=20), dx("icd:I69.354")]),
    case("weakness beside a stroke", "warning redflag.neuro-deficit", conditions=[CRAMP, dx("icd:R26.9", recorded=20), dx("icd:I69.354"), dx("icd:M62.81", recorded=20)]),
    case("lead poisoning 365 days ago", "warning redflag.toxin-exposure", conditions=[CRAMP, dx("sct:38342005", recorded=365)]),
    case("lead poisoning 366 days ago", conditions=[CRAMP, dx("sct:38342005", recorded=366)]),
]


LABORATORY = [
    case("potassium 2.9 flagged low", "info labs.low-electrolyte", conditions=[CRAMP], observations=[flagged("2823-3", 2.9, "mmol/L", "L")]),
    case("potassium 3.5 without a range", conditions=[CRAMP], observations=[lab("2823-3", 3.5, "mmol/L", days=7)]),
    case("potassium 3.4 without a range", "info labs.low-electrolyte", conditions=[CRAMP], observations=[lab("2823-3", 3.4, "mmol/L", days=7)]),
    case("potassium 3.4, the laboratory's limit is 3.3", conditions=[CRAMP], observations=[ranged("2823-3", 3.4, "mmol/L", 3.3)]),
    case("potassium 3.6, the laboratory's limit is 3.7", "info labs.low-electrolyte", conditions=[CRAMP], observations=[ranged("2823-3", 3.6, "mmol/L", 3.7)]),
    case("potassium 3.6 flagged low", "info labs.low-electrolyte", conditions=[CRAMP], observations=[flagged("2823-3", 3.6, "mmol/L", "L")]),
    case("significantly low", "info labs.low-electrolyte", conditions=[CRAMP], observations=[flagged("2823-3", 3.6, "mmol/L", "LU")]),
    case("sodium 118 flagged critical", "warning labs.low-electrolyte", conditions=[CRAMP], observations=[flagged("2951-2", 118, "mmol/L", "LL")]),
    case("magnesium 1.0 meq/L is 1.2 mg/dL", "info labs.low-electrolyte", conditions=[CRAMP], observations=[lab("2601-3", 1.0, "meq/L", days=7)]),
    case("magnesium 0.7 mmol/L is 1.7 mg/dL", conditions=[CRAMP], observations=[lab("2601-3", 0.7, "mmol/L", days=7)]),
    case("calcium 2.0 mmol/L is 8.0 mg/dL", "info labs.low-electrolyte", conditions=[CRAMP], observations=[lab("2000-8", 2.0, "mmol/L", days=7)]),
    case("calcium 2.2 mmol/L is 8.8 mg/dL", conditions=[CRAMP], observations=[lab("2000-8", 2.2, "mmol/L", days=7)]),
    case("90 days ago", "info labs.low-electrolyte", conditions=[CRAMP], observations=[lab("2823-3", 2.9, "mmol/L", days=90)]),
    case("91 days ago", conditions=[CRAMP], observations=[lab("2823-3", 2.9, "mmol/L", days=91)]),
    case("low, then normal", conditions=[CRAMP], observations=[lab("2823-3", 2.9, "mmol/L", days=9), lab("2823-3", 4.0, "mmol/L", days=2)]),
    case("in an impossible unit", conditions=[CRAMP], observations=[lab("2823-3", 2.9, "ng/mL", days=7)]),
    case("a component of a panel", "info labs.low-electrolyte", conditions=[CRAMP], observations=[panel(2.9, 140)]),
    case("at most 3.4", "info labs.low-electrolyte", conditions=[CRAMP], observations=[lab("2823-3", "<=3.4", "mmol/L", days=7)]),
    case("without a complaint", observations=[flagged("2823-3", 2.9, "mmol/L", "LL")]),
    case("low, with the drug that may do it", DIURETIC, "info labs.low-electrolyte", conditions=[CRAMP], observations=[*RECENT_LABS[1:], flagged("2823-3", 2.9, "mmol/L", "L")], medicationRequests=[rx("rx:313988")]),
    case("diuretic, no results", DIURETIC, WORKUP, conditions=[CRAMP], medicationRequests=[rx("rx:313988")]),
    case("diuretic, a panel of 180 days ago", DIURETIC, conditions=[CRAMP], medicationRequests=[rx("rx:313988")], observations=[panel(4.0, 140, "2026-05-25")]),
    case("diuretic, a panel of 181 days ago", DIURETIC, WORKUP, conditions=[CRAMP], medicationRequests=[rx("rx:313988")], observations=[panel(4.0, 140, "2026-05-24")]),
    case("diuretic, a panel is ordered", DIURETIC, conditions=[CRAMP], medicationRequests=[rx("rx:313988")], serviceRequests=[ordered("loinc:24323-8")]),
    case("diuretic, results not sent", DIURETIC, conditions=[CRAMP], medicationRequests=[rx("rx:313988")], observations=None),
    case("Hashimoto, TSH 365 days ago", "info assoc.systemic", conditions=[CRAMP, dx("sct:21983002")], observations=[lab("3016-3", 2.0, "mIU/L", days=365)]),
    case("Hashimoto, TSH 366 days ago", "info assoc.systemic", "info labs.targeted-workup > Order TSH", conditions=[CRAMP, dx("sct:21983002")], observations=[lab("3016-3", 2.0, "mIU/L", days=366)]),
    case("prediabetes, no HbA1c", "info labs.targeted-workup > Order HbA1c", conditions=[CRAMP, dx("icd:R73.03")]),
    case("diabetes needs no HbA1c for cramps", "info assoc.systemic", conditions=[CRAMP, dx("icd:E11.9")]),
    case("after thyroidectomy", "info assoc.systemic", "info labs.targeted-workup > Order TSH; Order calcium", conditions=[CRAMP, dx("icd:E89.0")]),
    case("malabsorption", "info labs.targeted-workup > Order calcium", conditions=[CRAMP, dx("icd:K90.0")]),
    case("kidney disease of stage 3", WORKUP, conditions=[CRAMP, dx("icd:N18.32")]),
]

COMPOSITION = [
    case(
        "all kinds: warnings stay, notes are merged",
        "warning redflag.neuro-deficit", "warning redflag.toxin-exposure", QUININE,
        f"warning rls.low-ferritin + rls.coexisting-cramp > {ORDER_IRON}", "warning claudication.low-abi",
        conditions=[CRAMP, RLS, dx("icd:M62.81", recorded=3), dx("icd:T56.0X1A", recorded=3), dx("icd:E11.42")],
        medicationRequests=[rx("rx:9071"), rx("rx:313988")],
        observations=[*RECENT_LABS, lab("2276-4", 20, "ng/mL"), lab("77194-9", 0.7, "1")],
    ),
    case(
        "two kinds of diuretic, one card", DIURETIC, conditions=[CRAMP],
        medicationRequests=[rx("rx:313988"), rx("rx:313096")], observations=RECENT_LABS,
    ),
    case(
        "tier A, then B, then the context", "info drug-review.named-agents + drug-review.ccb + drug-review.lipid-lowering + drug-review.context",
        conditions=[CRAMP], medicationRequests=[rx("rx:617312"), rx("rx:314076"), rx("rx:197361"), rx("rx:312768")],
    ),
    case(
        "drugs, conditions and first-line care in one", "info drug-review.ccb + assoc.neurologic + cramp.first-line-care",
        conditions=[dx("icd:G47.62", recorded=5), dx("sct:23056005")], medicationRequests=[rx("rx:197361")],
    ),
    case(
        "a warning of the laboratory stays a card of its own", "warning labs.low-electrolyte", DIURETIC,
        conditions=[CRAMP], medicationRequests=[rx("rx:313988")], observations=[*RECENT_LABS[1:], flagged("2823-3", 2.2, "mmol/L", "LL")],
    ),
    case(
        "RLS alone: only the card about RLS", f"warning rls.low-ferritin > {ORDER_IRON}",
        conditions=[RLS, dx("icd:M62.81", recorded=3), dx("icd:E11.42"), dx("icd:K74.60"), dx("icd:E86.0", recorded=2)],
        medicationRequests=[rx("rx:313988"), rx("rx:197361")], observations=[lab("2276-4", 20, "ng/mL"), flagged("2823-3", 2.2, "mmol/L", "LL")],
    ),
]

COMPOSITION += [
    case(
        "more notes than three: the last is named, not shown",
        FERRITIN_MISSING.replace(" >", " + rls.coexisting-cramp >"), ABI_MISSING, DIURETIC,
        conditions=[CRAMP, RLS, CLAUDICATION], medicationRequests=[rx("rx:313988")],
    ),
]

ALL = {
    "complaint": COMPLAINT,
    "drugs": DRUGS,
    "quinine": QUININE_CASES,
    "restless legs": RESTLESS_LEGS,
    "claudication": CLAUDICATION_CASES,
    "conditions": CONDITIONS,
    "laboratory": LABORATORY,
    "composition": COMPOSITION,
}


@pytest.mark.parametrize(
    "one", [pytest.param(c, id=f"{theme}: {c.name}") for theme, cs in ALL.items() for c in cs]
)
def test_review(caller: Caller, one: Case) -> None:
    """Exactly these cards, and no others."""
    chart = dict(one.chart)
    if chart.pop("drugs", False):
        chart = {"medicationRequests": [rx("rx:310798")], "observations": RECENT_LABS} | chart
    answer = caller.cards(request(**chart))
    assert told(answer) == one.cards
    check_cards(answer)
