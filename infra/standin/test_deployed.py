"""The template's stack, created on a stand-in for AWS, tried from outside: through its HTTP endpoint and its queue, and with
boto3, which shares no code with the functions.

Run by infra/try-deploy. Each test has wallets of its own.
"""

import concurrent.futures
import itertools
import json
import re
import signal
import sys
import tempfile
import time
import unittest
from decimal import Decimal

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

import template as templates
from certificate import Certificate
from deployment import Deployment
from issuer import Issuer
from server import ROOT, Server, Trouble

sys.path.append(str(ROOT / "infra"))
from table_template import table_alone  # noqa: E402: it is found by the line above

WITHIN_S = 30
SCOPES = "wallets:read wallets:write funds:deposit"
WRITERS = ("DepositRole", "WithdrawRole", "ReversalRole", "PayoutRole", "TransferRole", "WalletsRole", "RebateRole")
SETTLERS = ("SettleRole", "WithdrawRole", "ReversalRole", "PayoutRole", "TransferRole")

port, stack, issuer, certificate = 0, None, None, None
keys = (f"key {number}" for number in itertools.count())


def setUpModule():  # noqa: N802: the name is unittest's
    try:
        start()
    except Trouble as trouble:
        unittest.doModuleCleanups()
        sys.exit(f"try-deploy: {trouble}")


def start():
    """The stand-in, the issuer and the stack, for all tests together."""
    global stack, issuer, certificate
    print(f"a stand-in, which differs from AWS. Bridged here, and proved nowhere:\n\n{templates.NOTES}\n", flush=True)
    scratch = tempfile.TemporaryDirectory(prefix="wallet-standin-")
    unittest.addModuleCleanup(scratch.cleanup)
    certificate = Certificate(scratch.name)
    issuer = Issuer(certificate)
    unittest.addModuleCleanup(issuer.stop)
    server = Server(scratch.name, port, roles=True, certificate=certificate)
    unittest.addModuleCleanup(server.stop)
    server.wait()
    stack = Deployment(server, certificate, issuer)
    print("MB: " + ", ".join(f"{name} {size / 1e6:.2f}" for name, size in stack.sizes.items()), flush=True)


def prefixed(scopes):
    """As the issuer of the deployment names them."""
    prefix = stack.parameters.get("ScopePrefix", "")
    return " ".join(prefix + scope for scope in scopes.split())


def post(path, body, subject="alice", scope=SCOPES, key=None, **headers):
    return stack.call("POST", path, issuer.token(subject, prefixed(scope)), body, key or next(keys), **headers)


def get(path, subject="alice"):
    return stack.call("GET", path, issuer.token(subject, prefixed("wallets:read")))


def opened(subject="alice", balance=None):
    status, _, wallet = post("/v1/wallets", {"currency": "EUR"}, subject)
    assert status == 201, wallet
    if balance:
        status, _, deposit = post(f"/v1/wallets/{wallet['id']}/deposits", {"amount": balance, "currency": "EUR"}, "bank")
        assert status == 201, deposit
    return wallet["id"]


def transfer(source, destination, amount, **more):
    body = {"source": source, "destination": destination, "amount": amount, "currency": "EUR"}
    return post("/v1/transfers", body | more.pop("body", {}), **more)


