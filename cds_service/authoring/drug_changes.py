"""What two drug dictionaries know, side by side: products, names, codes and mixtures."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from cds_service.authoring.first_few import Some, counted
from cds_service.terminology.drugs import DrugDictionary

Known = Mapping[str, str]  # what the dictionary calls it: what it stands for


def drug_changes(old: DrugDictionary, new: DrugDictionary, some: Some) -> Iterator[str]:
    """A line for what came, one for what went, and one for what stands for something else."""
    for word, known in _KINDS.items():
        for change in _changes(word, known(old), known(new), some):
            yield f"drug dictionary: {change}"


def _changes(word: str, before: Known, after: Known, some: Some) -> Iterator[str]:
    for sign, more, fewer in (("+", after, before), ("-", before, after)):
        keys = sorted(more.keys() - fewer.keys())
        if keys:
            told = (f"{key}: {more[key]}" if more[key] else key for key in keys)
            yield f"{sign}{counted(len(keys), word)} ({some(told)})"
    other = [key for key in sorted(before.keys() & after.keys()) if before[key] != after[key]]
    if other:
        told = (f"{key}: {before[key]} -> {after[key]}" for key in other)
        yield f"changed {counted(len(other), word)} ({some(told)})"


def _products(drugs: DrugDictionary) -> Known:
    return {
        f"RxNorm {product.code}": f"{product.name}, {_joined(product.ingredients)}, "
        f"{product.form or 'no form'}, {product.route or 'no route'}"
        for product in drugs.products()
    }


def _names(drugs: DrugDictionary) -> Known:
    """Generic names and brands as texts are searched for them; of no drug: "insulin syringe"."""
    leading = drugs.finder.leading
    return {
        f"'{' '.join(words)}'": f"{_joined(meaning)}{' (first word)' * (words in leading)}"
        for words, meaning in drugs.finder.entries()
    }


def _atc(drugs: DrugDictionary) -> Known:
    return {f"ATC {code}": _joined(drugs.ingredients_of_atc(code)) for code in drugs.atc_codes()}


def _packages(drugs: DrugDictionary) -> Known:
    return {f"NDC {ndc}": f"RxNorm {code}" for code, ndc in drugs.packages()}


def _others(drugs: DrugDictionary) -> Known:
    return {f"'{name}'": "" for name in drugs.others}


def _mixtures(drugs: DrugDictionary) -> Known:
    return {
        _joined(sorted(mixture.has)): f"counts {_joined(mixture.adds)} more, "
        f"{_joined(sorted(mixture.drops))} less"
        for mixture in drugs.combinations
    }


_KINDS: Mapping[str, Callable[[DrugDictionary], Known]] = {
    "product": _products,
    "name": _names,
    "ATC code": _atc,
    "package": _packages,
    "name of other drugs": _others,
    "mixture": _mixtures,
}


def _joined(names: Iterable[str]) -> str:
    return " and ".join(names) or "no drug"
