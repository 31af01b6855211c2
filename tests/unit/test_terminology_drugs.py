"""The shipped drug dictionary, drug names in text, and routes."""

from pathlib import Path

import pytest

from cds_service.terminology.codings import ATC, NDC, RXNORM
from cds_service.terminology.drugs import DrugDictionary
from cds_service.terminology.index import Terminology
from cds_service.terminology.names import NameFinder
from tests.support import vocabulary

HOOKS = Path(__file__).resolve().parents[2] / "hooks"


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    loaded, problems = Terminology.from_folder(HOOKS)
    assert problems == []
    return loaded


@pytest.fixture(scope="module")
def drugs(terminology: Terminology) -> DrugDictionary:
    return terminology.drugs


# Medicines that the public CDS Hooks sandbox offers: RxNorm code, text, the drug set it belongs to.
PICKS = [
    ("312762", "Quinine 130 MG Oral Tablet", "drug-quinine"),
    ("198186", "Quinine 325 MG Oral Capsule", "drug-quinine"),
    ("409938", "Quinine 500 MG Oral Capsule", "drug-quinine"),
    ("997157", "Quinine Sulfate 260 MG Oral Tablet", "drug-quinine"),
    ("997010", "Quinine Sulfate 324 MG Oral Capsule", "drug-quinine"),
    ("997012", "Quinine Sulfate 324 MG Oral Capsule [Qualaquin]", "drug-quinine"),
    ("243670", "Aspirin 81 MG Oral Tablet", "drug-aspirin"),
    ("617312", "atorvastatin 10 MG Oral Tablet", "drug-statins"),
    ("259255", "atorvastatin 80 MG Oral Tablet", "drug-statins"),
    ("312962", "Simvastatin 5 MG Oral Tablet", "drug-statins"),
    ("859424", "Rosuvastatin calcium 5 MG Oral Tablet", "drug-statins"),
    ("904458", "Pravastatin Sodium 10 MG Oral Tablet", "drug-statins"),
    ("312845", "ropinirole 0.25 MG Oral Tablet", "drug-dopamine-agonists"),
    ("859033", "Pramipexole dihydrochloride 0.125 MG Oral Tablet", "drug-dopamine-agonists"),
    ("197443", "Carbidopa 10 MG / Levodopa 100 MG Oral Tablet", "drug-levodopa"),
    ("310325", "ferrous sulfate 325 MG Oral Tablet", "drug-oral-iron"),
    ("197889", "Lithium Carbonate 300 MG Oral Capsule", "drug-lithium"),
    ("310429", "Furosemide 20 MG Oral Tablet", "drug-loop-diuretics"),
    ("313988", "Furosemide 40 MG Oral Tablet", "drug-loop-diuretics"),
    ("310798", "Hydrochlorothiazide 25 MG Oral Tablet", "drug-thiazide-diuretics"),
    ("197499", "Chlorthalidone 25 MG Oral Tablet", "drug-thiazide-diuretics"),
    ("313096", "Spironolactone 25 MG Oral Tablet", "drug-potassium-sparing-diuretics"),
    ("197316", "Albuterol 2 MG Oral Tablet", "drug-saba"),
    ("1490065", "Raloxifene Hydrochloride 60 MG Oral Tablet", "drug-raloxifene"),
    ("310197", "Estrogens, Conjugated (USP) 0.625 MG Oral Tablet", "drug-conjugated-estrogens"),
    ("198014", "Naproxen 500 MG Oral Tablet", "drug-naproxen"),
    ("198032", "Nifedipine 10 MG Oral Capsule", "drug-calcium-channel-blockers"),
    ("197361", "Amlodipine 5 MG Oral Tablet", "drug-calcium-channel-blockers"),
    ("314076", "Lisinopril 10 MG Oral Tablet", "drug-ace-inhibitors"),
    ("833217", "Diltiazem Hydrochloride 30 MG Oral Tablet", "drug-calcium-channel-blockers"),
    ("897683", "Verapamil hydrochloride 80 MG Oral Tablet", "drug-calcium-channel-blockers"),
    ("198741", "Magnesium Oxide 400 MG Oral Tablet", "drug-magnesium-supplements"),
    ("197391", "Baclofen 10 MG Oral Tablet", "drug-skeletal-muscle-relaxants"),
    ("197446", "Carisoprodol 350 MG Oral Tablet", "drug-skeletal-muscle-relaxants"),
    ("994521", "12 HR Orphenadrine Citrate 100 MG", "drug-skeletal-muscle-relaxants"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "expected"), PICKS)
