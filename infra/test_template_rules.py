"""Each rule of template_rules.py finds its fault: the templates as they are, with one thing made wrong, and what is then said.

Run by infra/check-template.
"""

import copy
import tempfile
import unittest
from pathlib import Path

import template_rules as rules

TEMPLATE, MONITORING = rules.read(rules.TEMPLATE), rules.read(rules.MONITORING)


def found(check, *templates):
    rules.findings.clear()
    check(*templates)
    return "\n".join(rules.findings)


class EachRule(unittest.TestCase):
    def finds(self, check, wrong, expected):
        """With `wrong` done to it the template no longer passes `check`, which says `expected`."""
        with self.subTest(expected):
            self.assertEqual(found(check, copy.deepcopy(TEMPLATE)), "")
            template = copy.deepcopy(TEMPLATE)
            wrong(template["Resources"], template)
            self.assertIn(expected, found(check, template))

    def test_rights(self):
        def rights(name):
            return lambda resources: resources[name]["Properties"]["PolicyDocument"]["Statement"][0]

        def unconditional(resources, _):
            del rights("WriteRights")(resources)["Condition"]

        def deletes(resources, _):
            rights("WriteRights")(resources)["Action"].append("dynamodb:DeleteItem")

        def foreign(resources, _):
            resources["DepositRole"]["Properties"]["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/AdministratorAccess")

        def writes(resources, _):
            resources["TransactionsRole"]["Properties"]["ManagedPolicyArns"].append({"Ref": "WriteRights"})

        def shared(resources, _):
            resources["WithdrawFunction"]["Properties"]["Role"] = {"Fn::GetAtt": ["DepositRole", "Arn"]}

        def overwrites(resources, _):
            (put,) = [s for s in rules.statements("AuditRole", {"Resources": resources}) if s["Action"] == "s3:PutObject"]
            del put["Condition"]

        def settles_all(resources, _):
            (delete,) = [s for s in rights_of(resources, "InboxRights") if s["Action"] == "dynamodb:DeleteItem"]
            del delete["Condition"]["Null"]

        def settler(resources, _):
            resources["DepositRole"]["Properties"]["ManagedPolicyArns"].append({"Ref": "InboxRights"})

        def folds_records(resources, _):
            (write,) = [s for s in rules.statements("SettleRole", {"Resources": resources}) if "dynamodb:PutItem" in s["Action"]]
            del write["Condition"]["ForAllValues:StringLike"]

        def elsewhere(resources, _):
            (send,) = [s for s in rules.statements("DispatchRole", {"Resources": resources}) if s["Action"] == "sqs:SendMessage"]
            send["Resource"].append({"Fn::GetAtt": ["RebateDeadLetters", "Arn"]})

        def rights_of(resources, name):
            return resources[name]["Properties"]["PolicyDocument"]["Statement"]

        self.finds(rules.check_rights, settles_all, "deletes more than what was settled")
        self.finds(rules.check_rights, settler, "DepositRole, statement DeleteSettledInTransactionsOnly: {'dynamodb:DeleteItem'} is too much")
        self.finds(rules.check_rights, folds_records, "SettleRole, statement WriteInTransactionsOnly: allows writes outside")
        self.finds(rules.check_rights, elsewhere, "sends to other queues than are read")
        self.finds(rules.check_rights, unconditional, "allows writes outside of a transaction")
        self.finds(rules.check_rights, deletes, "{'dynamodb:DeleteItem'} is too much")
        self.finds(rules.check_rights, foreign, "takes a policy that is not of this template")
        self.finds(rules.check_rights, writes, "TransactionsFunction may only read")
        self.finds(rules.check_rights, shared, "needs a role of its own")
        self.finds(rules.check_rights, overwrites, "{'s3:PutObject'} is too much")

    def test_routes_and_queues(self):
        def auth(resources):
            return resources["TransferFunction"]["Properties"]["Events"]["Transfer"]["Properties"]["Auth"]

        def plain(resources, _):
            auth(resources)["AuthorizationScopes"] = ["wallets:write"]

        def several(resources, _):
            auth(resources)["AuthorizationScopes"] *= 2

        def short(resources, _):
            resources["RebateQueue"]["Properties"]["VisibilityTimeout"] = 60

        def greedy(_, template):
            template["Parameters"]["RebateConcurrency"]["Default"] = 10

        self.finds(rules.check_routes, plain, "must put ScopePrefix before its scope")
        self.finds(rules.check_routes, several, "must ask for exactly one scope")
        self.finds(rules.check_queues, short, "under six times")
        self.finds(rules.check_concurrency, greedy, "most of the 10")

    def test_the_stream(self):
        def event(resources):
            return resources["DispatchFunction"]["Properties"]["Events"]["Stream"]["Properties"]

        def latest(resources, _):
            event(resources)["StartingPosition"] = "LATEST"

        def forgets(resources, _):
            del event(resources)["DestinationConfig"]

        def impatient(resources, _):
            event(resources)["MaximumRetryAttempts"] = 3

        def second(resources, _):
            resources["PublishFunction"]["Properties"]["Events"]["Stream"] = copy.deepcopy(
                resources["DispatchFunction"]["Properties"]["Events"]["Stream"])

        def other_kind(resources, _):
            del resources["SettleDeadLetters"]["Properties"]["FifoQueue"]

        self.finds(rules.check_stream, latest, "must begin at the oldest record")
        self.finds(rules.check_stream, forgets, "must give up whole records")
        self.finds(rules.check_stream, impatient, "must try for six hours")
        self.finds(rules.check_stream, second, "the stream must have one reader")
        self.finds(rules.check_queues, other_kind, "has a queue and dead letters of two kinds")

    def test_settings_and_logs(self):
        def unnumbered(_, template):
            del template["Globals"]["Function"]["Environment"]["Variables"]["SETTINGS_VERSION"]

        def undescribed(resources, _):
            del resources["TransferFunction"]["Properties"]["VersionDescription"]

        def unrecorded(resources, _):
            content = resources["Settings"]["Properties"]["Content"]
            content["Fn::Sub"] = content["Fn::Sub"].replace("${TransferFee}", "")

        def silent(_, template):
            del template["Globals"]["Function"]["LoggingConfig"]["ApplicationLogLevel"]

        self.finds(rules.check_settings, unnumbered, "must have the number of Settings in its environment")
        self.finds(rules.check_settings, undescribed, "must name Settings in its VersionDescription")
        self.finds(rules.check_settings, unrecorded, "Settings must hold ['TransferFee']")
        self.finds(rules.check_logs, silent, "hides what LogLevel asks for")

    def test_what_is_kept(self):
        def left(resources, _):
            resources["Table"]["DeletionPolicy"] = "Retain"

        def replaced(resources, _):
            del resources["Key"]["UpdateReplacePolicy"]

        def deleted(resources, _):
            del resources["Checkpoints"]["DeletionPolicy"]

        def unlocked(resources, _):
            del resources["Checkpoints"]["Properties"]["ObjectLockConfiguration"]

        def for_ever(_, template):
            template["Parameters"]["CheckpointLockMode"]["Default"] = "COMPLIANCE"

        self.finds(rules.check_first_creation, left, "Table is left behind when the first creation fails")
        self.finds(rules.check_first_creation, replaced, "Key goes when it is replaced")
        self.finds(rules.check_first_creation, deleted, "['Checkpoints']")
        self.finds(rules.check_checkpoints, unlocked, "Checkpoints must lock its objects")
        self.finds(rules.check_checkpoints, for_ever, "must be GOVERNANCE by default")

    def test_environments(self):
        def unruled(_, template):
            del template["Rules"]

        self.finds(rules.check_environments, unruled, "no rule refuses the example https://issuer.example.com/")
        text = rules.SAMCONFIG.read_text(encoding="utf-8")
        for right, wrong, expected in (
            ('"wallets-production"', f'"{"w" * 58}"', "not all could be named after it"),
            ('Monitoring = "none"', 'Monitoring = "some"', "none of ['none', 'essential', 'full']"),
            ("LogRetentionDays = 400", "LogRetention = 400", "names no parameters"),
        ):
            with self.subTest(expected), tempfile.TemporaryDirectory() as scratch:
                self.assertIn(right, text)
                path = Path(scratch) / "samconfig.toml"
                path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
                known, rules.SAMCONFIG = rules.SAMCONFIG, path
                self.addCleanup(setattr, rules, "SAMCONFIG", known)
                self.assertIn(expected, found(rules.check_environments, copy.deepcopy(TEMPLATE)))
                rules.SAMCONFIG = known

    def test_alarms(self):
        def check(wrong, expected):
            with self.subTest(expected):
                template, monitoring = copy.deepcopy(TEMPLATE), copy.deepcopy(MONITORING)
                wrong(template["Resources"], monitoring["Resources"])
                both = found(rules.check_alarms, monitoring) + found(rules.check_monitoring, template, monitoring)
                self.assertIn(expected, both)

        def one_of_two(_, watching):
            watching["TableThrottlesAlarm"]["Properties"]["Metrics"][0]["Expression"] = "SUM(METRICS())"

        def alone(_, watching):
            properties = watching["RebateQueueAgeAlarm"]["Properties"]
            properties |= {"Namespace": "AWS/DynamoDB", "MetricName": "TransactionConflict"}

        def unshown(_, watching):
            watching["AnotherAlarm"] = copy.deepcopy(watching["RebateQueueAgeAlarm"])

        def dear(_, watching):
            del watching["ThrottlesAlarm"]["Condition"]

        def many(_, watching):
            metrics = watching["TableThrottlesAlarm"]["Properties"]["Metrics"]
            metrics += copy.deepcopy(metrics[1:4]) * 4

        def needed(resources, _):
            resources["RebateQueue"]["Properties"]["QueueName"] = {"Fn::GetAtt": ["Watch", "Outputs.AlarmTopicArn"]}
            resources["RebateQueue"]["DependsOn"] = "Watch.Outputs"

        def ungiven(resources, _):
            del resources["Watch"]["Properties"]["Parameters"]["SettleQueue"]

        def always(resources, _):
            del resources["Watch"]["Condition"]

        def within(resources, watching):
            resources["ConflictsAlarm"] = watching["ConflictsAlarm"]

        self.assertEqual(found(rules.check_alarms, MONITORING) + found(rules.check_monitoring, TEMPLATE, MONITORING), "")
        check(one_of_two, "TableThrottlesAlarm sticks in ALARM: no FILL(.., 0) around owner_reads")
        check(alone, "RebateQueueAgeAlarm sticks in ALARM")
        check(unshown, "AnotherAlarm is not on the dashboard")
        check(dear, "essential monitoring has 15 alarm metrics; 14 are paid for")
        check(many, "metrics; an alarm takes ten")
        check(needed, "RebateQueue needs Watch")
        check(ungiven, "Watch and its template differ in ['SettleQueue']")
        check(always, "Watch must be there only with Monitoring")
        check(within, "ConflictsAlarm belongs into infra/monitoring.yaml")


if __name__ == "__main__":
    unittest.main()
