"""What cards say beside their findings: basis, gaps, names; and what several drafts earn."""

from typing import Any

import pytest

from tests.support.calls import (
    SUBJECT,
    Caller,
    Json,
    condition,
    day,
    medication_request,
    order_select,
    patient_view,
)

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
CRAMP = condition(ICD, "G47.62", recordedDate=day(30))
RLS = condition(ICD, "G25.81")
DIURETIC = medication_request("", "hydrochlorothiazide 25 mg")
NEXT = {"link": [{"relation": "next", "url": "https://ehr.example.org/next"}]}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "forbidden"}],
}


def drug(text: str, id: str = "a", **more: Any) -> Json:
    made = medication_request("", text, status="draft", **more)
    return {**made, "id": id} if id else {k: v for k, v in made.items() if k != "id"}


def lab(text: str = "", id: str = "t", code: str = "", reason: str = "R25.2") -> Json:
    coding = [{"system": LOINC, "code": code}] if code else []
    return {
        "resourceType": "ServiceRequest",
        "id": id,
        "status": "draft",
        "intent": "order",
        "subject": SUBJECT,
        "code": {**({"text": text} if text else {}), **({"coding": coding} if coding else {})},
        "reasonCode": [{"coding": [{"system": ICD, "code": reason}]}],
    }


def problem(code: str, text: str = "", display: str = "") -> Json:
    made = condition(ICD, code, recordedDate=day(3))
    if text:
        made["code"]["text"] = text
    if display:
        made["code"]["coding"][0]["display"] = display
    return made


def selected(*drafts: Json, **lists: Any) -> Json:
    names = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts if "id" in draft]
    return order_select(drafts, names, **{"conditions": [CRAMP], **lists})


def trace(card: Json) -> Json:
    found: Json = card["extension"]["com.legcramps.cds"]
    return found


def deletes(card: Json) -> list[str]:
    actions = [action for offer in card.get("suggestions", []) for action in offer["actions"]]
    return [action["resourceId"] for action in actions if action["type"] == "delete"]


class TestOrdersInWords:
    def test_the_card_says_that_words_decided(self, caller: Caller) -> None:
        [card] = caller.cards(selected(lab("Polysomnography, attended", reason="G47.62")))["cards"]
        assert card["summary"].startswith("Polysomnography is not needed")
        assert "Polysomnography, attended: draft, matched by name" in card["detail"]
        assert deletes(card) == ["ServiceRequest/t"]

    @pytest.mark.parametrize("text", ["Home sleep apnea test", "Venous duplex", "Diet, low sodium"])
    def test_other_words_earn_no_card(self, caller: Caller, text: str) -> None:
        assert caller.cards(selected(lab(text)))["cards"] == []

    def test_a_ferritin_ordered_in_words_is_not_asked_for_again(self, caller: Caller) -> None:
        order = {**lab("FERRITIN, SERUM"), "status": "active", "authoredOn": day(3)}
        [asked] = caller.cards(patient_view(conditions=[RLS]))["cards"]
        assert trace(asked)["rules"][0]["id"] == "rls.ferritin-missing"
        assert caller.cards(patient_view(conditions=[RLS], serviceRequests=[order]))["cards"] == []