def eventually(what, of):
    """Waits until `of()` is true, and returns it."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if found := of():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {WITHIN_S} s")


def items():
    """Every item of the table, as boto3 reads it: numbers are decimals."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table, ConsistentRead=True)
    read = TypeDeserializer()
    return [{name: read.deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def entries_of(wallet):
    return get(f"/v1/wallets/{wallet}/entries")[2]["entries"]


class Deployed(unittest.TestCase):
    maxDiff = None

    def test_money_comes_in_moves_across_and_shows_on_the_statement(self):
        alice, bob = opened("alice"), opened("bob")
        body = {"amount": "100.00", "currency": "EUR"}
        status, headers, deposit = post(f"/v1/wallets/{alice}/deposits", body, "bank", key="first")
        self.assertEqual((status, deposit["status"], deposit["amount"]), (201, "posted", "100.00"))
        again = post(f"/v1/wallets/{alice}/deposits", body, "bank", key="first")
        self.assertEqual((again[0], again[1].get("idempotent-replayed"), again[2]), (200, "true", deposit))
        eventually("the rebate", lambda: len(entries_of(alice)) == 3)

        status, headers, moved = transfer(alice, bob, "25.00")
        self.assertEqual((status, headers["location"]), (201, f"/v1/transactions/{moved['id']}"))
        self.assertEqual(get(f"/v1/transactions/{moved['id']}")[2], moved)
        statement = [(e["version"], e["type"], e["amount"], e["balance_after"]) for e in entries_of(alice)]
        self.assertEqual(statement[:3], [
            (3, "transfer", "-25.00", "76.00"), (2, "rebate", "1.00", "101.00"), (1, "deposit", "100.00", "100.00")])
        self.assertEqual(get(f"/v1/wallets/{bob}", "bob")[2]["balance"], "25.00")

    def test_a_refusal_is_answered_and_recorded(self):
        wallet = opened(balance="5.00")
        status, headers, problem = post(f"/v1/wallets/{wallet}/withdrawals", {"amount": "99.00", "currency": "EUR"})
        self.assertEqual((status, problem["code"]), (422, "insufficient_funds"))
        self.assertEqual(headers["content-type"], "application/problem+json")
        attempts = get(f"/v1/wallets/{wallet}/attempts")[2]["attempts"]
        self.assertEqual([attempt["amount"] for attempt in attempts], ["99.00"])

    def test_a_movement_is_undone_once(self):
        wallet = opened()
        _, _, deposit = post(f"/v1/wallets/{wallet}/deposits", {"amount": "10.00", "currency": "EUR"}, "bank")
        eventually("the rebate", lambda: len(entries_of(wallet)) == 3)
        path, admin = f"/v1/transactions/{deposit['id']}/reversals", {"subject": "root", "scope": "wallets:admin"}
        self.assertEqual(post(path, {}, **admin)[0], 201)
        self.assertEqual(post(path, {}, **admin)[2]["code"], "already_reversed")
        self.assertEqual(get(f"/v1/wallets/{wallet}")[2]["balance"], "0.00", "with its rebate")

    def test_who_has_no_good_token_with_the_scope_reaches_no_function(self):
        path, scope = "/v1/wallets", "wallets:read"
        self.assertEqual(stack.call("GET", path)[0], 401)
        for wrong in ({"exp": 1}, {"aud": "others"}, {"iss": "https://elsewhere.example/"}, {"key": issuer.strangers_key}):
            self.assertEqual(stack.call("GET", path, issuer.token("alice", scope, **wrong))[0], 401, wrong)
        self.assertEqual(stack.call("GET", path, issuer.token("alice", "wallets:write"))[0], 403)
        self.assertEqual(stack.call("GET", path, issuer.token("alice", scope))[0], 200)
        self.assertEqual(stack.call("GET", "/v1/elsewhere", issuer.token("alice", scope))[0], 404)
        self.assertEqual(stack.call("GET", f"/v1/wallets/{opened('alice')}", issuer.token("mallory", scope))[0], 404)

    def test_every_route_asks_for_its_scope(self):
        wallet, transaction = f"wal_{0:032}", f"txn_{0:032}"
        for function in templates.of_type(stack.template, "AWS::Serverless::Function").values():
            for event in function["Properties"].get("Events", {}).values():
                if event["Type"] != "HttpApi":
                    continue
                route = event["Properties"]
                path = route["Path"].format(wallet_id=wallet, transaction_id=transaction, hold_id=transaction)
                scope = route["Auth"]["AuthorizationScopes"][0]["Fn::Sub"].removeprefix("${ScopePrefix}")
                with self.subTest(f"{route['Method']} {path}"):
                    body = None if route["Method"] == "GET" else {}
                    others = " ".join({*SCOPES.split(), "wallets:admin"} - {scope})
                    self.assertEqual(stack.call(route["Method"], path, issuer.token("alice", others), body)[0], 403)
                    answer = stack.call(route["Method"], path, issuer.token("alice", scope), body)
                    self.assertTrue(answer[0] == 200 or answer[2].get("code"), f"the function has answered: {answer}")

    def test_a_hold_is_captured_a_payout_paid_and_a_queued_transfer_executed(self):
        alice, bob, carol = opened("alice", "50.00"), opened("bob"), opened("carol")
        eur = {"currency": "EUR"}
        status, _, hold = post("/v1/holds", eur | {"source": alice, "destination": bob, "amount": "10.00"}, "alice")
        self.assertEqual((status, hold["status"]), (201, "active"))
        self.assertEqual(post(f"/v1/holds/{hold['id']}/captures", {"amount": "4.00"}, "bob")[0], 201)
        self.assertEqual(get(f"/v1/holds/{hold['id']}", "alice")[2]["status"], "captured")
        payments = [{"destination": bob, "amount": "1.00"}, {"destination": carol, "amount": "2.00"}]
        self.assertEqual(post("/v1/payouts", eur | {"source": alice, "payments": payments}, "alice")[0], 201)
        body = eur | {"source": alice, "destination": carol, "amount": "3.00"}
        status, _, queued = post("/v1/transfers", body, "alice", **{"Prefer": "respond-async"})
        self.assertEqual((status, queued["status"]), (202, "queued"))
        path = f"/v1/transactions/{queued['id']}"
        eventually("executed", lambda: get(path, "alice")[2]["status"] == "posted")
        self.assertEqual(get(f"/v1/wallets/{carol}", "carol")[2]["balance"], "5.00")

    def test_boto3_finds_that_everything_adds_up(self):
        alice, bob = opened("alice", "50.00"), opened("bob")
        eventually("the rebate", lambda: len(entries_of(alice)) == 3)
        self.assertEqual(transfer(alice, bob, "12.34")[0], 201)
        wallets, entries, transactions = {}, {}, {}
        for item in items():
            if item["SK"] == "WALLET":
                wallets[item["PK"]] = item
            elif item["SK"] == "TXN":
                transactions[item["id"]] = item
            elif item["SK"].startswith("ENTRY#"):
                entries.setdefault(item["PK"], []).append(item)
        self.assertLessEqual({f"WALLET#{alice}", f"WALLET#{bob}"}, wallets.keys())
        for name, wallet in wallets.items():
            chain = sorted(entries[name], key=lambda entry: entry["SK"])
            version, balance = 0, Decimal(0)
            for entry in chain:
                # Rows that one commit made: the item has the first one's version and the last one's balance.
                self.assertEqual(entry["SK"], f"ENTRY#{version:016}", name)
                version, balance = version + len(entry["rows"]), balance + sum(row["amount"] for row in entry["rows"])
                self.assertEqual(entry["balance_after"], balance, name)
                self.assertLessEqual({row["transaction_id"] for row in entry["rows"]}, transactions.keys())
            self.assertEqual((version, balance), (wallet["version"] + 1, wallet["balance"]), name)
            self.assertEqual([e["previous_hash"] for e in chain[1:]], [e["hash"] for e in chain[:-1]])
            self.assertEqual(chain[-1]["hash"], wallet["head_hash"])
        for transaction in transactions.values():
            legs = transaction.get("legs", [])
            self.assertEqual(sum((leg["amount"] for leg in legs), Decimal(0)), 0, transaction)

    def test_a_message_that_comes_again_pays_nothing(self):
        wallet = opened()
        _, _, deposit = post(f"/v1/wallets/{wallet}/deposits", {"amount": "20.00", "currency": "EUR"}, "bank")
        eventually("the rebate", lambda: len(entries_of(wallet)) == 3)
        stream = stack.client("dynamodb").describe_table(TableName=stack.table)["Table"]["LatestStreamArn"]
        message = {"source": stream, "deposit_id": deposit["id"], "wallet_id": wallet, "rule_id": "standard"}
        sqs, queue = stack.client("sqs"), stack.outputs()["RebateQueueUrl"]
        # In one batch with a message that nobody can read, which harms no other.
        bodies = [json.dumps(message), "no JSON", json.dumps(message)]
        batch = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        sent = {m["Id"]: m["MessageId"] for m in sqs.send_message_batch(QueueUrl=queue, Entries=batch)["Successful"]}

        def outcomes():
            # Messages of one batch that ask for the same have one line.
            lines = {message: line for line in stack.logged("rebate") for message in line.get("message_id", "").split()}
            return lines if set(sent.values()) <= lines.keys() else None

        lines = eventually("three lines of the rebate function", outcomes)
        self.assertEqual([lines[sent[number]].get("replayed") for number in "02"], [True, True])
        self.assertIsNotNone(lines[sent["1"]].get("cause"))
        self.assertEqual([entry["type"] for entry in entries_of(wallet)], ["rebate", "deposit", "opening"])
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        self.assertEqual(attributes["ApproximateNumberOfMessages"], "0")
        self.assertEqual(attributes["ApproximateNumberOfMessagesNotVisible"], "1", "the unreadable one waits to be tried again")

    def test_boto3_invokes_a_function_with_an_event(self):
        wallet = opened(balance="7.00")
        path = f"/v1/wallets/{wallet}"
        event = {
            "version": "2.0", "routeKey": "GET /v1/wallets/{wallet_id}", "rawPath": path, "rawQueryString": "", "headers": {},
            "pathParameters": {"wallet_id": wallet}, "isBase64Encoded": False,
            "requestContext": {
                "accountId": "000000000000", "apiId": "by-hand", "domainName": "by-hand", "domainPrefix": "by-hand",
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "boto3"},
                "requestId": "by-hand", "routeKey": "GET /v1/wallets/{wallet_id}", "stage": "$default",
                "time": "21/Nov/2026:03:07:00 +0000", "timeEpoch": 1795230420123,
                "authorizer": {"jwt": {"claims": {"sub": "alice", "scope": "wallets:read"}, "scopes": ["wallets:read"]}},
            },
        }
        name = stack.resources["WalletsFunction"]
        answer = stack.client("lambda").invoke(FunctionName=name, Qualifier="live", Payload=json.dumps(event))
        reply = json.load(answer["Payload"])
        self.assertEqual((answer.get("FunctionError"), reply["statusCode"]), (None, 200), reply)
        self.assertIn(json.loads(reply["body"])["balance"], ("7.00", "7.07"))

    def test_who_subscribes_to_the_bus_hears_of_a_transfer(self):
        events, sqs = stack.client("events"), stack.client("sqs")
        queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        bus = stack.outputs()["EventBusName"]
        pattern = {"source": ["wallet-functions"], "detail-type": ["wallet.transaction"], "detail": {"type": ["transfer"]}}
        events.put_rule(Name="transfers", EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule="transfers", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        alice, bob = opened("alice", "5.00"), opened("bob")
        _, _, moved = transfer(alice, bob, "1.50")

        def heard():
            messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            details = [json.loads(message["Body"])["detail"] for message in messages]
            return [detail for detail in details if detail["transaction_id"] == moved["id"]]

        (detail,) = eventually("the event", heard)
        self.assertEqual(detail, {
            "version": 1, "transaction_id": moved["id"], "type": "transfer", "status": "posted", "code": None, "wallet_id": alice,
            "counterparty": bob, "amount": "1.5", "currency": "EUR", "parent_id": None, "created_at": moved["created_at"]})

    def test_a_record_that_cannot_be_read_is_kept_whole(self):
        item = {"PK": {"S": "TXN#nonsense"}, "SK": {"S": "TXN"}, "id": {"S": "nonsense"}}
        dynamodb, sqs = stack.client("dynamodb"), stack.client("sqs")
        dynamodb.put_item(TableName=stack.table, Item=item)
        self.addCleanup(dynamodb.delete_item, TableName=stack.table, Key={name: item[name] for name in ("PK", "SK")})
        queue = stack.outputs()["DispatchDeadLettersUrl"]
        letters = eventually("the dead letter", lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
        self.assertEqual(json.loads(letters[0]["Body"])["dynamodb"]["NewImage"], item)

    def test_what_waits_in_an_inbox_is_settled_to_the_cent(self):
        status, _, shop = post("/v1/wallets", {"currency": "EUR", "credits": "batched"}, "shop", "wallets:write wallets:admin")
        self.assertEqual(status, 201, shop)
        payers = [opened(f"payer {number}", "50.00") for number in range(8)]

        def pay(number):
            payer = number % len(payers)
            for _ in range(100):
                status, _, answer = transfer(payers[payer], shop["id"], "0.25", subject=f"payer {payer}", key=f"to the shop {number}")
                if status not in (409, 502, 503, 504):
                    return status
                time.sleep(0.05)
            return answer

        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            self.assertEqual(set(callers.map(pay, range(200))), {201})
        settled = eventually("all settled", lambda: (get(f"/v1/wallets/{shop['id']}", "shop")[2]["balance"] == "50.00"))
        self.assertTrue(settled)
        self.assertEqual([item for item in items() if item["PK"].startswith("INBOX#")], [])
        folded = sum(line.get("credits_folded") or 0 for line in stack.logged("settle"))
        print(f"\n200 transfers, {folded} credits settled by {len(stack.logged('settle'))} passes")

    def test_who_settles_deletes_from_inboxes_in_transactions_and_nothing_else_is_deleted(self):
        def delete(dynamodb, pk):
            key = {"PK": {"S": pk}, "SK": {"S": "nothing"}}
            action = {"TableName": stack.table, "Key": key, "ConditionExpression": "attribute_exists(PK)"}
            dynamodb.transact_write_items(TransactItems=[{"Delete": action}])

        for role in {*WRITERS, *SETTLERS, "TransactionsRole"}:
            dynamodb, may = stack.as_role(role)("dynamodb"), role in SETTLERS
            for pk, expected in (("INBOX#nobody", may), ("WALLET#nobody", False), ("TXN#nobody", False)):
                with self.subTest(f"{role} {pk}"):
                    # The condition fails: what gets that far was allowed.
                    self.refused("TransactionCanceledException" if expected else "AccessDeniedException", lambda: delete(dynamodb, pk))
        settle = stack.as_role("SettleRole")("dynamodb")
        for pk, expected in (("WALLET#nobody", "TransactionCanceledException"), ("TXN#nobody", "AccessDeniedException")):
            put = {"TableName": stack.table, "Item": {"PK": {"S": pk}, "SK": {"S": "nothing"}}, "ConditionExpression": "attribute_exists(PK)"}
            self.refused(expected, lambda: settle.transact_write_items(TransactItems=[{"Put": put}]))

    def test_roles_let_functions_write_in_transactions_only(self):
        key = {"PK": {"S": "NOBODY"}, "SK": {"S": "NOTHING"}}
        put = {"TableName": stack.table, "Item": key, "ConditionExpression": "attribute_exists(PK)"}
        update = {"TableName": stack.table, "Key": key, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"S": "x"}}}
        for role in (*WRITERS, "TransactionsRole"):
            dynamodb = stack.as_role(role)("dynamodb")
            alone = {
                "PutItem": lambda: dynamodb.put_item(TableName=stack.table, Item=key),
                "UpdateItem": lambda: dynamodb.update_item(**update),
                "DeleteItem": lambda: dynamodb.delete_item(TableName=stack.table, Key=key),
                "BatchWriteItem": lambda: dynamodb.batch_write_item(RequestItems={stack.table: [{"PutRequest": {"Item": key}}]}),
                "Scan": lambda: dynamodb.scan(TableName=stack.table),
                "a deletion in a transaction": lambda: dynamodb.transact_write_items(
                    TransactItems=[{"Delete": {"TableName": stack.table, "Key": key}}]),
            }
            for what, call in alone.items():
                with self.subTest(f"{role}: {what}"):
                    self.refused("AccessDeniedException", call)
            with self.subTest(f"{role}: a write in a transaction"):
                # The condition fails: what gets that far was allowed.
                expected = "TransactionCanceledException" if role in WRITERS else "AccessDeniedException"
                self.refused(expected, lambda: dynamodb.transact_write_items(TransactItems=[{"Put": put}]))
            with self.subTest(f"{role}: a read"):
                self.assertNotIn("Item", dynamodb.get_item(TableName=stack.table, Key=key))
        self.assertEqual([item for item in items() if item["PK"] == "NOBODY"], [])

    def refused(self, code, call):
        with self.assertRaises(ClientError) as caught:
            call()
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_transfers_at_once_lose_nothing_and_their_conflicts_are_counted(self):
        alice, bob = opened("alice", "100.00"), opened("bob", "100.00")
        eventually("the rebates", lambda: len(entries_of(alice)) == 3 and len(get(f"/v1/wallets/{bob}/entries", "bob")[2]["entries"]) == 3)

        def there_and_back(number):
            source, destination, subject = [(alice, bob, "alice"), (bob, alice, "bob")][number % 2]
            strategy, key = ("optimistic", "pessimistic")[number // 2 % 2], f"at once {time.time_ns()} {number}"
            for _ in range(100):
                status, _, answer = transfer(source, destination, "0.10", subject=subject, key=key, body={"locking_strategy": strategy})
                # 502 to 504 are the gateway's own: a function that took too long to start on a busy machine.
                if status not in (409, 502, 503, 504):
                    return status
                time.sleep(0.05)
            return answer

        conflicts, rounds = 0, 0
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            while conflicts == 0 and rounds < 10:
                rounds += 1
                self.assertEqual(set(callers.map(there_and_back, range(24))), {201})
                lines = stack.logged("transfer")
                conflicts = sum(line.get("conflicts", 0) for line in lines)
        self.assertGreater(conflicts, 0, "of two that meet on a wallet one loses")
        self.assertEqual([line for line in lines if "_aws" in line], [], "metrics of each request come with full monitoring alone")
        balances = [get(f"/v1/wallets/{wallet}", subject)[2]["balance"] for wallet, subject in ((alice, "alice"), (bob, "bob"))]
        self.assertEqual(balances, ["101.00", "101.00"], "as many went there as came back")
        print(f"\n{len(lines)} transfers, {conflicts} conflicts")


    def test_the_audit_may_add_a_checkpoint_and_neither_change_nor_delete_one(self):
        s3, bucket, key = stack.as_role("AuditRole")("s3"), stack.outputs()["CheckpointBucketName"], "checkpoints/2026-11-21T00:00:00Z"
        self.refused("AccessDenied", lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"unasked"))
        self.refused("AccessDenied", lambda: s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"elsewhere", IfNoneMatch="*"))
        s3.put_object(Bucket=bucket, Key=key, Body=b"first", IfNoneMatch="*")
        self.refused("PreconditionFailed", lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"second", IfNoneMatch="*"))
        found = s3.list_objects_v2(Bucket=bucket, Prefix="checkpoints/")["Contents"]
        self.assertEqual([(o["Key"], s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()) for o in found], [(key, b"first")])
        self.refused("AccessDenied", lambda: s3.list_objects_v2(Bucket=bucket))
        self.refused("AccessDenied", lambda: s3.delete_object(Bucket=bucket, Key=key))
        self.assertEqual(stack.client("s3").get_bucket_versioning(Bucket=bucket)["Status"], "Enabled")


