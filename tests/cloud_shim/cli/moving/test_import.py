"""`lamplight import`: templates and folders of the shapes that the clouds document, and hostile ones."""

import json
import textwrap
import tomllib

import pytest

from cloud_shim.cli import main
from cloud_shim.cli.moving import yaml_file
from device.artifact import bundle
from device.errors import BadArtifactError
from device.protocol import manifest

HANDLER = "def lambda_handler(event, context):\n    return {'statusCode': 200}\n"
SAM = """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: >
  A shop, with two functions.
Parameters:
  Stage:
    Type: String
    Default: prod
Globals:
  Function:
    Timeout: 10
    MemorySize: 256
    Runtime: python3.12
    Environment:
      Variables:
        STAGE: !Ref Stage
        TABLE_NAME: !Ref ShopTable
Resources:
  ShopItemsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: items/
      Handler: app.lambda_handler
      Policies:
        - DynamoDBCrudPolicy:
            TableName: !Ref ShopTable
      VpcConfig:
        SubnetIds: [subnet-1]
      Layers:
        - !Sub "arn:aws:lambda:${AWS::Region}:017000801446:layer:AWSLambdaPowertoolsPythonV3:7"
      Environment:
        Variables:
          GREETING: !Sub "hello ${Stage}"
          LIMIT: 10
          DEBUG: true
          HOME: /root
      Events:
        List:
          Type: HttpApi
          Properties: {Path: /items, Method: get}
        One:
          Type: HttpApi
          Properties:
            Path: /items/{id}
            Method: ANY
        Preflight:
          Type: HttpApi
          Properties: {Path: /items, Method: options}
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt ShopTable.StreamArn
        Nightly:
          Type: Schedule
          Properties:
            Schedule: cron(30 4 ? * MON-FRI *)
        Often:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(5 minutes)}
        Never:
          Type: Schedule
          Properties: {Schedule: rate(1 day), Enabled: false}
  ThumbnailFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: items/
      Handler: app.lambda_handler
      Timeout: 60
      Events:
        Put:
          Type: S3
          Properties:
            Bucket: !Ref PhotoBucket
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: suffix, Value: .jpg}]}}
        Jobs:
          Type: SQS
          Properties: {Queue: !GetAtt JobQueue.Arn, BatchSize: 10}
  NodeFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: items/, Handler: a.b, Runtime: nodejs20.x}
  InlineFunction:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Code:
        ZipFile: |
          def handler(event, context):
              return "inline"
  ShopTable:
    Type: AWS::DynamoDB::Table
  PhotoBucket:
    Type: AWS::S3::Bucket
  JobQueue:
    Type: AWS::SQS::Queue
"""


def run(capsys, *arguments, code=0):
    assert main.run(["import", *map(str, arguments)]) == code, capsys.readouterr().err
    return capsys.readouterr()


def written(folder):
    bundle.read_function(folder)
    return manifest.function(tomllib.loads((folder / "function.toml").read_text()))


def line(text, word):
    return next(number for number, each in enumerate(text.splitlines(), 1) if word in each)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "app.py").write_text("import boto3\n" + HANDLER)
    (tmp_path / "items" / "requirements.txt").write_text("requests>=2")
    (tmp_path / "items" / "tests").mkdir()
    (tmp_path / "items" / "tests" / "test_app.py").write_text("")
    return tmp_path


def test_a_sam_template_becomes_functions_that_can_be_deployed(here, capsys):
    (here / "template.yaml").write_text(SAM)
    out = run(capsys, "template.yaml", "there")
    assert out.out.splitlines() == ["there/shop-items", "there/thumbnail", "there/inline"]
    items = written(here / "there" / "shop-items")
    assert (items.runtime, items.module, items.attribute) == ("aws-lambda", "app", "lambda_handler")
    assert (items.memory, items.timeout, items.network) == (256 << 20, 10, True)
    assert items.environment == {"STAGE": "prod", "GREETING": "hello prod", "LIMIT": "10", "DEBUG": "true"}
    assert [str(each) for each in items.triggers] == [
        "http /items",
        "http /items/*",
        "cron 30 4 * * MON-FRI",
        "timer",
    ]
    assert items.triggers[0].methods == ("GET",) and len(items.triggers[1].methods) == 6
    assert items.triggers[2].zone == "UTC" and items.triggers[3].every == 300
    assert (items.cloud.payload, items.cloud.routes) == ("2.0", ("GET /items", "ANY /items/{id}"))
    assert '# TABLE_NAME = ""  # in the cloud: !Ref ShopTable' in (here / "there/shop-items/function.toml").read_text()
    assert (here / "there/shop-items/requirements.txt").read_text() == "requests>=2\nboto3\n"
    assert not (here / "there/shop-items/tests").exists()
    thumbnail = written(here / "there" / "thumbnail")
    assert (thumbnail.timeout, thumbnail.cloud.messages) == (60, "sqs")
    assert [str(each) for each in thumbnail.triggers] == ["file photo-bucket", "mqtt job-queue"]
    assert thumbnail.triggers[0].match == "*.jpg"
    assert (here / "there" / "inline" / "index.py").read_text().endswith('return "inline"\n')


