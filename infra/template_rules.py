"""What template.yaml must hold and no linter knows: which rights the functions have, that a changed setting reaches the
callers, that JSON inside of strings is JSON.

Reads the template and changes nothing. Prints one line per finding; exits 1 if there are any.
Run by infra/check-template, with the Python that has aws-sam-cli.
"""

import json
import logging
import re
import sys
from pathlib import Path

import boto3
import tomlkit
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

INFRA = Path(__file__).resolve().parent
TEXT = (INFRA.parent / "template.yaml").read_text(encoding="utf-8")

READS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
WRITES = {"dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
RECEIVES = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
IN_TRANSACTIONS_ONLY = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}

# Functions that never write, whatever their policy says.
READERS = {"AuditFunction", "TransactionsFunction"}
# Functions that may read the table from end to end. A handler that scans would cost by the table's size; the audit is about
# the table's size, and what should not be there is found in no other way.
SCANS = {"AuditFunction": {"dynamodb:Scan"}}

findings = []


def demand(holds, *words):
    if not holds:
        findings.append(" ".join(str(word) for word in words))


def as_list(value):
    return value if isinstance(value, list) else [value]


def target(value):
    """The logical name behind `!Ref X`, `!GetAtt X.Y`, `!Sub ${X.Y}/..`, or the value itself."""
    if isinstance(value, dict):
        if "Fn::GetAtt" in value:
            attribute = value["Fn::GetAtt"]
            return (attribute if isinstance(attribute, list) else attribute.split("."))[0]
        if "Ref" in value:
            return value["Ref"]
        if "Fn::Sub" in value:
            found = re.match(r"\$\{(\w+)", str(value["Fn::Sub"]))
            return found.group(1) if found else value["Fn::Sub"]
    return value