class FirstCreation(unittest.TestCase):
    def left_behind(self, name, **policies):
        """Tables and buckets of a stack whose creation fails once they are there."""
        def broken(template):
            for resource, policy in policies.items():
                template["Resources"][resource]["DeletionPolicy"] = policy
            template["Resources"]["Refused"] = {
                "Type": "AWS::CloudWatch::Alarm", "DependsOn": ["Table", "Checkpoints", "TransferFunction"],
                "Properties": {"MetricName": "Nothing", "Namespace": "Nothing", "ComparisonOperator": "GreaterThanThreshold"},
            }

        with self.assertRaisesRegex(Trouble, "Threshold"):
            stack.apply("create", broken, stack=name)
        buckets = [bucket["Name"] for bucket in stack.client("s3").list_buckets()["Buckets"]]
        return [n for n in (*stack.client("dynamodb").list_tables()["TableNames"], *buckets) if n.startswith(f"{name}-")]

    def test_a_creation_that_fails_leaves_nothing_behind(self):
        self.assertEqual(self.left_behind("failed"), [])
        self.assertEqual(len(self.left_behind("failed-otherwise", Table="Retain")), 1, "what was retained would be left")


# Each parameter of the template, and another value than its first.
OTHER_VALUES = {
    "JwtAudience": "wallet-functions,others",
    "ScopePrefix": "wallets-api/",
    "CorsOrigins": "https://wallet.example.com,https://other.example.com",
    "LockingStrategy": "pessimistic",
    "RebateRules": '[{"id":"spring","basis_points":250}]',
    "TransferFee": '{"basis_points":100}',
    "ReversalReturnsFee": "false",
    "ThrottlingRatePerSecond": "900",
    "ThrottlingBurst": "400",
    "FunctionMemoryMegabytes": "640",
    "RebateConcurrency": "3",
    "RequestsConcurrency": "3",
    "SettleConcurrency": "3",
    "AuditSchedule": "",
    "AuditAlarmHours": "50",
    "AuditReadUnitsPerSecond": "1000",
    "AuditMemoryMegabytes": "2048",
    "CheckpointLockMode": "COMPLIANCE",
    "CheckpointLockDays": "30",
    "DeletionProtection": "true",
    "CustomerManagedKey": "true",
    "LogRetentionDays": "30",
    "LogLevel": "warn",
    "Monitoring": "full",
    "AlarmEmail": "oncall@example.com",
    "LatencyAlarmMilliseconds": "500",
    "ConflictsAlarmPerMinute": "30",
    "DeploymentType": "Canary10Percent5Minutes",
    # Last, for the tokens before are the first issuer's.
    "JwtIssuer": None,
}