def test_sandbox_medicines_are_found_by_code_and_by_text(
    terminology: Terminology, code: str, text: str, expected: str
) -> None:
    assert expected in terminology.sets_of(RXNORM, code)
    product = terminology.drugs.product(RXNORM, code)
    assert product is not None and product.route_class == "systemic"
    by_name = {
        name
        for ingredient in terminology.drugs.ingredients_in_text(text)
        for name in terminology.sets_of_ingredient(ingredient)
    }
    assert expected in by_name


@pytest.mark.parametrize(
    "text",
    [
        "clopidogrel 75 MG Oral Tablet",
        "ticagrelor 90 MG Oral Tablet",
        "Nystatin 500000 UNT Oral Tablet",
        "quinidine sulfate 200 MG Oral Tablet",
        "Hydroxychloroquine Sulfate 200 MG Oral Tablet",
        "estrogens, esterified (USP) 0.625 MG Oral Tablet",
        "Estradiol 0.05 MG/DAY patch",
        "Acetazolamide 250 MG Oral Tablet",
        "Metformin 500 MG Oral Tablet",
        "Insulin syringe 1 mL 30G",
        "BD insulin pen needle 32G x 4 mm",
        "tiotropium 18 mcg",
        "acetaminophen 325 MG Oral Tablet",
        "cholestyramine 4 g powder",
        "omega-3 acid ethyl esters 1 g",
        "levonorgestrel 52 MG intrauterine system",
        "aspirin-free pain reliever",
    ],
)
def test_look_alikes_are_in_no_set_that_a_rule_reads(terminology: Terminology, text: str) -> None:
    for ingredient in terminology.drugs.ingredients_in_text(text):
        assert terminology.sets_of_ingredient(ingredient) == ()


@pytest.mark.parametrize(
    ("text", "ingredients"),
    [
        ("QUALAQUIN 324 mg capsule", {"quinine"}),
        ("Zestoretic 20-12.5", {"hydrochlorothiazide", "lisinopril"}),
        ("Hydrochlorothiazide 25 MG / valsartan 160 MG", {"hydrochlorothiazide", "valsartan"}),
        ("hydrochlorothiazide-lisinopril 12.5-20 mg", {"hydrochlorothiazide", "lisinopril"}),
        ("salbutamol 100 micrograms inhaler", {"albuterol"}),
        ("iron sucrose 20 MG/ML Injection", {"iron sucrose"}),
        ("Venofer 100 mg/5 mL", {"iron sucrose"}),
        ("esomeprazole magnesium 20 mg", {"esomeprazole"}),
        ("losartan potassium 50 mg", {"losartan"}),
        ("magnesium 250 mg tablet", {"magnesium"}),
        ("INSULIN GLARGINE,HUM.REC.ANLOG", {"insulin"}),
        ("norelgestromin / ethinyl estradiol patch", {"norelgestromin"}),
        ("ethinyl estradiol 0.02 MG / ferrous fumarate 75 MG", {"ethinyl estradiol"}),
        ("folic acid 1 MG / niacin 20 MG", {"folic acid"}),
        ("co-amilofruse 5/40", {"amiloride", "furosemide"}),
        ("Limptar N 200 mg Filmtabletten", {"quinine"}),
        ("chlorhydrate de quinine 245 mg", {"quinine"}),
        ("Furosémide 40 mg comprimé", {"furosemide"}),
        ("Torasemid 10 mg Tabletten", {"torsemide"}),
        ("Hidroclorotiazida 25 mg", {"hydrochlorothiazide"}),
        ("Lithiumcarbonat 450 mg", {"lithium"}),
        ("Seretide 250 Evohaler", {"salmeterol"}),
        ("Nexlizet 180/10", {"bempedoic acid", "ezetimibe"}),
        ("Repatha SureClick", {"evolocumab"}),
        ("Leqvio 284 mg", {"inclisiran"}),
        ("Twirla patch", set()),
        ("NuvaRing", set()),
        ("no known medicines", set()),
        ("", set()),
    ],
)  # fmt: skip
def test_ingredients_in_text(drugs: DrugDictionary, text: str, ingredients: set[str]) -> None:
    assert set(drugs.ingredients_in_text(text)) == ingredients


