"""What a stack costs a month when nobody calls, line by line, and what a million movements cost: from the templates, and from the
list prices and assumptions in prices.toml. So a new queue or alarm shows in it.

    target/venv/bin/python infra/bill.py [--template PATH] [--check | --update]

Prints; asks nobody. With --check it exits 1 where a level is dearer idle than it may be, or where docs/cost.md has other figures;
--update writes them there. Run by infra/check-template.
"""

import argparse
import contextlib
import io
import re
import sys
import tomllib

import tomlkit

from template_rules import INFRA, MONITORING, SAMCONFIG, TEMPLATE, events, metrics_of, of_type, read, target

PRICES = tomllib.loads((INFRA / "prices.toml").read_text(encoding="utf-8"))
MONTHLY, MILLION, GIGABYTE, ASSUMED = (PRICES[part] for part in ("monthly", "million", "gigabyte", "assumed"))
PAGE = INFRA.parent / "docs" / "cost.md"
BEGIN, END = "<!-- infra/bill.py -->\n", "<!-- end -->\n"
# Dollars a month that a level may cost when nobody calls.
MOST = {"none": 1.40, "essential": 2.80}


class Stack:
    """A template with the values of its parameters."""

    def __init__(self, template, values):
        self.template = template
        self.values = {name: p.get("Default", "") for name, p in template["Parameters"].items()} | values

    def value(self, of):
        """What a value comes to, as far as parameters and conditions decide it."""
        if isinstance(of, dict) and "Ref" in of:
            return self.values.get(of["Ref"], of["Ref"])
        if isinstance(of, dict) and "Fn::If" in of:
            condition, then, otherwise = of["Fn::If"]
            return self.value(then if self.holds(condition) else otherwise)
        if isinstance(of, dict) and "Fn::Equals" in of:
            one, other = map(self.value, of["Fn::Equals"])
            return str(one) == str(other)
        if isinstance(of, dict) and "Fn::Not" in of:
            return not self.value(of["Fn::Not"][0])
        return of

    def holds(self, condition):
        return condition is None or self.value(self.template["Conditions"][condition])

    def there(self, kind):
        """The resources of a kind that the parameters' values ask for."""
        return {name: r for name, r in of_type(self.template, kind).items() if self.holds(r.get("Condition"))}

    def nested(self):
        """The stack itself, and what watches it."""
        watching = self.there("AWS::CloudFormation::Stack").values()
        given = ({name: self.value(v) for name, v in nested["Properties"]["Parameters"].items()} for nested in watching)
        return [self, *(Stack(read(MONITORING), values) for values in given)]


def runs_a_month(stack, name):
    """How often the schedule runs the function; once a day if it is a cron line."""
    days = 0
    for function in (f for n, f in stack.there("AWS::Serverless::Function").items() if n == name):
        for event in (e["Properties"] for e in events(function, "Schedule")):
            if stack.value(event.get("State", "ENABLED")) != "ENABLED":
                continue
            rate = re.match(r"rate\((\d+) (minute|hour|day)", str(stack.value(event["Schedule"])))
            unit = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1}
            days += 1 / (int(rate[1]) * unit[rate[2]]) if rate else 1
    return days * ASSUMED["hours_in_a_month"] / 24


def idle(stack):
    """Lines of what, how many, and dollars a month."""
    stacks, hours = stack.nested(), ASSUMED["hours_in_a_month"]
    alarms = sum(len(metrics_of(a)) for s in stacks for a in s.there("AWS::CloudWatch::Alarm").values())
    dashboards = sum(len(s.there("AWS::CloudWatch::Dashboard")) for s in stacks)
    keys = len(stack.there("AWS::KMS::Key"))
    queues = [e["Properties"]["Queue"] for f in stack.there("AWS::Serverless::Function").values() for e in events(f, "SQS")]
    fifo = [q for q in queues if stack.template["Resources"][target(q)]["Properties"].get("FifoQueue")]
    polls_of_one = ASSUMED["pollers_per_queue"] * hours * 3600 / 20
    polled = polls_of_one * ((len(queues) - len(fifo)) * MILLION["queue_requests"] + len(fifo) * MILLION["fifo_requests"]) / 1e6
    audits, sweeps = runs_a_month(stack, "AuditFunction"), runs_a_month(stack, "SweepFunction")
    memory = int(stack.value({"Ref": "FunctionMemoryMegabytes"})) / 1024
    # 32 shares of the index are asked each time; an empty one costs half a read unit.
    sweep = sweeps * (ASSUMED["sweep_seconds"] * memory * GIGABYTE["lambda_seconds"] + 16 * MILLION["read_units"] / 1e6)
    gigabytes = int(stack.value({"Ref": "AuditMemoryMegabytes"})) / 1024
    audit = audits * (ASSUMED["audit_seconds"] * gigabytes * GIGABYTE["lambda_seconds"] + MILLION["bucket_puts"] / 1e6)
    written_hours = min(audits, hours) / hours
    return [
        ("alarm metrics", alarms, alarms * MONTHLY["alarm_metric"]),
        ("dashboards", dashboards, dashboards * MONTHLY["dashboard"]),
        ("keys", keys, keys * MONTHLY["key"]),
        ("queue pollers' calls", round(len(queues) * polls_of_one), polled),
        ("audits", round(audits), audit),
        ("sweeps", round(sweeps), sweep),
        ("metrics of the audits", ASSUMED["audit_metrics"] if audits else 0, ASSUMED["audit_metrics"] * written_hours * MONTHLY["custom_metric"]),
    ]


