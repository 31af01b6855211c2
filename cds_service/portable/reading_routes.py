"""By which route a drug is given: by its dosages, its product, or words."""

from cds_service.portable.elm import (
    FALSE,
    NULL,
    TRUE,
    Node,
    alias,
    all_of,
    any_in,
    call,
    cases,
    exists,
    function,
    op,
    operand,
    query,
    text,
    texts,
    when,
)
from cds_service.portable.reading_codes import either, listed_code, or_empty, replaced
from cds_service.portable.sets import Sets
from cds_service.rules.model import Pack
from cds_service.terminology.codings import RXNORM
from cds_service.terminology.routes import SWALLOWED, swallowed_pattern
from cds_service.terminology.word_lists import WordList

LOCAL, SYSTEMIC, INJECTED = "products-local", "products-systemic", "products-injected"
OTHER_ROUTE = "products-not-injected"


def statements(pack: Pack, sets: Sets) -> list[Node]:
    """The functions on routes, and the value sets of products that they ask."""
    _declare(pack, sets)
    return [
        function("Said Route", ["routes"], _said_route()),
        function("Route by Words", ["said"], _by_words(pack)),
        function("Route by Codes", ["codes"], _by_codes(pack)),
        function("Product Route", ["codes"], _product_route()),
        function("Injected", ["routes", "codes", "said"], _injected(pack)),
    ]


def _declare(pack: Pack, sets: Sets) -> None:
    products = list(pack.terminology.drugs.products())
    for set_id, told, kept in (
        (LOCAL, "products that act where they are put", lambda p: p.route_class == "local"),
        (SYSTEMIC, "products that act on the whole body", lambda p: p.route_class == "systemic"),
        (INJECTED, "injected products", lambda p: p.route == "injected"),
        (OTHER_ROUTE, "products of another known route", lambda p: p.route not in ("", "injected")),
    ):
        codes = {(RXNORM, product.code): product.name for product in products if kept(product)}
        sets.named(set_id, told.capitalize(), codes, told)


def _said_route() -> Node:
    """Displays, codes and texts of the routes of all dosages, as one text."""
    words = query(operand("routes"), "R", give=call("Said", alias("R")))
    joined: Node = {"type": "Combine", "source": or_empty(words), "separator": text(" ")}
    return either(joined, text(""))


def _list(pack: Pack, name: str) -> WordList:
    """One of the pack's lists on routes."""
    return pack.terminology.vocabulary.lists["routes"].get(name, WordList())


def _by_codes(pack: Pack) -> Node:
    """The route class that a route's code tells; a patch is taken for systemic."""
    codes = {
        "systemic": (*_list(pack, "systemic-codes").codes, *_list(pack, "patch-codes").codes),
        "local": _list(pack, "local-codes").codes,
    }
    listed = [
        (
            exists(query(operand("codes"), "C", listed_code("C", own))),
            text(kind),
        )
        for kind, own in codes.items()
    ]
    return cases(listed, NULL)


def _by_words(pack: Pack) -> Node:
    """The route class that words tell: a word for the route before one for the form."""
    swallowed = swallowed_pattern(_list(pack, "swallowed-gels").words)
    bare = replaced(op("Lower", operand("said")), swallowed, SWALLOWED)
    bare = replaced(bare, "[^a-z0-9\u00df-\u024f-]+", " ")
    spaced = op("Concatenate", text(" "), bare, text(" "))

    def has(kind: str) -> Node:
        return call("Names One", spaced, texts(_list(pack, kind).words))

    systemic, local = has("systemic-routes"), has("local-routes")
    form = call("Names One", spaced, texts([*_list(pack, "systemic-forms").words, SWALLOWED]))
    return cases(
        [
            (all_of([systemic, local]), NULL),
            (systemic, text("systemic")),
            (local, text("local")),
            (has("rectal"), when(form, text("systemic"), text("local"))),
            (has("patches"), when(has("local-patch-drugs"), text("local"), text("systemic"))),
            (has("local-forms"), text("local")),
            (form, text("systemic")),
        ],
        NULL,
    )


def _product_route() -> Node:
    local, systemic = (any_in(operand("codes"), set_id) for set_id in (LOCAL, SYSTEMIC))
    return cases(
        [(systemic, text("systemic")), (local, text("local"))],
        NULL,
    )


def _injected(pack: Pack) -> Node:
    """The order's route counts before the product, and that before the words."""
    words, injected = _list(pack, "injected").words, _list(pack, "injected-codes").codes
    codes = call("All Codings", operand("routes"))
    said_route = call("Spaced", call("Said Route", operand("routes")))
    by_route = op(
        "Or",
        exists(query(codes, "C", listed_code("C", injected, "code."))),
        call("Names One", said_route, texts(words)),
    )
    by_words = call("Names One", call("Spaced", operand("said")), texts(words))
    return cases(
        [
            (exists(operand("routes")), by_route),
            (any_in(operand("codes"), OTHER_ROUTE), FALSE),
            (any_in(operand("codes"), INJECTED), TRUE),
        ],
        by_words,
    )
