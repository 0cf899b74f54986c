"""The shape of single values: ids, keys and free text."""

import pytest

from domgrpc.rpc import shapes
from domgrpc.rpc.refusals import InvalidField, Refused, TransportReason


@pytest.mark.parametrize("value", ["a" * 65, "a b", "caf\u00e9", "a/b", "a\n"])
def test_a_request_id_is_a_short_word_for_machines(value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        shapes.request_id(value)
    assert caught.value.path == "request_id"


def test_a_request_id_is_required() -> None:
    with pytest.raises(Refused) as caught:
        shapes.request_id("")
    assert caught.value.reason is TransportReason.REQUEST_ID_MISSING


@pytest.mark.parametrize(
    "value", ["a", "x" * 128, "\u00e9" * 64, "\u5317\u4eac 7", "two words", "#1/a", "\U0001f4e6"]
)
def test_an_id_is_any_visible_text_of_128_bytes(value: str) -> None:
    assert shapes.identifier(value, "sku") == value


def test_free_text_may_join_characters_but_not_control_anything() -> None:
    family = "\U0001f468\u200d\U0001f469"
    assert shapes.text(family, "reference", 128) == family
    with pytest.raises(InvalidField, match=r"U\+2028 at character 1"):
        shapes.text("a\u2028b", "reference", 128)


def test_a_long_value_is_shown_in_part_and_escaped() -> None:
    assert shapes.shown("a\nb") == r"'a\nb'"
    assert shapes.shown("x" * 1_000).endswith("... (1000 characters)")