def test_what_a_sam_template_has_besides_is_named_line_by_line(here, capsys):
    (here / "template.yaml").write_text(SAM)
    told = json.loads(run(capsys, "template.yaml", "there", "--json").out)
    left = {(each["line"], each["what"].rpartition(": ")[2]) for each in told["left"]}
    for what, word in (
        ("Policies", "      Policies:"),
        ("VpcConfig", "VpcConfig"),
        ("Layers", "      Layers:"),
        ("the variable HOME", "HOME: /root"),
        ("the variable TABLE_NAME", "TABLE_NAME"),
        ("OPTIONS /items", "        Preflight:"),
        ("the event Stream (DynamoDB)", "        Stream:"),
        ("the event Never", "        Never:"),
        ("the bucket PhotoBucket", "        Put:"),
        ("NodeFunction", "  NodeFunction:"),
        ("ShopTable (AWS::DynamoDB::Table)", "  ShopTable:"),
        ("JobQueue (AWS::SQS::Queue)", "  JobQueue:"),
    ):
        assert (line(SAM, word), what) in left, what
    assert all(each["why"] for each in told["left"])
    assert "no IAM" in next(each["why"] for each in told["left"] if each["what"].endswith("Policies"))


def test_nothing_that_is_there_is_overwritten(here, capsys):
    (here / "template.yaml").write_text(SAM)
    run(capsys, "template.yaml", "there")
    (here / "there/shop-items/app.py").write_text("mine")
    assert "exists already" in run(capsys, "template.yaml", "there", code=1).err
    assert (here / "there/shop-items/app.py").read_text() == "mine"


SERVERLESS = """\
service: garden
frameworkVersion: '4'
custom:
  prefix: rooms
provider:
  name: aws
  runtime: python3.11
  region: eu-central-1
  stage: ${opt:stage, 'dev'}
  iam:
    role:
      statements: []
  environment:
    PREFIX: ${self:custom.prefix}-${self:provider.stage}
    SECRET: ${ssm:/garden/secret}
    TOKEN: ${env:GARDEN_TOKEN}
functions:
  waterPlants:
    handler: src/water.handler
    memorySize: 512
    timeout: 30
    events:
      - schedule: rate(2 hours)
      - schedule:
          rate: ['cron(0 6 * * ? *)', 'cron(0 6 ? * 7#2 *)']
          input: {kind: slow}
      - http: POST plants/{id}/water
      - sns: alarms
      - iot: {sql: "SELECT * FROM 'rooms/+/light'"}
      - stream: arn:aws:kinesis:region:1:stream/x
    layers:
      - arn:aws:lambda:eu-central-1:1:layer:x:1
  other: ${file(./other.yml)}
resources:
  Resources: {}
"""