class Redeployed(unittest.TestCase):
    """After the rest: it changes the stack."""

    def test_1_another_fee_reaches_the_callers_as_a_new_version(self):
        alice, bob = opened("alice", "50.00"), opened("bob")
        self.assertEqual(transfer(alice, bob, "10.00")[2]["fee"], "0.00")
        before = stack.live()["TransferFunction"]
        stack.apply("update", TransferFee='{"basis_points":50}')
        after = stack.live()["TransferFunction"]
        self.assertNotEqual(after, before)
        _, _, moved = transfer(alice, bob, "10.00")
        self.assertEqual(moved["fee"], "0.05")
        line = next(line for line in stack.logged("transfer") if line.get("transaction_id") == moved["id"])
        self.assertEqual(line["function_version"], after)

    def test_2_a_version_that_would_be_the_one_before_is_refused(self):
        def without_the_number(template):
            del template["Globals"]["Function"]["Environment"]["Variables"]["SETTINGS_VERSION"]

        stack.apply("update", without_the_number)
        before = stack.live()
        # The pace is the audit's alone; no other function changes, and yet its version has another description.
        with self.assertRaisesRegex(Trouble, "A version for this Lambda function exists"):
            stack.apply("update", without_the_number, AuditReadUnitsPerSecond="1400")
        self.assertEqual(stack.live(), before, "all has been taken back")
        stack.apply("update")

    def test_3_each_parameter_can_be_changed(self):
        global issuer
        self.assertEqual(OTHER_VALUES.keys(), stack.template["Parameters"].keys())
        settings = set(re.findall(r"\$\{(\w+)\}", stack.template["Resources"]["Settings"]["Properties"]["Content"]["Fn::Sub"]))
        other = Issuer(certificate)
        self.addCleanup(other.stop)
        versions, took = stack.live(), {}
        for name, value in OTHER_VALUES.items():
            with self.subTest(name):
                started = time.monotonic()
                stack.apply("update", **{name: other.url if value is None else value})
                took[name] = time.monotonic() - started
                now = stack.live()
                moved = {function for function in now if now[function] != versions[function]}
                self.assertEqual(moved, set(now) if name in settings else set(), "a setting reaches all functions, another none")
                versions = now
                if name == "ScopePrefix":
                    refused = stack.call("GET", "/v1/wallets", issuer.token("alice", "wallets:read"))
                    self.assertEqual(refused[0], 403, "the scope without its prefix")
                if name == "JwtIssuer":
                    self.assertEqual(get("/v1/wallets")[0], 401)
                    issuer = other
                status, _, answer = post("/v1/wallets", {"currency": "EUR"})
                self.assertEqual(status, 201, answer)
                if name == "Monitoring":
                    lines = [line for line in stack.logged("wallets") if "_aws" in line]
                    self.assertEqual([line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines], ["WalletFunctions"])
                    url = stack.outputs()["DashboardUrl"]
                    self.assertIn("dashboards", url)
        slowest = max(took, key=took.get)
        print(f"\n{len(took)} parameters changed in {sum(took.values()):.0f} s, {slowest} in {took[slowest]:.1f} s")

    def test_4_the_issuer_of_the_example_is_refused_with_a_sentence(self):
        with self.assertRaises(ClientError) as caught:
            stack.apply("update", JwtIssuer="https://issuer.example.com/")
        self.assertIn("JwtIssuer is still the example", str(caught.exception))


