"""Starts ministack, which takes a batch of messages for a right of its own, and doesn't tell policies two things that ours rest on. Here
it does as AWS does.

In AWS who may send a message may send ten in one call: `sqs:SendMessageBatch` is no action of IAM.

Whether a put to S3 carries `If-None-Match`: AWS has the condition key `s3:if-none-match`, which the audit's role names. And the
partition key of each item that a transaction writes, `dynamodb:LeadingKeys`, which the roles name that settle: AWS has that key, and
does not document how it is filled inside a transaction of several keys; here each action is told of its own item's.

Run by server.py, with the Python that has ministack.
"""

import json

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator

told, checks_of, enforced = iam_actions._s3_object_context, iam_actions.dynamodb_transaction_checks, iam_evaluator.enforce


class OfItem(str):
    """An action, and the partition key of the item that it is about."""

    leading_key = None


def told_more(action, query, path, headers):
    context = told(action, query, path, headers)
    if action == "s3:PutObject" and headers.get("if-none-match"):
        context["s3:if-none-match"] = headers["if-none-match"]
    return context


def checks_with_keys(iam_action, body, region, account_id):
    checks = checks_of(iam_action, body, region, account_id)
    details = [detail for item in json.loads(body)["TransactItems"] for detail in item.values()] if checks else []
    # Whoever names something else in a transaction than one action for each item is told of no keys, and so refused.
    if len(details) != len(checks):
        return checks
    marked = []
    for (action, arn), detail in zip(checks, details):
        action = OfItem(action)
        action.leading_key = (detail.get("Key") or detail.get("Item") or {}).get("PK", {}).get("S")
        marked.append((action, arn))
    return marked


def enforce_with_keys(access_key, action, *arguments, **named):
    if action == "sqs:SendMessageBatch":
        action = "sqs:SendMessage"
    key = getattr(action, "leading_key", None)
    if key is not None:
        named["service_context"] = {**(named.get("service_context") or {}), "dynamodb:LeadingKeys": [key]}
    return enforced(access_key, action, *arguments, **named)


iam_actions._s3_object_context = told_more
iam_actions.dynamodb_transaction_checks = checks_with_keys
iam_evaluator.enforce = enforce_with_keys

if __name__ == "__main__":
    main()