class TestGaps:
    def gaps(self, caller: Caller, request: Json) -> list[list[str]]:
        """What each card's extension tells of data that were not to be had, the last card first.

        The card itself names the kinds of data in its last line.
        """
        cards = list(reversed(caller.cards(request)["cards"]))
        for card in cards:
            last = card["detail"].split("\n\n")[-1]
            short = [part for part in ("(not supplied)", "(could not be read)", "(incomplete)")
                     if part in last]  # fmt: skip
            assert bool(short) == ("gaps" in trace(card))
            assert not short or last.startswith("Not checked: ")
        return [[gaps] if (gaps := trace(card).get("gaps")) else [] for card in cards]

    def test_a_complete_chart_has_none(self, caller: Caller) -> None:
        request = patient_view(conditions=[CRAMP], medicationRequests=[DIURETIC])
        assert not any(self.gaps(caller, request))

    def test_medication_statements_alone_are_not_missed(self, caller: Caller) -> None:
        request = patient_view(
            conditions=[CRAMP], medicationRequests=[DIURETIC], medicationStatements=None
        )
        assert not any(self.gaps(caller, request))

    def test_what_was_not_supplied_and_not_judged(self, caller: Caller) -> None:
        request = patient_view(conditions=[CRAMP], medicationRequests=[DIURETIC], observations=None)
        [gap], *_ = self.gaps(caller, request)
        assert gap.startswith("Laboratory results were not supplied; rules on ")
        assert gap.endswith(" more were not run.")

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            (OUTCOME, "Laboratory results could not be read; rules on "),
            (
                {"resourceType": "Bundle", "entry": [], **NEXT},
                "Laboratory results are incomplete; ",
            ),
        ],
    )
    def test_failed_and_incomplete(self, caller: Caller, sent: Json, said: str) -> None:
        request = patient_view(conditions=[CRAMP], medicationRequests=[DIURETIC])
        request["prefetch"]["observations"] = sent
        [gap], *_ = self.gaps(caller, request)
        assert gap.startswith(said)

    def test_what_could_not_be_judged_reads_as_one_sentence(self, caller: Caller) -> None:
        request = selected(drug("quinine sulfate 324 mg"))
        request["prefetch"] = {}
        [card] = caller.cards(request)["cards"]
        told = "whether malaria or babesiosis explains quinine; whether the patient is recorded as"
        assert f"\n\nNot checked: {told} deceased; " in card["detail"]
        assert card["detail"].endswith("(not supplied). Not signed off by a clinician.")

    def test_once_on_the_last_card(self, caller: Caller) -> None:
        request = patient_view(
            conditions=[CRAMP, problem("M21.371")],
            medicationRequests=[DIURETIC],
            observations=None,
            procedures=None,
        )
        [gap], *others = self.gaps(caller, request)
        assert others and not any(others)
        assert gap.startswith("Laboratory results and procedures were not supplied; ")

    def test_both_kinds_of_medication_are_one(self, caller: Caller) -> None:
        request = patient_view(
            conditions=[CRAMP, problem("M21.371")],
            medicationRequests=None,
            medicationStatements=None,
        )
        assert self.gaps(caller, request)[0][0].startswith("Medications were not supplied")

    def test_nothing_fires_and_nothing_is_said(self, caller: Caller) -> None:
        assert caller.cards(patient_view(observations=None))["cards"] == []

    def test_the_conditional_card_has_said_it_of_conditions(self, caller: Caller) -> None:
        request = patient_view(medicationRequests=[DIURETIC])
        request["prefetch"]["conditions"] |= NEXT
        assert not any(self.gaps(caller, request))

    def test_order_hooks_need_no_prefetch_and_say_so(self, caller: Caller) -> None:
        request = selected(drug("quinine sulfate 324 mg"))
        request["prefetch"] = {}
        [gap], *_ = self.gaps(caller, request)
        assert "conditions, medications, laboratory results" in gap