def test_a_serverless_file_becomes_functions(here, capsys, monkeypatch):
    monkeypatch.setenv("GARDEN_TOKEN", "a secret of this machine")
    (here / "src").mkdir()
    (here / "src" / "water.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
    (here / "node_modules").mkdir()
    (here / "node_modules" / "x.js").write_text("")
    (here / "serverless.yml").write_text(SERVERLESS)
    told = json.loads(run(capsys, ".", "there", "--json").out)
    assert told["folders"] == ["there/water-plants"]
    made = written(here / "there" / "water-plants")
    assert (made.module, made.memory, made.timeout) == ("src.water", 512 << 20, 30)
    assert made.environment == {"PREFIX": "rooms-dev", "AWS_REGION": "eu-central-1"}
    assert [str(each) for each in made.triggers] == [
        "timer",
        "cron 0 6 * * *",
        "cron 0 6 * * 6#2",
        "http /plants/*",
        "mqtt alarms",
    ]
    assert (made.cloud.payload, made.cloud.messages, made.cloud.routes) == ("1.0", "sns", ("POST /plants/{id}/water",))
    text = (here / "there/water-plants/function.toml").read_text()
    assert "# SECRET" in text and "# TOKEN" in text and "a secret of this machine" not in text
    assert not (here / "there/water-plants/node_modules").exists()
    left = {(each["line"], each["what"].rpartition(": ")[2]) for each in told["left"]}
    for what, word in (
        ("iam", "  iam:"),
        ("the variable SECRET", "SECRET"),
        ("iot rooms/+/light", "- iot:"),
        ("the event stream", "- stream:"),
        ("the schedule's input", "      - schedule:\n"),
        ("layers", "    layers:"),
        ("other", "  other:"),
        ("resources", "resources:"),
    ):
        assert what in {each for _, each in left}, what
        assert (line(SERVERLESS, word.strip("\n")), what) in left or word.endswith("\n"), what


SCF = """\
component: scf
name: hello
inputs:
  name: hello-scf
  src: ./code
  handler: index.main_handler
  runtime: Python3.6
  region: ap-shanghai
  memorySize: 64
  timeout: 20
  environment:
    variables:
      GREETING: 你好
  vpcConfig: {vpcId: vpc-1}
  events:
    - apigw:
        parameters:
          endpoints:
            - {path: /hello, method: GET}
            - {path: '/hello/{name}', method: ANY}
    - timer:
        parameters: {cronExpression: '0 */5 * * * * *', enable: true}
    - timer:
        parameters: {cronExpression: '*/10 * * * * * *'}
    - timer:
        parameters: {cronExpression: '30 0 12 * * * *'}
    - cos:
        parameters: {bucket: photos-1250000000.cos.ap-shanghai.myqcloud.com, filter: {prefix: in, suffix: .png}}
    - ckafka:
        parameters: {name: ckafka-1, topic: orders}
    - cls: {parameters: {topicId: x}}
"""


def test_a_tencent_component_becomes_a_function(here, capsys):
    (here / "code").mkdir()
    (here / "code" / "index.py").write_text("import requests\ndef main_handler(event, context):\n    return 1\n")
    (here / "serverless.yml").write_text(SCF)
    out = run(capsys, "serverless.yml", "there")
    made = written(here / "there" / "hello-scf")
    assert (made.runtime, made.attribute, made.memory, made.timeout) == ("tencent-scf", "main_handler", 64 << 20, 20)
    assert made.environment == {"GREETING": "你好", "TENCENTCLOUD_REGION": "ap-shanghai"}
    assert [str(each) for each in made.triggers] == [
        *("http /hello", "http /hello/*", "cron */5 * * * *", "timer"),
        *("file photos-1250000000", "mqtt orders"),
    ]
    assert made.triggers[2].zone == "Asia/Shanghai" and made.triggers[4].match == "in*.png"
    assert (made.cloud.messages, made.cloud.routes) == ("ckafka", ("GET /hello", "ANY /hello/{name}"))
    assert (here / "there/hello-scf/requirements.txt").read_text() == "requests\n"
    assert "line 14: hello-scf: vpcConfig: a board is in no VPC" in out.err
    assert "its second is '30'" in out.err and "the event cls" in out.err


def test_the_provider_tencent_is_read_too(here, capsys):
    (here / "index.py").write_text("def main_handler(event, context):\n    return 1\n")
    text = """\
        service: s
        provider: {name: tencent, runtime: Python3.6, region: ap-guangzhou}
        functions:
          hello_world:
            handler: index.main_handler
            events:
              - apigw: {name: a, parameters: {httpMethod: POST}}
              - cmq: {name: b, parameters: {name: test-topic}}
    """
    (here / "serverless.yml").write_text(textwrap.dedent(text))
    out = run(capsys, "serverless.yml", "there")
    made = written(here / "there" / "hello-world")
    assert [str(each) for each in made.triggers] == ["http /*", "mqtt test-topic"]
    assert made.cloud.routes == ()
    assert "its messages come from the fleet's topic 'test-topic'" in out.err


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"lambda_function.py": HANDLER}, [], ("aws-lambda", "lambda_function.lambda_handler")),
        ({"index.py": "def main_handler(event, context): pass"}, [], ("tencent-scf", "index.main_handler")),
        ({"a.py": "def go(event, context): pass"}, ["--runtime", "aws-lambda"], ("aws-lambda", "a.go")),
        ({"a.py": HANDLER, "b.py": HANDLER}, ["--handler", "b.lambda_handler"], ("aws-lambda", "b.lambda_handler")),
    ],
)
def test_a_folder_of_plain_code_gets_its_function_toml(tmp_path, capsys, files, options, expected):
    folder = tmp_path / "MyCode"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    out = run(capsys, folder, *options)
    made = written(folder)
    assert (made.name, made.runtime, f"{made.module}.{made.attribute}") == ("my-code", *expected)
    assert "Write [[triggers]]" in out.err
    assert "exists already" in run(capsys, folder, *options, code=1).err


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({}, 3, "has no handler"),
        ({"a.py": "def handler(event): pass"}, 3, "has no handler"),
        ({"a.py": HANDLER, "b.py": HANDLER}, 2, "several handlers. a.lambda_handler, b.lambda_handler"),
        ({"a.py": "def go(event, context): pass"}, 2, "may be any cloud's"),
        ({"a.py": "def (", "b.py": HANDLER}, 5, "a.py"),
    ],
)
def test_a_folder_that_does_not_say_its_handler_is_told_so(tmp_path, capsys, files, code, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert said in run(capsys, tmp_path, code=code).err
    assert not (tmp_path / "function.toml").exists()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "grows to more than"),
        ("a: &a {b: *a}", "nested more than"),
        ("[" * 3000, "nested"),
        ("a: " + "{a: " * 100 + "1" + "}" * 100, "nested more than"),
        ("a: !!python/object/apply:os.system [id]", "line 1: the tag '!!python/object/apply:os.system'"),
        ("a: !!python/name:os.system ", "stands for more than data"),
        ("Resources:\n  a: !Made up", "line 2: the tag '!Made'"),
        ("a: !!binary aGk=", "stands for more than data"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is there twice"),
        ("? [a]\n: 1", "a key is no text"),
        ("a: [1", "line 1"),
        ("a: \x00", "not YAML"),
        ("", "describes nothing"),
        ("- a", "describes nothing"),
        ("a: " + "9" * 5000, "line 1"),
        ("#" * (yaml_file.MAX_BYTES + 1), "too long"),
        ("a: 1", "is no description of functions"),
    ],
)
def test_a_hostile_file_is_an_error(tmp_path, capsys, text, said):
    (tmp_path / "template.yaml").write_text(text)
    assert said in run(capsys, tmp_path / "template.yaml", tmp_path / "there", code=5).err
    assert not (tmp_path / "there").exists()


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    (tmp_path / "t.yaml").write_bytes(b"a: \xff")
    with pytest.raises(BadArtifactError, match="is not YAML"):
        yaml_file.read(tmp_path / "t.yaml")


