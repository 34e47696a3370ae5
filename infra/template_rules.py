"""What template.yaml and infra/monitoring.yaml must hold and no linter knows: which rights the functions have, that a changed
setting reaches the callers, that alarms go back to OK, that JSON inside of strings is JSON.

Reads the templates and changes nothing. Prints one line per finding; exits 1 if there are any.
Run by infra/check-template, with the Python that has aws-sam-cli. test_template_rules.py shows that each rule finds its fault.
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
TEMPLATE = INFRA.parent / "template.yaml"
MONITORING = INFRA / "monitoring.yaml"
SAMCONFIG = INFRA / "samconfig.toml"

READS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
WRITES = {"dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
RECEIVES = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
DELETES = {"dynamodb:DeleteItem"}
FOLLOWS = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
IN_TRANSACTIONS_ONLY = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}


def of_keys(beginning):
    """In transactions, and of items whose partition key begins so. Without Null a request that names no keys would do."""
    return IN_TRANSACTIONS_ONLY | {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [beginning]}, "Null": {"dynamodb:LeadingKeys": "false"}}


# What a function may write, where it is less than any item.
WRITES_OF = {"SettleFunction": of_keys("WALLET#*")}
# Who settles credits, and with that deletes them from inboxes: who folds, and who debits.
SETTLERS = {"SettleFunction", "WithdrawFunction", "PayoutFunction", "TransferFunction", "ReversalFunction", "RequestsFunction",
            "HoldsFunction", "SweepFunction"}

CHECKPOINTS = [
    ({"s3:ListBucket"}, "${Checkpoints.Arn}", {"StringLike": {"s3:prefix": "checkpoints/*"}}),
    ({"s3:GetObject"}, "${Checkpoints.Arn}/checkpoints/*", None),
    # IAM can't say "and no other object of this name"; it can say that S3 must be asked to see to it.
    ({"s3:PutObject"}, "${Checkpoints.Arn}/checkpoints/*", {"Null": {"s3:if-none-match": "false"}}),
]
# Rights to a resource of its own that one function has and no other: action, resource, condition.
OWN = {
    "AuditFunction": CHECKPOINTS,
    "DispatchFunction": [
        # It knows no resource.
        ({"dynamodb:ListStreams"}, "*", None),
        ({"s3:ListBucket"}, "${Unsent.Arn}", None),
        ({"s3:PutObject"}, "${Unsent.Arn}/*", None),
    ],
    "PublishFunction": [({"events:PutEvents"}, "${EventBus.Arn}", None)],
}
# The settings' application has 64 characters, and so have queues' names with room to spare.
LONGEST_STACK_NAME = 57
ALARM_METRICS = {"essential": 14}
# Who reads the table's stream, and the queues that it sends to: all that are read, and its own dead letters.
DISPATCHER, ITS_DEAD_LETTERS = "DispatchFunction", "DispatchDeadLetters"

# Functions that never write, whatever their policy says.
READERS = {"AuditFunction", "TransactionsFunction"}
# Functions that may read the table from end to end. A handler that scans would cost by the table's size; the audit is about
# the table's size, and what should not be there is found in no other way.
SCANS = {"AuditFunction": {"dynamodb:Scan"}}
# The one rights that a role has only with a key of the stack.
KEY_USE = {"Fn::If": ["OwnKey", {"Ref": "KeyUse"}, {"Ref": "AWS::NoValue"}]}

findings = []


def demand(holds, *words):
    if not holds:
        findings.append(" ".join(str(word) for word in words))


def read(path):
    return yaml_parse(Path(path).read_text(encoding="utf-8"))


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
        log_group = target((template["Globals"]["Function"] | function["Properties"]).get("LoggingConfig", {}).get("LogGroup"))
        for statement in statements(role, template):
            if right_of(statement) in OWN.get(name, []):
                continue
            actions = set(as_list(statement["Action"]))
            resources = {target(resource) for resource in as_list(statement["Resource"])}
            where = f"{role}, statement {statement.get('Sid')}:"
            reads = READS | SCANS.get(name, set())
            allowed = reads | WRITES | LOGS | RECEIVES | (DELETES if name in SETTLERS else set())
            if name == DISPATCHER:
                allowed = FOLLOWS | LOGS | {"sqs:SendMessage"}
            demand(actions <= allowed, where, actions - allowed, "is too much")
            if actions & (reads | WRITES):
                demand(resources == {"Table"}, where, "is about other things than the table:", resources)
            if actions & WRITES:
                demand(name not in READERS, where, name, "may only read")
                demand(statement.get("Condition") == WRITES_OF.get(name, IN_TRANSACTIONS_ONLY), where, "allows writes outside of a transaction")
            if actions & DELETES:
                demand(actions == DELETES and resources == {"Table"}, where, "must be about deletions from the table alone")
                demand(statement.get("Condition") == of_keys("INBOX#*"), where, "deletes more than what was settled")
            if actions & FOLLOWS:
                demand(statement["Resource"] == {"Fn::GetAtt": "Table.StreamArn"} or statement["Resource"] == {"Fn::GetAtt": ["Table", "StreamArn"]},
                       where, "reads another stream")
            if "sqs:SendMessage" in actions:
                demand(resources == queues_read(template) | {ITS_DEAD_LETTERS}, where, "sends to other queues than are read:", resources)
            if actions & LOGS:
                demand(resources == {log_group}, where, "logs elsewhere than to", log_group)
            if actions & RECEIVES:
                queues = {target(e["Properties"]["Queue"]) for e in events(function, "SQS")}
                demand(resources == queues, where, "receives from other queues than", queues)


def statements(role, template):
    """What a role may do, by its own policies and by those of the template that it takes."""
    properties = template["Resources"][role]["Properties"]
    found = [s for p in properties.get("Policies", []) for s in p["PolicyDocument"]["Statement"]]
    for taken in properties.get("ManagedPolicyArns", []):
        if taken == KEY_USE:
            continue
        name = target(taken)
        policy = template["Resources"].get(name if isinstance(name, str) else None, {"Type": None})
        demand(policy["Type"] == "AWS::IAM::ManagedPolicy", role, "takes a policy that is not of this template:", taken)
        if policy["Type"] == "AWS::IAM::ManagedPolicy":
            found += policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def right_of(statement):
    resource = statement["Resource"]
    if isinstance(resource, dict):
        resource = resource.get("Fn::Sub") or "${" + str(resource.get("Fn::GetAtt")).strip("[]").replace("', '", ".").strip("'") + "}"
    return set(as_list(statement["Action"])), resource, statement.get("Condition")


def queues_read(template):
    functions = of_type(template, "AWS::Serverless::Function").values()
    return {target(event["Properties"]["Queue"]) for function in functions for event in events(function, "SQS")}


def check_checkpoints(template):
    """They can be added to, and neither changed nor deleted, by the audit or by deleting the stack."""
    for name in ["Checkpoints"]:
        properties = template["Resources"][name]["Properties"]
        rule = properties.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
        demand(properties.get("ObjectLockEnabled") is True and rule, name, "must lock its objects by default")
        demand(properties.get("VersioningConfiguration") == {"Status": "Enabled"}, name, "must keep versions")
    default = template["Parameters"].get("CheckpointLockMode", {}).get("Default")
    demand(default == "GOVERNANCE", "CheckpointLockMode must be GOVERNANCE by default, for COMPLIANCE can't be taken back, not", default)


def check_first_creation(template):
    """What is kept when the stack goes must not be left behind by a creation that fails: it would stand in the next one's way, and
    be paid for."""
    kept = set()
    for name, resource in template["Resources"].items():
        policy = resource.get("DeletionPolicy")
        demand(policy != "Retain", name, "is left behind when the first creation fails: RetainExceptOnCreate")
        if policy == "RetainExceptOnCreate":
            kept.add(name)
            demand(resource.get("UpdateReplacePolicy") == "Retain", name, "goes when it is replaced")
    needed = {"Table", "Key", "Checkpoints", "Unsent"}
    demand(needed <= kept, "must stay when the stack goes:", sorted(needed - kept))


def check_logs(template):
    """RUST_LOG alone decides what is logged; by itself Lambda drops what is below INFO of a JSON log."""
    shared = template["Globals"]["Function"].get("LoggingConfig", {})
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        logging_config = shared | function["Properties"].get("LoggingConfig", {})
        level = logging_config.get("ApplicationLogLevel")
        demand(logging_config.get("LogFormat") == "JSON", name, "must log JSON")
        demand(level == "TRACE", name, "hides what LogLevel asks for: ApplicationLogLevel must be TRACE, not", level)


def check_concurrency(template):
    names = ("RebateConcurrency", "RequestsConcurrency", "SettleConcurrency")
    most = sum(template["Parameters"][name]["Default"] for name in names)
    demand(most <= 6, f"{', '.join(names)}, {most} by default, take most of the 10 that a new account may run")


def events(function, kind):
    return [e for e in function["Properties"].get("Events", {}).values() if e["Type"] == kind]


def check_routes(template):
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        for event in (e["Properties"] for e in events(function, "HttpApi")):
            # Of several scopes one would do, and the gateway would let more callers in than the contract says.
            scopes = event.get("Auth", {}).get("AuthorizationScopes", [])
            demand(len(scopes) == 1, name, event["Method"], event["Path"], "must ask for exactly one scope, not", scopes)
            prefixed = all(isinstance(s, dict) and str(s.get("Fn::Sub")).startswith("${ScopePrefix}") for s in scopes)
            demand(prefixed, name, event["Method"], event["Path"], "must put ScopePrefix before its scope: Cognito does")
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
            dead = template["Resources"][target(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")) or "Table"]["Properties"]
            demand(queue.get("FifoQueue") == dead.get("FifoQueue"), name, "has a queue and dead letters of two kinds")


def check_stream(template):
    """One function reads the table's stream, and no record is lost: from the oldest on, none given up before the alarm has rung for
    hours, and then whole."""
    readers = {n: e["Properties"] for n, f in of_type(template, "AWS::Serverless::Function").items() for e in events(f, "DynamoDB")}
    demand(list(readers) == [DISPATCHER] and not of_type(template, "AWS::Pipes::Pipe"), "the stream must have one reader, not", list(readers))
    for name, event in readers.items():
        demand(event["StartingPosition"] == "TRIM_HORIZON", name, "must begin at the oldest record")
        demand("ReportBatchItemFailures" in event.get("FunctionResponseTypes", []), name, "fails whole batches")
        demand(event.get("BisectBatchOnFunctionError") is True, name, "must isolate what it fails on")
        kept = event.get("DestinationConfig", {}).get("OnFailure", {})
        demand(kept.get("Type") == "S3" and target(kept.get("Destination")) == "Unsent", name, "must give up whole records: into a bucket")
        demand(event.get("MaximumRecordAgeInSeconds") == 21600 and "MaximumRetryAttempts" not in event, name, "must try for six hours")


def check_json(template):
    def parses(what, text):
        try:
            json.loads(text)
        except ValueError as error:
            demand(False, what, "is no JSON:", error)

    for name, api in of_type(template, "AWS::Serverless::HttpApi").items():
        parses(f"{name}'s access log", api["Properties"]["AccessLogSettings"]["Format"])
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        for event in events(function, "DynamoDB"):
            for pattern in event["Properties"]["FilterCriteria"]["Filters"]:
                parses(f"{name}'s filter", pattern["Pattern"])
    for name, parameter in template["Parameters"].items():
        if str(parameter.get("Default", "")).startswith(("[", "{")):
            parses(f"{name}'s default", parameter["Default"])
    for name, dashboard in of_type(template, "AWS::CloudWatch::Dashboard").items():
        body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
        text, values = body if isinstance(body, list) else (body, {})
        for key in values:
            text = text.replace("${" + key + "}", "")
        parses(name, text)


def metrics_of(alarm):
    """The metrics that an alarm is paid for: namespace and id of each."""
    properties = alarm["Properties"]
    if "Metrics" not in properties:
        return [(properties["Namespace"], None)]
    return [(m["MetricStat"]["Metric"]["Namespace"], m["Id"]) for m in properties["Metrics"] if "MetricStat" in m]


def check_alarms(template):
    dashboards = "".join(json.dumps(d) for d in of_type(template, "AWS::CloudWatch::Dashboard").values())
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        properties, metrics = alarm["Properties"], metrics_of(alarm)
        demand("AlarmDescription" in properties, name, "has no description")
        demand(len(metrics) <= 10, name, "has", len(metrics), "metrics; an alarm takes ten")
        expressions = " ".join(m.get("Expression", "") for m in properties.get("Metrics", []))
        for namespace, metric in metrics:
            # Alarms on these ignore what is missing, whatever TreatMissingData says, and these are written only when something
            # happens.
            filled = metric and re.search(rf"FILL\({metric}, 0\)", expressions)
            demand(namespace != "AWS/DynamoDB" or filled, name, "sticks in ALARM: no FILL(.., 0) around", metric or "its metric")
        if alarm.get("Condition") == "Gradual":
            continue  # speaks to CodeDeploy
        demand("AlarmActions" in properties, name, "speaks to nobody")
        demand("${" + name + ".Arn}" in dashboards, name, "is not on the dashboard")


def check_monitoring(template, monitoring):
    """The template stands without what watches it, and hands it all that it asks for."""
    watch = {name: r for name, r in template["Resources"].items() if r["Type"] == "AWS::CloudFormation::Stack"}
    demand(set(watch) == {"Watch"}, "one nested stack watches, not", sorted(watch))
    for name, nested in watch.items():
        given, asked = set(nested["Properties"]["Parameters"]), set(monitoring["Parameters"])
        demand(nested.get("Condition") == "Watched", name, "must be there only with Monitoring")
        demand(given == asked, name, "and its template differ in", sorted(given ^ asked))
    for name, resource in template["Resources"].items():
        demand(name == "Watch" or "Watch." not in json.dumps(resource), name, "needs Watch")
        kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard")
        demand(resource["Type"] not in kinds or resource.get("Condition") == "Gradual", name, "belongs into infra/monitoring.yaml")
    for name, output in template["Outputs"].items():
        demand("Watch." not in json.dumps(output["Value"]) or output.get("Condition", "").startswith("Watched"), name, "needs Watch")
    essential = [m for a in of_type(monitoring, "AWS::CloudWatch::Alarm").values() if a.get("Condition") != "Full" for m in metrics_of(a)]
    most = ALARM_METRICS["essential"]
    demand(len(essential) <= most, "essential monitoring has", len(essential), f"alarm metrics; {most} are paid for")


def check_settings(template):
    """Callers reach versions; what makes no new version reaches no caller. See Settings in the template."""
    recorded = set(re.findall(r"\$\{(\w+)\}", template["Resources"]["Settings"]["Properties"]["Content"]["Fn::Sub"]))
    shared = {k: v for k, v in template["Globals"]["Function"].items() if k != "DeploymentPreference"}
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        own = {k: v for k, v in function["Properties"].items() if k not in ("DeploymentPreference", "Events")}
        missing = (parameters_in(shared, template) | parameters_in(own, template)) - recorded
        demand(not missing, "Settings must hold", sorted(missing), f"or {name} will not get a new value of it")
        demand("${Settings.VersionNumber}" in str(own.get("VersionDescription")), name, "must name Settings in its VersionDescription")
        # Another description makes CloudFormation publish a version, which Lambda refuses if the function is as it was.
        variables = [v for part in (shared, own) for v in part.get("Environment", {}).get("Variables", {}).values()]
        numbered = any("Settings.VersionNumber" in json.dumps(variable) for variable in variables)
        demand(numbered, name, "must have the number of Settings in its environment, or a change that is another function's rolls all back")
        demand(own.get("AutoPublishAliasAllProperties") is True, name, "must publish a version of every change")


def check_environments(template):
    parameters = template["Parameters"]
    needed = {name for name, parameter in parameters.items() if "Default" not in parameter}
    config = tomlkit.parse(SAMCONFIG.read_text(encoding="utf-8")).unwrap()
    asserted = json.dumps([a["Assert"] for rule in template.get("Rules", {}).values() for a in rule["Assertions"]])
    for name, environment in config.items():
        if name == "version":
            continue
        stack = environment["deploy"]["parameters"]["stack_name"]
        demand(len(stack) <= LONGEST_STACK_NAME, f"samconfig's stack {stack} is longer than {LONGEST_STACK_NAME}: not all could be named after it")
        values = environment["deploy"]["parameters"]["parameter_overrides"]
        demand(values.keys() <= parameters.keys(), f"samconfig's {name} names no parameters:", values.keys() - parameters.keys())
        example = values.get("JwtIssuer")
        demand(f'[{{"Ref": "JwtIssuer"}}, "{example}"]' in asserted, f"samconfig's {name}: no rule refuses the example {example}")
        demand(needed <= values.keys(), f"samconfig's {name} must say", needed - values.keys())
        for parameter, value in values.items():
            allowed = [str(one) for one in parameters.get(parameter, {}).get("AllowedValues", [value])]
            demand(str(value) in allowed, f"samconfig's {name} sets {parameter} to {value}, which is none of", allowed)


def check_translation(path=TEMPLATE):
    """SAM's transform, as CloudFormation runs it, for both kinds of deployment."""
    for deployment, groups in (("AllAtOnce", 0), ("Canary10Percent5Minutes", None)):
        template = read(path)
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
        shifting = [f for f in functions.values() if f["Properties"].get("DeploymentPreference", {}).get("Enabled") is not False]
        expected = len(shifting) if groups is None else groups
        demand(found == expected, f"DeploymentType {deployment} gives {found} deployment groups, not {expected}")


CHECKS = (
    check_rights, check_routes, check_queues, check_stream, check_json, check_alarms, check_settings, check_environments, check_checkpoints,
    check_first_creation, check_logs, check_concurrency,
)


def main():
    logging.disable(logging.CRITICAL)
    template, monitoring = read(TEMPLATE), read(MONITORING)
    for check in CHECKS:
        check(template)
    check_alarms(monitoring)
    check_json(monitoring)
    check_monitoring(template, monitoring)
    check_translation()
    for finding in dict.fromkeys(findings):
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
