"""Prints a template that holds the table alone, as template.yaml has it: with it CloudFormation imports a table that is there, one
that was restored or that stayed when its stack went. docs/deploying/restoring.md has the steps.

    target/venv/bin/python infra/table_template.py > table.json

Leaves out what is set by the deployment that follows: the stream, the encryption, the backup and the protection.
"""

import json

from template_rules import TEMPLATE, read

KEPT = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def table_alone():
    table = read(TEMPLATE)["Resources"]["Table"]
    properties = {name: table["Properties"][name] for name in KEPT}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Table": table | {"Properties": properties}}}


if __name__ == "__main__":
    print(json.dumps(table_alone(), indent=2))
