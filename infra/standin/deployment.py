"""The stack of template.yaml on a stand-in, and its clients: HTTP through the gateway, and boto3.

Built functions in, a created stack out. Asks nothing of the ledger: what holds is for the tests to say.
"""

import io
import json
import platform
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

import template as templates
from server import REGION, ROOT, Trouble

STACK = "wallets"
BUCKET = "functions"
BUILT = ROOT / "target" / "lambda"
CREATED_WITHIN_S = 120
# Above this, a function's download and its pages begin to show in a cold start. `wallet cold-start` has 8.0 MB for what cargo links;
# what cargo-lambda links is some 0.1 MB larger.
SIZE_LIMIT_BYTES = 8_700_000
# The names of this machine's processor, in Lambda's words.
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Deployment:
    def __init__(self, server, certificate, issuer):
        self.server, self.authority, self.sizes, self.roles = server, str(certificate.authority), {}, {}
        self.template = templates.read()
        # The first deployment of docs/deploying.
        self.parameters = {"JwtIssuer": issuer.url, "DeletionProtection": "false"}
        root = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.client = self.clients(root)
        self.code = self.upload()
        self.apply("create")
        self.host = self.host_of(STACK)
        self.resources = {
            r["LogicalResourceId"]: r["PhysicalResourceId"]
            for page in self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
            for r in page["StackResourceSummaries"]
        }
        self.table = self.resources["Table"]

    def host_of(self, stack):
        api = self.outputs(stack)["ApiUrl"].removeprefix("https://").split(".")[0]
        return f"{api}.execute-api.localhost:{self.server.port}"

    def clients(self, credentials):
        """What makes boto3's client of a service, one each, for a caller with these credentials."""
        session, made = boto3.Session(**credentials, region_name=REGION), {}
        # What is refused or fails is what a test wants to see, not what comes of trying again.
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)

        def client(service):
            if service not in made:
                made[service] = session.client(service, endpoint_url=self.server.url, verify=self.authority, config=config)
            return made[service]

        return client

    def upload(self):
        """The archives of all functions in a bucket: their URIs by logical name."""
        s3, code = self.client("s3"), {}
        s3.create_bucket(Bucket=BUCKET)
        for name, binary in templates.binaries(self.template).items():
            bootstrap = BUILT / binary / "bootstrap"
            if not bootstrap.exists():
                raise Trouble(f"{bootstrap} is missing: the functions are not built; infra/try-deploy without --no-build builds them")
            size = bootstrap.stat().st_size
            if size >= SIZE_LIMIT_BYTES:
                raise Trouble(f"`{binary}` has {size} bytes; it must stay under {SIZE_LIMIT_BYTES}")
            self.sizes[binary] = size
            s3.put_object(Bucket=BUCKET, Key=f"{binary}.zip", Body=archive(bootstrap))
            code[name] = f"s3://{BUCKET}/{binary}.zip"
        return code

    def apply(self, verb, change=lambda template: None, stack=STACK, **parameters):
        """Creates or updates a stack, and waits until it stands. `change` is done to the template first."""
        values = self.parameters | parameters
        architecture = ARCHITECTURES[platform.machine().lower()]
        monitoring_url = f"{self.server.url}/{BUCKET}/monitoring.json"
        plain = templates.plain(self.code, values, architecture, monitoring_url, change)
        # Over the 51,200 bytes that a call takes.
        for name, template in (("template", plain), ("monitoring", templates.monitoring())):
            self.client("s3").put_object(Bucket=BUCKET, Key=f"{name}.json", Body=json.dumps(template).encode())
        cloudformation = self.client("cloudformation")
        arguments = {
            "StackName": stack,
            "TemplateURL": f"{self.server.url}/{BUCKET}/template.json",
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
        }
        getattr(cloudformation, f"{verb}_stack")(**arguments)
        self.until(stack, verb)
        self.parameters = values

    def until(self, stack, verb):
        """Waits until what was begun with a stack is done."""
        cloudformation = self.client("cloudformation")
        until = time.monotonic() + CREATED_WITHIN_S
        while True:
            status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            if status == f"{verb.upper()}_COMPLETE":
                return
            if (not status.endswith("_IN_PROGRESS") and status != f"{verb.upper()}_FAILED") or time.monotonic() > until:
                pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
                events = (event for page in pages for event in page["StackEvents"])
                reasons = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in events if "FAILED" in e["ResourceStatus"]]
                raise Trouble(f"{verb} of the stack ended in {status}: {'; '.join(reasons)}")
            time.sleep(0.2)

    def outputs(self, stack=STACK):
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def attach(self, stack, table, template):
        """Makes a stack of a table that is there, by an import."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_change_set(
            StackName=stack, ChangeSetName="import", ChangeSetType="IMPORT", TemplateBody=json.dumps(template), ResourcesToImport=[
                {"ResourceType": "AWS::DynamoDB::Table", "LogicalResourceId": "Table", "ResourceIdentifier": {"TableName": table}}])
        cloudformation.execute_change_set(StackName=stack, ChangeSetName="import")
        self.until(stack, "import")

    def as_role(self, role):
        """boto3's clients with the rights of a role of the stack: a user who is given the role's own policies."""
        if role in self.roles:
            return self.roles[role]
        iam, name = self.client("iam"), self.resources[role]
        user = f"as-{role}"
        iam.create_user(UserName=user)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            iam.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=json.dumps(document))
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.attach_user_policy(UserName=user, PolicyArn=policy["PolicyArn"])
        key = iam.create_access_key(UserName=user)["AccessKey"]
        self.roles[role] = self.clients({"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]})
        return self.roles[role]

    def call(self, method, path, token=None, body=None, key=None, **headers):
        """A request to the API: status, headers and JSON of the answer."""
        headers = {"host": self.host} | headers
        if token:
            headers["authorization"] = f"Bearer {token}"
        if key:
            headers["idempotency-key"] = key
        if body is not None:
            headers["content-type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.server.tls) as answer:
                return answer.status, dict(answer.headers), json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, dict(answer.headers), json.load(answer)

    def logged(self, function):
        """Every line of JSON of a function in the log, oldest first."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=self.resources["FunctionsLog"])
        texts = (event["message"] for page in pages for event in page["events"])
        lines = (json.loads(text) for text in texts if text.startswith("{"))
        # A line of the log says `function`, one of metrics `Function`.
        return [line for line in lines if function in (line.get("function"), line.get("Function"))]

    def live(self):
        """The version that callers reach, by function."""
        names = {name: self.resources[name] for name in templates.of_type(self.template, "AWS::Serverless::Function")}
        return {
            name: self.client("lambda").get_alias(FunctionName=physical, Name="live")["FunctionVersion"]
            for name, physical in names.items()
        }


def archive(bootstrap):
    """A zip with the binary in it, marked as a program."""
    packed = io.BytesIO()
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, Path(bootstrap).read_bytes(), compresslevel=1)
    return packed.getvalue()