def movement(stack, of, full):
    """Lines of what and dollars for a million of one kind, with all that follows."""
    megabytes = int(stack.value({"Ref": "FunctionMemoryMegabytes"}))
    seconds = of["invocations"] * ASSUMED["function_ms"] / 1000
    size = PRICES["bytes"]
    log = of["invocations"] * (size["line"] + (size["metrics_line"] if full else 0)) + of["requests"] * size["access_line"]
    stored = of["movements"] * size["movement"] + of.get("second_entries", 0) * size["second_entry"]
    return [
        ("writes", of["write_units"] * MILLION["write_units"]),
        ("reads", of["read_units"] * MILLION["read_units"]),
        ("gateway", of["requests"] * MILLION["gateway_requests"]),
        ("functions", of["invocations"] * MILLION["lambda_requests"] + seconds * 1e6 * megabytes / 1024 * GIGABYTE["lambda_seconds"]),
        ("events", of["events"] * MILLION["events"]),
        ("queues", of["queue_requests"] * MILLION["queue_requests"]),
        ("logs", log / 1e3 * GIGABYTE["logs"]),
        ("kept, a month", stored / 1e3 * (GIGABYTE["table"] + GIGABYTE["backup"])),
    ]


def busy_metrics(stack):
    """The metrics that full monitoring writes once all is used: of requests, and of routes."""
    functions = stack.there("AWS::Serverless::Function").values()
    routes = sum(len(events(f, "HttpApi")) for f in functions)
    callers = [f for f in functions if events(f, "HttpApi") or events(f, "SQS")]
    # Who writes does so by two strategies.
    writers = sum("WriteRights" in str(stack.template["Resources"].get(f["Properties"]["Role"]["Fn::GetAtt"][0], "")) for f in callers)
    return (len(callers) + writers) * ASSUMED["metrics_of_a_request"], routes * ASSUMED["metrics_of_a_route"]


def table(head, rows):
    rows = [head, ["---"] * len(head), *rows]
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def dollars(amount):
    return f"{amount:.2f}"


def bill(template):
    """Prints it all, and returns what each level costs idle."""
    levels = template["Parameters"].get("Monitoring", {}).get("AllowedValues", ["as it is"])
    stacks = {level: Stack(template, {"Monitoring": level}) for level in levels}
    config = tomlkit.parse(SAMCONFIG.read_text(encoding="utf-8")).unwrap()
    for name, environment in config.items():
        if name != "version":
            stacks[f"`{name}`"] = Stack(template, environment["deploy"]["parameters"]["parameter_overrides"])

    print(f"List prices of us-east-1, {PRICES['date']}, in dollars, without any free tier. A month in which nobody calls, by `Monitoring` and by the "
          "environments of `infra/samconfig.toml`:\n")
    lines = {name: idle(stack) for name, stack in stacks.items()}
    sums = {name: sum(amount for _, _, amount in of) for name, of in lines.items()}
    rows = []
    for number, (what, _, _) in enumerate(next(iter(lines.values()))):
        rows.append([what, *(f"{of[number][1]:,}: {dollars(of[number][2])}" for of in lines.values())])
    table(["", *lines], [*rows, ["**together**", *(f"**{dollars(s)}**" for s in sums.values())]])
    print("Not in it: what is stored. Lambda reads the stream for nothing.\n")

    stack, kinds = next(iter(stacks.values())), PRICES["movements"]
    lines = {kind: movement(stack, of, False) for kind, of in kinds.items()}
    print("A million of each, with all that follows from them (a deposit has a rebate):\n")
    rows = [[what, *(dollars(of[number][1]) for of in lines.values())] for number, (what, _) in enumerate(next(iter(lines.values())))]
    once = [sum(a for what, a in of if not what.startswith("kept")) for of in lines.values()]
    more = [sum(a for _, a in movement(stack, of, True)) - sum(a for _, a in movement(stack, of, False)) for of in kinds.values()]
    table(["", *lines], [*rows[:-1], ["**together**", *(f"**{dollars(s)}**" for s in once)], rows[-1], ["more with full monitoring", *map(dollars, more)]])
    requests, routes = busy_metrics(stack)
    print(f"Full monitoring once all is used: {requests} metrics of requests and {routes} of routes, "
          f"{dollars((requests + routes) * MONTHLY['custom_metric'])} a month.")
    return sums


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--template", default=TEMPLATE)
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--update", action="store_true")
    arguments = arguments.parse_args()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        sums = bill(read(arguments.template))
    printed = printed.getvalue()
    print(printed, end="")
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    if arguments.update:
        PAGE.write_text(f"{before}{BEGIN}{printed}{END}{after}", encoding="utf-8")
    wrong = [f"{level} costs {dollars(sums[level])} a month idle; it may cost {dollars(most)}" for level, most in MOST.items() if sums.get(level, 0) > most]
    if arguments.check and f"{BEGIN}{printed}{END}" not in page:
        wrong.append("docs/cost.md has other figures: target/venv/bin/python infra/bill.py --update")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if arguments.check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
