"""PyPI ``akismet``, synchronous client, set up by its environment variables, timeout as it ships."""

import json
import os

import akismet
from conversation import Task, converse

SAID = {
    akismet.CheckResponse.HAM: "ham",
    akismet.CheckResponse.SPAM: "spam",
    akismet.CheckResponse.DISCARD: "discard",
}


def carry_out(task: Task) -> str:
    os.environ["PYTHON_AKISMET_API_KEY"] = task["key"]
    os.environ["PYTHON_AKISMET_BLOG_URL"] = task["blog"]
    client = akismet.SyncClient()
    try:
        match task["do"]:
            case "verify":
                return "valid" if client.verify_key() else "invalid"
            case "check":
                return SAID[client.comment_check(**task["comment"])]
            case "submit-spam":
                return "thanks" if client.submit_spam(**task["comment"]) else "error"
            case "submit-ham":
                return "thanks" if client.submit_ham(**task["comment"]) else "error"
            case "usage-limit":
                return json.dumps(client.usage_limit())
            case "key-sites":
                return json.dumps(client.key_sites())
    finally:
        client._http_client.close()
    raise ValueError(task["do"])


converse(carry_out)
