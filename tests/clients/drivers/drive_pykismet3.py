"""PyPI ``pykismet3``: the key travels in the host name, over plain HTTP; there is no call to verify it."""

from conversation import Task, converse
from pykismet3 import Akismet


def carry_out(task: Task) -> str:
    client = Akismet(api_key=task["key"], blog_url=task["blog"], user_agent="driver/1")
    comment = {"referrer": "unknown"} | task["comment"]
    match task["do"]:
        case "check":
            return "spam" if client.check(comment) else "ham"
        case "submit-spam":
            client.submit_spam(comment)
            return "thanks"
        case "submit-ham":
            client.submit_ham(comment)
            return "thanks"
    raise ValueError(task["do"])


converse(carry_out)