def parameters_in(value, template):
    """Every parameter that the value depends on, through conditions as well."""
    if isinstance(value, list):
        return {name for item in value for name in parameters_in(item, template)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Ref" and inner in template["Parameters"]:
            found.add(inner)
        elif key == "Fn::Sub":
            found |= set(re.findall(r"\$\{(\w+)\}", str(inner))) & set(template["Parameters"])
        elif key == "Fn::If":
            found |= parameters_in(template["Conditions"][inner[0]], template) | parameters_in(inner[1:], template)
        else:
            found |= parameters_in(inner, template)
    return found


def of_type(template, kind):
    return {name: r for name, r in template["Resources"].items() if r["Type"] == kind}


def check_rights(template):
    roles_seen = set()
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        role = target(function["Properties"].get("Role"))
        demand(role in template["Resources"] and role not in roles_seen, name, "needs a role of its own")
        roles_seen.add(role)
        if role not in template["Resources"]:
            continue
        properties = template["Resources"][role]["Properties"]
        demand(not properties.get("ManagedPolicyArns"), role, "must not take managed policies")
        log_group = target(function["Properties"].get("LoggingConfig", {}).get("LogGroup"))
        for statement in (s for p in properties["Policies"] for s in p["PolicyDocument"]["Statement"]):
            actions = set(as_list(statement["Action"]))
            resources = {target(resource) for resource in as_list(statement["Resource"])}
            where = f"{role}, statement {statement.get('Sid')}:"
            reads = READS | SCANS.get(name, set())
            demand(actions <= reads | WRITES | LOGS | RECEIVES, where, actions - reads - WRITES - LOGS - RECEIVES, "is too much")
            if actions & (reads | WRITES):
                demand(resources == {"Table"}, where, "is about other things than the table:", resources)
            if actions & WRITES:
                demand(name not in READERS, where, name, "may only read")
                demand(statement.get("Condition") == IN_TRANSACTIONS_ONLY, where, "allows writes outside of a transaction")
            if actions & LOGS:
                demand(resources == {log_group}, where, "logs elsewhere than to", log_group)
            if actions & RECEIVES:
                queues = {target(e["Properties"]["Queue"]) for e in events(function, "SQS")}
                demand(resources == queues, where, "receives from other queues than", queues)


def events(function, kind):
    return [e for e in function["Properties"].get("Events", {}).values() if e["Type"] == kind]


def check_routes(template):
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        for event in (e["Properties"] for e in events(function, "HttpApi")):
            # Of several scopes one would do, and the gateway would let more callers in than the contract says.
            scopes = event.get("Auth", {}).get("AuthorizationScopes", [])
            demand(len(scopes) == 1, name, event["Method"], event["Path"], "must ask for exactly one scope, not", scopes)
            demand("Authorizer" not in event.get("Auth", {}), name, event["Path"], "must use the default authorizer")


def check_queues(template):
    shared = template["Globals"]["Function"]
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        for event in (e["Properties"] for e in events(function, "SQS")):
            timeout_s = function["Properties"].get("Timeout", shared["Timeout"])
            queue = template["Resources"][target(event["Queue"])]["Properties"]
            hidden_s = queue.get("VisibilityTimeout", 30)
            demand(hidden_s >= 6 * timeout_s, name, f"may take {timeout_s} s, its queue hides for {hidden_s} s: under six times")
            demand("ReportBatchItemFailures" in event.get("FunctionResponseTypes", []), name, "fails whole batches")
            demand("MaximumConcurrency" in event.get("ScalingConfig", {}), name, "has no bound on its concurrency")
            demand("RedrivePolicy" in queue, name, "has a queue without dead letters")


def check_json(template):
    def parses(what, text):
        try:
            json.loads(text)
        except ValueError as error:
            demand(False, what, "is no JSON:", error)

    for name, api in of_type(template, "AWS::Serverless::HttpApi").items():
        parses(f"{name}'s access log", api["Properties"]["AccessLogSettings"]["Format"])
    for name, pipe in of_type(template, "AWS::Pipes::Pipe").items():
        source = pipe["Properties"]["SourceParameters"]
        for pattern in source["FilterCriteria"]["Filters"]:
            parses(f"{name}'s filter", pattern["Pattern"])
        body = pipe["Properties"]["TargetParameters"]["InputTemplate"]
        parses(f"{name}'s input template", re.sub(r"<[$.\w]+>", '"value"', body))
    for name, parameter in template["Parameters"].items():
        if str(parameter.get("Default", "")).startswith(("[", "{")):
            parses(f"{name}'s default", parameter["Default"])
    for name, dashboard in of_type(template, "AWS::CloudWatch::Dashboard").items():
        parses(name, dashboard["Properties"]["DashboardBody"]["Fn::Sub"])


def check_alarms(template):
    dashboards = "".join(json.dumps(d) for d in of_type(template, "AWS::CloudWatch::Dashboard").values())
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        demand("AlarmDescription" in alarm["Properties"], name, "has no description")
        if alarm.get("Condition") == "Gradual":
            continue  # speaks to CodeDeploy
        demand("AlarmActions" in alarm["Properties"], name, "speaks to nobody")
        demand("${" + name + ".Arn}" in dashboards, name, "is not on the dashboard")


def check_settings(template):
    """Callers reach versions; what makes no new version reaches no caller. See Settings in the template."""
    recorded = set(re.findall(r"\$\{(\w+)\}", template["Resources"]["Settings"]["Properties"]["Content"]["Fn::Sub"]))
    shared = {k: v for k, v in template["Globals"]["Function"].items() if k != "DeploymentPreference"}
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        own = {k: v for k, v in function["Properties"].items() if k not in ("DeploymentPreference", "Events")}
        missing = (parameters_in(shared, template) | parameters_in(own, template)) - recorded
        demand(not missing, "Settings must hold", sorted(missing), f"or {name} will not get a new value of it")
        demand("${Settings.VersionNumber}" in str(own.get("VersionDescription")), name, "must name Settings in its VersionDescription")
        demand(own.get("AutoPublishAliasAllProperties") is True, name, "must publish a version of every change")


def check_environments(template):
    parameters = template["Parameters"]
    needed = {name for name, parameter in parameters.items() if "Default" not in parameter}
    config = tomlkit.parse((INFRA / "samconfig.toml").read_text(encoding="utf-8")).unwrap()
    for name, environment in config.items():
        if name == "version":
            continue
        values = environment["deploy"]["parameters"]["parameter_overrides"]
        demand(values.keys() <= parameters.keys(), f"samconfig's {name} names no parameters:", values.keys() - parameters.keys())
        demand(needed <= values.keys(), f"samconfig's {name} must say", needed - values.keys())
        for parameter, value in values.items():
            allowed = [str(one) for one in parameters.get(parameter, {}).get("AllowedValues", [value])]
            demand(str(value) in allowed, f"samconfig's {name} sets {parameter} to {value}, which is none of", allowed)


def check_translation():
    """SAM's transform, as CloudFormation runs it, for both kinds of deployment."""
    for deployment, groups in (("AllAtOnce", 0), ("Canary10Percent5Minutes", None)):
        template = yaml_parse(TEXT)
        functions = of_type(template, "AWS::Serverless::Function")
        for function in functions.values():
            function["Properties"]["CodeUri"] = "s3://bucket/key"
        values = {k: p.get("Default", "https://issuer.example.com/") for k, p in template["Parameters"].items()}
        values["DeploymentType"] = deployment
        translator = Translator({}, Parser(), None, boto3.Session(region_name="eu-central-1"))
        try:
            plain = translator.translate(template, values)
        except Exception as error:  # noqa: BLE001: whatever SAM says is the finding
            demand(False, "SAM does not take DeploymentType", f"{deployment}:", error)
            continue
        browsers = plain["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"].get("Fn::If", [None, {}])[1]
        demand(isinstance(browsers.get("allowOrigins"), dict), "SAM makes no list of CorsOrigins:", browsers)
        demand({"allowMethods", "allowHeaders"} <= browsers.keys(), "SAM forgets half of the CORS configuration:", browsers)
        found = len(of_type(plain, "AWS::CodeDeploy::DeploymentGroup"))
        shifting = [f for f in functions.values() if f["Properties"]["DeploymentPreference"].get("Enabled") is not False]
        expected = len(shifting) if groups is None else groups
        demand(found == expected, f"DeploymentType {deployment} gives {found} deployment groups, not {expected}")


def main():
    logging.disable(logging.CRITICAL)
    template = yaml_parse(TEXT)
    for check in (check_rights, check_routes, check_queues, check_json, check_alarms, check_settings, check_environments):
        check(template)
    check_translation()
    for finding in dict.fromkeys(findings):
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
