"""The rules about size see what is planted and nothing else."""

import pytest

from tests.tidy.planted import lines, plant
from tests.tidy.sizes import (
    check_body_length,
    check_line_length,
    check_module_length,
    check_nesting,
    check_parameters,
)


def test_a_body_of_forty_one_lines_of_code_is_found() -> None:
    body = "    x = 1\n" * 41
    assert lines(check_body_length(plant(f"def f():\n{body}"))) == [1]


def test_docstring_comments_and_blank_lines_do_not_count() -> None:
    docstring = '    """' + "Words.\n    " * 30 + '"""\n'
    body = "    x = 1\n\n    # Why.\n" * 40
    assert check_body_length(plant(f"def f():\n{docstring}{body}")) == []


def test_the_lines_of_a_long_text_count() -> None:
    text = "line\n" * 40
    assert lines(check_body_length(plant(f'def f():\n    x = """{text}"""\n'))) == [1]


def test_a_module_of_four_hundred_and_one_lines_is_found() -> None:
    assert check_module_length(plant("x = 1\n" * 400)) == []
    assert lines(check_module_length(plant("x = 1\n" * 401))) == [1]


def test_a_line_of_a_hundred_and_one_characters_is_found() -> None:
    assert lines(check_line_length("x.proto", "a" * 100 + "\n" + "b" * 101)) == [2]


def test_a_block_in_four_blocks_is_found() -> None:
    source = plant(
        """
        def f():
            for a in b:
                while a:
                    try:
                        pass
                    finally:
                        if a:
                            return
        """
    )
    assert lines(check_nesting(source)) == [7]


def test_an_elif_is_as_deep_as_its_if_and_an_else_with_an_if_is_deeper() -> None:
    flat = """
        def f(a):
            if a == 1:
                return
            elif a == 2:
                return
            elif a == 3:
                return
            elif a == 4:
                return
            elif a == 5:
                return
        """
    deep = """
        def f(a):
            if a == 1:
                return
            else:
                if a == 2:
                    return
                else:
                    if a == 3:
                        return
                    else:
                        if a == 4:
                            return
        """
    assert check_nesting(plant(flat)) == []
    assert lines(check_nesting(plant(deep))) == [11]


def test_a_match_and_its_cases_are_one_block() -> None:
    source = plant(
        """
        def f(a):
            match a:
                case 1:
                    if a:
                        for b in a:
                            return
        """
    )
    assert check_nesting(source) == []


def test_five_positional_parameters_are_found() -> None:
    assert lines(check_parameters(plant("def f(a, b, c, d, e): ..."))) == [1]


@pytest.mark.parametrize(
    "text",
    [
        "def f(a, b, c, d, *, e, f): ...",
        "class A:\n    def f(self, a, b, c, d): ...",
        "def test_that(a, b, c, d, e): ...",
        "@pytest.fixture\ndef server(a, b, c, d, e): ...",
        "@rule(a=st.integers())\ndef reserve(a, b, c, d, e): ...",
    ],
)
def test_keyword_only_self_and_what_a_test_library_calls_are_left_alone(text: str) -> None:
    assert check_parameters(plant(text)) == []
