"""What schemathesis cannot know from the description: which keys are new, which cursors were given, which wallets are there, what
time it is, and that lengths are counted in bytes.

Changes only what is well formed; what is wrong on purpose is sent as it is.
"""

import os
import random
import re
import uuid
from datetime import datetime, timezone

import schemathesis

KEY = re.compile(r'("[ !#-\[\]-~]{1,255}"|[!#-\[\]-~]([ !#-\[\]-~]{0,253}[!#-\[\]-~])?)')
CURSOR = re.compile(r"[0-9A-Za-z_-]+")
CURRENCY = re.compile(r"[A-Z]{3}")
WALLET = re.compile(r"wal_[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ].*")
VERSION = re.compile(r'"(0|[1-9][0-9]{0,18})"')

# In bytes of UTF-8.
TEXTS = {"reference": 128, "owner": 128}
METADATA_BYTES = 512

chance = random.Random(1)
cursors = set()
# Those that the check has opened, and that may go far below zero.
wallets = os.environ["WALLETS"].split()


@schemathesis.hook
def before_call(context, case, kwargs):
    """A new key for each request, no cursor that no list gave, and mostly wallets that are there, with what they hold."""
    headers, query = case.headers or {}, case.query or {}
    # `*` names no version, so that it wants a key.
    if well_formed(KEY, headers.get("Idempotency-Key")) or headers.get("If-Match") == "*":
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if well_formed(CURSOR, query.get("cursor")) and query["cursor"] not in cursors:
        del query["cursor"]
    # What is not known before is not asked for; and only a dry run does without a key.
    if well_formed(TIME, query.get("at")):
        query["at"] = datetime.now(timezone.utc).isoformat()
    if "dry_run" in query and "Idempotency-Key" not in headers:
        del query["dry_run"]
    if chance.random() < 0.25:
        return
    if case.method.upper() == "POST" and well_formed(VERSION, headers.get("If-Match")):
        del headers["If-Match"]
    body = case.body if isinstance(case.body, dict) else {}
    if well_formed(CURRENCY, body.get("currency")):
        body["currency"] = "EUR"
    for name, wallet in zip(("source", "destination"), wallets):
        if well_formed(WALLET, body.get(name)):
            body[name] = wallet


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200:
        cursors.update({response.json().get("next_cursor")} - {None})


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Not what JSON Schema takes for short enough, because it counts characters, and one text at a time."""
    body = case.body if isinstance(case.body, dict) else {}
    labels = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    too_long = any(size(body.get(name)) > bound for name, bound in TEXTS.items())
    too_long = too_long or sum(size(text) for label in labels.items() for text in label) > METADATA_BYTES
    return not (too_long and response.status_code == 400)


@schemathesis.check
def codes_are_described(ctx, response, case):
    """Each problem has a code that is described, with an example, for its route and status."""
    if response.headers.get("content-type", [""])[0] != "application/problem+json":
        return
    described = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    examples = described.get("content", {}).get("application/problem+json", {}).get("examples", {})
    code = response.json()["code"]
    assert code in examples, f"{code} is not described for {case.operation.label} {response.status_code}"


def well_formed(pattern, text):
    return isinstance(text, str) and pattern.fullmatch(text)


def size(text):
    return len(text.encode("utf-8", errors="surrogatepass")) if isinstance(text, str) else 0