@pytest.mark.parametrize("uri", ["../secrets", "/etc", "s3://bucket/key", "absent", "items/app.py"])
def test_code_from_elsewhere_is_not_taken(here, capsys, uri):
    folder = here / "project"
    folder.mkdir()
    (here / "secrets").mkdir()
    (here / "secrets" / "app.py").write_text(HANDLER)
    told = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.12", "CodeUri": uri}}
    text = "Resources:\n  F: " + json.dumps(told)
    (folder / "template.yaml").write_text(text)
    out = run(capsys, folder / "template.yaml", here / "there", code=1)
    assert "line 2: F: it cannot be carried over: its code" in out.err
    assert not (here / "there").exists()


def test_a_link_in_the_code_is_not_followed(here, capsys):
    (here / "items" / "key.txt").symlink_to("/etc/passwd")
    (here / "template.yaml").write_text(SAM)
    out = run(capsys, "template.yaml", "there")
    assert "key.txt cannot be packed" in out.err
    assert not (here / "there/shop-items").exists()


def test_a_template_of_odd_values_ends_in_lines_and_not_in_a_traceback(here, capsys):
    text = """\
        Resources:
          A: 5
          B: {Type: [1]}
          C:
            Type: AWS::Serverless::Function
            Properties:
              Runtime: python3.12
              Handler: app.lambda_handler
              CodeUri: items
              Timeout: soon
              MemorySize: !GetAtt X.Y
              Environment: {Variables: {A: [1], "B C": 1}}
              Events: {X: 1, Y: {Type: HttpApi}, Z: {Type: Schedule, Properties: {Schedule: 5}}, W: {Type: S3},
                       V: {Type: Api, Properties: {Path: '/a b', Method: get}}}
              FunctionUrlConfig: {AuthType: NONE}
    """
    (here / "template.yaml").write_text(textwrap.dedent(text))
    out = run(capsys, "template.yaml", "there")
    made = written(here / "there" / "c")
    assert [str(each) for each in made.triggers] == ["http /*", "file bucket"]
    for said in (
        "'soon' is no whole number",
        "!GetAtt X.Y",
        "the variable A: it is no text",
        "the event X (None)",
        "GET /a b: ",
    ):
        assert said in out.err, said
