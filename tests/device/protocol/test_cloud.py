"""`runtime`, `[cloud]` and `[environment]` of a function.toml: what they may say, and the words for the rest."""

import tomllib

import pytest

from device.protocol import manifest
from device.protocol.errors import ProtocolError

AWS = 'name = "a"\nhandler = "src/app.lambda_handler"\nruntime = "aws-lambda"\n'
SCF = 'name = "a"\nhandler = "index.main_handler"\nruntime = "tencent-scf"\n'
PLAIN = 'name = "a"\nhandler = "main:h"\n'


def function(text):
    return manifest.function(tomllib.loads(text))


def test_a_handler_is_named_as_in_its_cloud():
    made = function(AWS)
    assert (made.runtime, made.module, made.attribute) == ("aws-lambda", "src.app", "lambda_handler")
    assert (made.cloud.payload, made.cloud.messages, made.cloud.routes) == ("2.0", "sqs", ())
    made = function(SCF)
    assert (made.module, made.attribute, made.cloud.messages) == ("index", "main_handler", "cmq")
    assert function(AWS.replace("src/app", "my-app")).module == "my-app"


def test_the_forms_of_events_and_the_variables_are_read():
    made = function(
        AWS + '[cloud]\npayload = "1.0"\nmessages = "sns"\n'
        'routes = ["GET /items/{id}", "ANY /files/{rest+}", "POST /"]\n[environment]\nTABLE = "items"\n_x = ""\n'
    )
    assert (made.cloud.payload, made.cloud.messages) == ("1.0", "sns")
    assert made.cloud.routes == ("GET /items/{id}", "ANY /files/{rest+}", "POST /")
    assert made.environment == {"TABLE": "items", "_x": ""}
    assert function(PLAIN + '[environment]\nA = "b"').environment == {"A": "b"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (AWS.replace("src/app.lambda_handler", "app:lambda_handler"), "'module.function'"),
        *(
            (AWS.replace("src/app.lambda_handler", each), "'module.function'")
            for each in ("app", ".app", "../app.h", "a..h", "a b.h", "a.h()", "")
        ),
        (AWS.replace("aws-lambda", "aws_lambda"), "known are python3, aws-lambda, tencent-scf"),
        (PLAIN + "[cloud]\n", "runtime is 'python3'"),
        (SCF + '[cloud]\npayload = "2.0"', "unknown key 'payload'"),
        (AWS + '[cloud]\npayload = "3"', "known are 2.0, 1.0"),
        (AWS + '[cloud]\nmessages = "cmq"', "known are sqs, sns, iot"),
        (AWS + "[cloud]\nroutes = [1]", "is not a route"),
        *(
            (AWS + f'[cloud]\nroutes = ["{each}"]', "is not a route")
            for each in ("/x", "get /x", "GET x", "GET /{a", "GET /a{b}", "GET /{a+}/b", "GET /a b", "GET /{}", "GET")
        ),
        (AWS + f"[cloud]\nroutes = {['GET /x'] * 201}", "at most 200"),
        (PLAIN + "[environment]\nA = 1", 'write A = "1"'),
        (PLAIN + "[environment]\nA = true", 'write A = "true"'),
        (PLAIN + '[environment]\n"A B" = ""', "variable's name"),
        (PLAIN + '[environment]\n"Ä" = ""', "variable's name"),
        (PLAIN + '[environment]\nA = "\\u0000"', "no variable can have"),
        (PLAIN + '[environment]\nHOME = "/"', "the board sets it"),
        (PLAIN + "environment = []", "expected a table"),
    ],
)
def test_a_wrong_one_is_named(text, said):
    with pytest.raises(ProtocolError) as refused:
        function(text)
    assert said in str(refused.value)