def test_b_vitamins_together_are_a_b_complex_and_their_niacin_is_no_lipid_drug(
    drugs: DrugDictionary,
) -> None:
    found = drugs.ingredients_in_text(
        "Thiamine 1 MG / Riboflavin 2 MG / Pyridoxine 2 MG / Niacin 20 MG"
    )
    assert "vitamin b complex" in found
    assert "niacin" not in found


@pytest.mark.parametrize(
    ("code", "ingredients", "route"),
    [
        ("817778", ("aspirin", "caffeine", "quinine"), ""),
        ("1424887", ("fluticasone", "vilanterol"), "inhaled"),
        ("4099", ("conjugated estrogens",), ""),
        ("24909", ("iron sucrose",), ""),
        ("9071", ("quinine",), ""),
    ],
)
def test_products_have_all_their_ingredients(
    drugs: DrugDictionary, code: str, ingredients: tuple[str, ...], route: str
) -> None:
    product = drugs.product(RXNORM, code)
    assert product is not None
    assert (product.ingredients, product.route) == (ingredients, route)


def test_substances_are_told_from_products(drugs: DrugDictionary) -> None:
    substance, tablet = drugs.product(RXNORM, "9071"), drugs.product(RXNORM, "198186")
    assert substance is not None and substance.is_ingredient
    assert substance.route_class == "unknown"
    assert tablet is not None and not tablet.is_ingredient


def test_only_rxnorm_codes_are_products(drugs: DrugDictionary) -> None:
    assert drugs.product(ATC, "312762") is None
    assert drugs.product(NDC, "312762") is None
    assert drugs.product(RXNORM, "0") is None


@pytest.mark.parametrize("code", ["541775", "541778", "1008476", "833036", "1741261"])
def test_codes_known_to_be_wrong_are_not_in_the_dictionary(
    drugs: DrugDictionary, code: str
) -> None:
    assert drugs.product(RXNORM, code) is None


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        (["Topical route"], "local"),
        (["6064005"], "local"),
        (["26643006"], "systemic"),
        (["Diclofenac Sodium 1% gel"], "local"),
        (["estrogens, conjugated vaginal cream"], "local"),
        (["timolol 0.5% ophthalmic solution"], "local"),
        (["instill in both eyes"], "local"),
        (["fluticasone 50 mcg nasal spray"], "local"),
        (["rotigotine 2 mg/24 hr transdermal patch"], "systemic"),
        (["apply 1 patch daily"], "systemic"),
        (["diclofenac epolamine 1.3 % patch"], "local"),
        (["45890007", "diclofenac patch"], "local"),
        (["Transdermal", "lidocaine 5 %"], "local"),
        (["Ibuprofen 200 mg liquid gels"], "systemic"),
        (["take 1 tablet by mouth"], "systemic"),
        (["PO"], "systemic"),
        (["inhale 2 puffs"], "systemic"),
        (["Indomethacin 50 MG Rectal Suppository"], "systemic"),
        (["hydrocortisone enema"], "local"),
        (["diltiazem PR 120"], "unknown"),
        (["by mouth", "gel"], "systemic"),
        (["", "gel"], "local"),
        (["oral or topical"], "unknown"),
        ([""], "unknown"),
        ([], "unknown"),
    ],
)
def test_routes(hints: list[str], expected: str) -> None:
    assert vocabulary.shipped().routes.route_of(*hints) == expected


def test_the_longest_name_wins_whatever_the_order() -> None:
    phrases = {"iron": ["iron"], "iron sucrose": ["iron sucrose"], "iron maiden": []}
    finder = NameFinder(phrases, leading=["iron"])
    assert finder.find("iron sucrose") == ("iron sucrose",)
    assert finder.find("Iron Maiden ticket") == ()
    assert finder.find("24 HR Iron 65 MG") == ("iron",)
    assert finder.find("multivitamin / iron 18 MG") == ("iron",)
    assert finder.find("carbonyl iron") == ()
    assert finder.find("irons environ") == ()
