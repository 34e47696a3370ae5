"""Makes of template.yaml and infra/monitoring.yaml what the stand-in can create. There is no second template: SAM's own transform
runs first, as CloudFormation runs it, and what is changed after it is changed by rule and named in `NOTES`.
"""

import json
import logging
import re

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from server import REGION, ROOT

NOTES = """\
  routes     an API takes no OpenAPI body there: its routes, integrations and authorizer are created one by one
  streams    nobody needs rights on one there, and a function's answer about single records is passed over: what could not be sent
             is not tried again
  keys       no policy is told of dynamodb:LeadingKeys there: each action of a transaction is told of its own item's, which is what
             we take AWS to do
  batches    to send ten messages in one call is a right of its own there: it is the right to send one, as in AWS
  alarms     those over several metrics are left out, and none has an ARN: the dashboard has their names
  imports    an imported table is kept there only if the template has its name
  S3         a bucket of a stack has no Object Lock there
  deployment CodeDeploy is not there: traffic moves all at once, whatever DeploymentType says
  puts to S3 no policy is told of If-None-Match there: it is told, as AWS tells it
  numbers    a parameter stays a text there: the bounds on the concurrency of the queues' functions are written out
  processor  the functions run on the one of this machine, not on arm64"""


def read(name="template.yaml"):
    return yaml_parse((ROOT / name).read_text(encoding="utf-8"))


def binaries(template):
    """The binary of each function, by its logical name."""
    functions = of_type(template, "AWS::Serverless::Function").items()
    return {name: function["Metadata"]["BuildProperties"]["Binary"] for name, function in functions}


def target(value):
    """The logical name behind `!GetAtt X.Y`."""
    attribute = value["Fn::GetAtt"]
    return (attribute if isinstance(attribute, list) else attribute.split("."))[0]


def of_type(template, kind):
    return {name: r for name, r in template["Resources"].items() if r["Type"] == kind}


def monitoring():
    """The nested template."""
    template = read("infra/monitoring.yaml")
    leave_out_alarms(template)
    return template


def plain(code, parameters, architecture, monitoring_url, change):
    """The template without SAM. `code` has the URI of each function's archive, by its logical name. `change` is done to the
    template first."""
    template = read()
    change(template)
    template["Resources"]["Watch"]["Properties"]["TemplateURL"] = monitoring_url
    template["Globals"]["Function"]["Architectures"] = [architecture]
    for name, uri in code.items():
        template["Resources"][name]["Properties"]["CodeUri"] = uri
    values = {name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p} | parameters
    values["DeploymentType"] = "AllAtOnce"
    logging.disable(logging.WARNING)
    transformed = Translator({}, Parser(), None, boto3.Session(region_name=REGION)).translate(template, values)
    logging.disable(logging.NOTSET)
    # Unchanged but for these.
    spell_out_routes(transformed)
    leave_out_alarms(transformed)
    for mapping in of_type(transformed, "AWS::Lambda::EventSourceMapping").values():
        scaling = mapping["Properties"].get("ScalingConfig", {})
        if isinstance(scaling.get("MaximumConcurrency"), dict):
            scaling["MaximumConcurrency"] = int(values[scaling["MaximumConcurrency"]["Ref"]])
    return transformed


def spell_out_routes(template):
    """The API's OpenAPI body as resources of their own. Permissions and stage are there already, from SAM."""
    resources = template["Resources"]
    (name, api), = of_type(template, "AWS::ApiGatewayV2::Api").items()
    body = api["Properties"].pop("Body")
    api["Properties"] |= {"Name": body["info"]["title"], "ProtocolType": "HTTP"}
    for scheme, definition in body["components"]["securitySchemes"].items():
        authorizer = definition["x-amazon-apigateway-authorizer"]
        resources[f"{name}{scheme}Authorizer"] = {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": {"Ref": name},
                "Name": scheme,
                "AuthorizerType": authorizer["type"].upper(),
                "IdentitySource": [authorizer["identitySource"]],
                "JwtConfiguration": {
                    "Issuer": authorizer["jwtConfiguration"]["issuer"],
                    "Audience": authorizer["jwtConfiguration"]["audience"],
                },
            },
        }
    operations = ((path, method, o) for path, methods in body["paths"].items() for method, o in methods.items())
    for number, (path, method, operation) in enumerate(operations):
        integration = operation["x-amazon-apigateway-integration"]
        resources[f"{name}Integration{number}"] = {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": name},
                "IntegrationType": integration["type"].upper(),
                "IntegrationMethod": integration["httpMethod"],
                "IntegrationUri": integration["uri"],
                "PayloadFormatVersion": integration["payloadFormatVersion"],
            },
        }
        ((scheme, scopes),) = operation["security"][0].items()
        resources[f"{name}Route{number}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": name},
                "RouteKey": f"{method.upper()} {path}",
                "Target": {"Fn::Sub": f"integrations/${{{name}Integration{number}}}"},
                "AuthorizationType": "JWT",
                "AuthorizerId": {"Ref": f"{name}{scheme}Authorizer"},
                "AuthorizationScopes": scopes,
            },
        }


def leave_out_alarms(template):
    resources = template["Resources"]
    gone = {name for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items() if "Metrics" in alarm["Properties"]}
    for name in gone:
        del resources[name]
    for dashboard in of_type(template, "AWS::CloudWatch::Dashboard").values():
        text = re.sub(r"\$\{(\w+Alarm)\.Arn\}", r"\1", json.dumps(dashboard["Properties"]))
        dashboard["Properties"] = json.loads(text)
