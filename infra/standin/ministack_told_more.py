"""Starts ministack, which doesn't tell policies whether a put to S3 carries `If-None-Match`. Here it does.

Run by server.py, with the Python that has ministack. AWS has the condition key `s3:if-none-match`; the audit's role rests on it.
"""

from ministack.app import main
from ministack.core import iam_actions

told = iam_actions._s3_object_context


def told_more(action, query, path, headers):
    context = told(action, query, path, headers)
    if action == "s3:PutObject" and headers.get("if-none-match"):
        context["s3:if-none-match"] = headers["if-none-match"]
    return context


iam_actions._s3_object_context = told_more

if __name__ == "__main__":
    main()
