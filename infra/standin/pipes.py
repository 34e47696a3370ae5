"""Does what the template's pipes say, for a stand-in whose pipes deliver nothing to SQS or an event bus.

Filter and input template are those of template.yaml; source and target those of the pipe that the stack has created. It sends
with the rights of the pipe's own role; reading is the account's, for the stand-in knows no rights on a stream. Nothing is tried
again: what fails is kept for the tests to see.
"""

import json
import re
import threading

BATCH = 10
POLL_S = 0.2


class Pipe:
    """Carries records from the stream to the target until it is stopped. `failure` is what broke it."""

    def __init__(self, name, properties, created, account, role):
        self.name, self.created, self.account, self.role, self.failure = name, created, account, role, None
        parameters = properties["TargetParameters"]
        self.patterns = [json.loads(f["Pattern"]) for f in properties["SourceParameters"]["FilterCriteria"]["Filters"]]
        self.template = parameters["InputTemplate"]
        self.bus = parameters.get("EventBridgeEventBusParameters")
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(30)

    def run(self):
        try:
            stream, arn = self.account("dynamodbstreams"), self.created["Source"]
            shards = stream.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            iterators = [
                stream.get_shard_iterator(StreamArn=arn, ShardId=s["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
                for s in shards
            ]
            while not self.stopping.wait(POLL_S):
                for number, iterator in enumerate(iterators):
                    read = stream.get_records(ShardIterator=iterator, Limit=BATCH)
                    iterators[number] = read["NextShardIterator"]
                    for record in read["Records"]:
                        self.carry(record)
        except Exception as error:  # noqa: BLE001: whatever it is, the test must hear of it
            self.failure = error

    def carry(self, record):
        record = {"eventSourceARN": self.created["Source"]} | record
        if not any(matches(pattern, record) for pattern in self.patterns):
            return
        body = filled(self.template, record)
        json.loads(body)
        if self.bus:
            entry = {"EventBusName": self.created["Target"], "Source": self.bus["Source"], "DetailType": self.bus["DetailType"]}
            answer = self.role("events").put_events(Entries=[entry | {"Detail": body}])
            if answer["FailedEntryCount"]:
                raise RuntimeError(f"{self.name}: {answer}")
        else:
            queue = self.account("sqs").get_queue_url(QueueName=self.created["Target"].rsplit(":", 1)[1])["QueueUrl"]
            self.role("sqs").send_message(QueueUrl=queue, MessageBody=body)


def matches(pattern, record):
    """EventBridge's patterns, as far as the template uses them: every key there, any of the values listed."""
    for key, wanted in pattern.items():
        found = record.get(key) if isinstance(record, dict) else None
        if isinstance(wanted, dict):
            if not matches(wanted, found):
                return False
        elif not any(same(one, found) for one in wanted):
            return False
    return True


def same(wanted, found):
    if not isinstance(wanted, dict):
        return found == wanted
    if wanted.keys() != {"exists"}:
        raise ValueError(f"this bridge has no filter such as {wanted}")
    return (found is not None) == wanted["exists"]


def filled(template, record):
    """`<$.path>` becomes the value there, in quotes if it is a text; nothing there becomes `null`."""

    def value(found):
        at = record
        for step in found.group(1).split("."):
            at = at.get(step) if isinstance(at, dict) else None
        return json.dumps(at)

    return re.sub(r"<\$\.([\w.]+)>", value, template)