class TestBasis:
    def test_what_decided_the_variant_and_a_sentence_is_cited(self, caller: Caller) -> None:
        request = selected(drug("quinine sulfate 324 mg"), conditions=[CRAMP, RLS])
        [card] = caller.cards(request)["cards"]
        assert card["indicator"] == "critical"
        because = card["detail"].split("Because:")[1].split("\n\n")[1]
        assert "- Sleep related leg cramps: problem list, 2026-10-22" in because
        assert "- Restless legs syndrome: problem list, undated" in because  # a sentence says so
        assert trace(card)["evidence"] == ["MedicationRequest/a"]
        assert trace(card)["basis"] == [
            "MedicationRequest/a",
            "Condition/c-g47-62",
            "Condition/c-g25-81",
        ]

    def test_a_reason_of_the_order_has_no_date(self, caller: Caller) -> None:
        reason = [{"coding": [{"system": ICD, "code": "G47.62"}]}]
        request = selected(drug("quinine sulfate 324 mg", reasonCode=reason), conditions=[])
        [card] = caller.cards(request)["cards"]
        assert (
            "Leg cramps are on record. " in card["detail"]
            or "Leg cramps are on record.\n" in card["detail"]
        )
        assert "- Sleep related leg cramps: order reason\n" in card["detail"]
        assert day(0) not in card["detail"]

    @pytest.mark.parametrize(("period", "told"), [({}, ""), ({"start": day(1)}, f", {day(1)}")])
    def test_a_reason_of_the_encounter_has_the_day_it_began(
        self, caller: Caller, period: Json, told: str
    ) -> None:
        request = selected(drug("quinine sulfate 324 mg"), conditions=[])
        request["prefetch"]["encounter"] = {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "in-progress",
            "class": {"code": "AMB"},
            "subject": SUBJECT,
            "period": period,
            "reasonCode": [{"coding": [{"system": ICD, "code": "R25.2"}]}],
        }
        [card] = caller.cards(request)["cards"]
        assert f"- Cramp and spasm: encounter{told}\n" in card["detail"]
        dated = f" ({day(1)})" if told else ""
        assert f"Leg cramps are on record{dated}." in card["detail"]

    def test_what_is_not_said_is_not_cited(self, caller: Caller) -> None:
        [card] = caller.cards(selected(drug("quinine sulfate 324 mg"), conditions=[]))["cards"]
        assert trace(card)["basis"] == ["MedicationRequest/a"]


class TestNames:
    @pytest.mark.parametrize(
        ("recorded", "said"),
        [
            (problem("G62.9"), "record: polyneurop"),
            (problem("R60.0"), "(edema)"),
            (problem("R60.0", display="Localized edema"), "(localized edema)"),
            (problem("R60.9", display="Edema, unspecified"), "(edema)"),
            (problem("R60.0", text="Edema " + "of both legs " * 9), "(edema)"),
            (problem("G20.A1"), "record: Parkinson's disease"),
            (problem("G62.89", display="Other specified polyneuropathies"), "record: polyneurop"),
        ],
    )
    def test_inside_a_sentence(self, caller: Caller, recorded: Json, said: str) -> None:
        cards = caller.cards(patient_view(conditions=[CRAMP, recorded]))["cards"]
        assert any(said in card["summary"] for card in cards)

    def test_words_of_the_chart_are_escaped(self, caller: Caller) -> None:
        recorded = problem("R60.0", text="Leg *swelling* <b>x</b> [x](http://e.example)")
        cards = caller.cards(patient_view(conditions=[CRAMP, recorded]))["cards"]
        said = "\n".join(card["detail"] for card in cards)
        assert "- Leg \\*swelling\\* &lt;b&gt;" in said
        assert not any(raw in said for raw in ("Leg *swelling*", "<b>", "[x](http"))

    @pytest.mark.parametrize(
        ("ordered", "said"),
        [
            (lab(code="51990-0"), "Routine basic metabolic panel is not"),
            (lab(code="24321-2"), "Routine basic metabolic panel is not"),
            (lab(code="4548-4"), "Routine hemoglobin A1c is not"),
            (lab("BMP"), "Routine BMP is not"),
            (lab("TSH"), "Routine TSH is not"),
            (lab("Magnesium level"), "Routine magnesium level is not"),
        ],
    )
    def test_of_tests(self, caller: Caller, ordered: Json, said: str) -> None:
        [card] = caller.cards(selected(ordered))["cards"]
        assert card["summary"].startswith(said)