class Restored(unittest.TestCase):
    """After the rest: it makes another stack. The steps of docs/deploying/restoring.md, with a copy in place of a restored table."""

    def test_a_table_that_is_there_is_attached_to_a_new_stack(self):
        wallet = opened("alice", "12.00")
        eventually("the rebate", lambda: len(entries_of(wallet)) == 3)
        dynamodb, alone = stack.client("dynamodb"), table_alone()
        definition = alone["Resources"]["Table"]["Properties"]
        dynamodb.create_table(TableName="restored", **definition)
        pages = dynamodb.get_paginator("scan").paginate(TableName=stack.table, ConsistentRead=True)
        copied = [dynamodb.put_item(TableName="restored", Item=item) for page in pages for item in page["Items"]]

        def named(template):
            template["Resources"]["Table"]["Properties"]["TableName"] = "restored"

        named(alone)
        stack.attach("again", "restored", alone)
        stack.apply("update", named, stack="again", CustomerManagedKey="false")
        self.assertEqual(stack.outputs("again")["TableName"], "restored")
        described = dynamodb.describe_table(TableName="restored")["Table"]
        self.assertEqual(described["StreamSpecification"], {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        self.assertEqual(len(dynamodb.scan(TableName="restored", ConsistentRead=True)["Items"]), len(copied), "nothing is gone")
        host = stack.host_of("again")
        token = issuer.token("alice", prefixed(SCOPES))
        status, _, found = stack.call("GET", f"/v1/wallets/{wallet}", token, host=host)
        self.assertEqual((status, found["balance"]), (200, get(f"/v1/wallets/{wallet}")[2]["balance"]))
        body = {"amount": "2.00", "currency": "EUR"}
        status, _, moved = stack.call("POST", f"/v1/wallets/{wallet}/withdrawals", token, body, "after it was restored", host=host)
        self.assertEqual(status, 201, moved)


if __name__ == "__main__":
    port = int(sys.argv.pop(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unittest.main(verbosity=2)
