"""`lamplight test` runs this; it stays on your machine."""


def test_it_greets_by_name(function):
    assert function.call({"name": "Ada"}) == {"greeting": "Hello, Ada!"}


def test_a_call_without_a_name_is_answered_too(function):
    assert function.call() == {"greeting": "Hello, world!"}


def test_the_greeting_is_a_setting(function):
    function.configure(greeting="Moin")
    assert function.call({"name": "Ada"}) == {"greeting": "Moin, Ada!"}