class TestSeveralDrafts:
    def test_two_of_one_drug_share_a_card(self, caller: Caller) -> None:
        drafts = [drug("hydrochlorothiazide 25 mg", name) for name in "ab"]
        [card] = caller.cards(selected(*drafts))["cards"]
        assert trace(card)["drafts"] == ["MedicationRequest/a", "MedicationRequest/b"]
        assert [rule["id"] for rule in trace(card)["rules"]] == ["order.cramp-provoking-drug"]

    def test_a_selection_named_twice_is_one(self, caller: Caller) -> None:
        names = ["MedicationRequest/a"] * 2
        request = order_select([drug("quinine 324 mg")], names, conditions=[CRAMP])
        [card] = caller.cards(request)["cards"]
        assert deletes(card) == ["MedicationRequest/a"]

    def test_two_quinine_drafts_can_each_be_removed(self, caller: Caller) -> None:
        drafts = [drug("quinine sulfate 324 mg", name) for name in "ab"]
        [card] = caller.cards(selected(*drafts))["cards"]
        assert deletes(card) == ["MedicationRequest/a", "MedicationRequest/b"]
        labels = [offer["label"] for offer in card["suggestions"]]
        assert len(set(labels)) == 2 and all(len(label) <= 80 for label in labels)
        assert [a["description"] for s in card["suggestions"] for a in s["actions"]] == labels

    def test_two_that_earn_different_cards(self, caller: Caller) -> None:
        reason = [{"coding": [{"system": ICD, "code": "R25.2"}]}]
        drafts = [drug("quinine 324 mg"), drug("quinine 324 mg", "b", reasonCode=reason)]
        cards = caller.cards(selected(*drafts, conditions=[]))["cards"]
        assert [card["indicator"] for card in cards] == ["critical", "warning"]
        assert [deletes(card) for card in cards] == [
            ["MedicationRequest/b"],
            ["MedicationRequest/a"],
        ]

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_draft_without_id_cannot_be_removed(self, caller: Caller, count: int) -> None:
        request = selected(*[drug("quinine 324 mg", "") for _ in range(count)])
        assert caller.cards(request)["cards"] == []  # nothing can select it
        request["hook"] = "order-sign"
        del request["context"]["selections"]
        [card] = caller.cards(request)["cards"]
        assert "suggestions" not in card and "selectionBehavior" not in card

    @pytest.mark.parametrize("names", [[], ["MedicationRequest/other"], ["ServiceRequest/a"]])
    def test_a_selection_that_names_no_draft_does_nothing(
        self, caller: Caller, names: list[str]
    ) -> None:
        draft = drug("quinine 324 mg")
        assert caller.cards(order_select([draft], names, conditions=[CRAMP]))["cards"] == []
        known = [*names, "MedicationRequest/a"]
        [card] = caller.cards(order_select([draft], known, conditions=[CRAMP]))["cards"]
        assert deletes(card) == ["MedicationRequest/a"]

    def test_warnings_are_never_cut(self, caller: Caller) -> None:
        mixture = "quinine / hydrochlorothiazide / ropinirole / carisoprodol 350 mg"
        reason = [{"coding": [{"system": ICD, "code": "R25.2"}]}]
        request = selected(drug(mixture, reasonCode=reason))
        request["prefetch"]["patient"]["birthDate"] = "1950-01-01"
        cards = caller.cards(request)["cards"]
        assert [card["indicator"] for card in cards] == ["critical", "warning", "warning"]
        assert cards[-1]["summary"].startswith("2 warnings: ")
        assert "- Carisoprodol: " in cards[-1]["detail"]
        assert "- Hydrochlorothiazide: " in cards[-1]["detail"]

    def test_the_cap_is_for_all_selections_together(self, caller: Caller) -> None:
        drafts = [drug("atorvastatin 10 mg"), drug("magnesium oxide 400 mg", "b"), lab("BMP")]
        assert len(caller.cards(selected(*drafts))["cards"]) <= 3

    @pytest.mark.parametrize("incomplete", [True, False])
    def test_order_hooks_never_ask_if_cramps_are_the_concern(
        self, caller: Caller, incomplete: bool
    ) -> None:
        drafts = [drug("hydrochlorothiazide 25 mg"), drug("magnesium oxide 400 mg", "b")]
        request = selected(*drafts, lab("PSG", reason="Z00.00"), conditions=[])
        if incomplete:
            request["prefetch"]["conditions"] |= NEXT
        else:
            del request["prefetch"]["conditions"]
        assert caller.cards(request)["cards"] == []
