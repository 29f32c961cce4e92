"""PyPI ``python-akismet``: the key travels in the host name, over TLS; there is no call to verify it."""

from akismet import Akismet, SpamStatus
from conversation import Task, converse

SAID = {SpamStatus.Ham: "ham", SpamStatus.ProbableSpam: "spam", SpamStatus.DefiniteSpam: "discard"}


def carry_out(task: Task) -> str:
    client = Akismet(task["key"], blog=task["blog"])
    match task["do"]:
        case "check":
            return SAID[client.check(**task["comment"])]
        case "submit-spam":
            client.submit_spam(**task["comment"])
            return "thanks"
        case "submit-ham":
            client.submit_ham(**task["comment"])
            return "thanks"
    raise ValueError(task["do"])


converse(carry_out)
