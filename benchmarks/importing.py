"""``replyguard import`` on a WordPress export: comments a second and peak memory, by the size of the export.

Each run is the command as a user types it, in a process of its own; memory is what the kernel says it had at most.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.results import facts_line, machine_facts, table, write

SITE = "https://blog.example.org"
SIZES = (1_000, 100_000)
_PER_POST = 40
_WORDS = (
    "the of and a to in is it you that was for on are with as his they be at one have this from or had by hot but "
    "some what there we can out other were all your when up use word how said an each she which their time tyres "
    "winter bicycle garden compost recursion cheap casino pills bonus loans replica handbags outlet slots"
).split()
_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Made up</title><wp:wxr_version>1.2</wp:wxr_version>
"""
_COMMENT = """<wp:comment>
<wp:comment_id>{number}</wp:comment_id>
<wp:comment_author><![CDATA[{author}]]></wp:comment_author>
<wp:comment_author_email><![CDATA[reader{number}@mail.example.org]]></wp:comment_author_email>
<wp:comment_author_url>https://reader{number}.example.org/</wp:comment_author_url>
<wp:comment_author_IP><![CDATA[198.51.100.{octet}]]></wp:comment_author_IP>
<wp:comment_date><![CDATA[{date}]]></wp:comment_date>
<wp:comment_date_gmt><![CDATA[{date}]]></wp:comment_date_gmt>
<wp:comment_content><![CDATA[{body}]]></wp:comment_content>
<wp:comment_approved><![CDATA[{approved}]]></wp:comment_approved>
<wp:comment_type><![CDATA[comment]]></wp:comment_type>
<wp:comment_parent>0</wp:comment_parent>
<wp:comment_user_id>0</wp:comment_user_id>
<wp:commentmeta><wp:meta_key><![CDATA[akismet_result]]></wp:meta_key>\
<wp:meta_value><![CDATA[{answer}]]></wp:meta_value></wp:commentmeta>
<wp:commentmeta><wp:meta_key><![CDATA[akismet_history]]></wp:meta_key>\
<wp:meta_value><![CDATA[a:2:{{s:4:"time";d:1709251199.5;s:5:"event";s:9:"check-ham";}}]]></wp:meta_value></wp:commentmeta>
</wp:comment>
"""


def main(*, quick: bool = False) -> str:
    """Run, write the results, and return the table."""
    sizes = (200, 2_000) if quick else SIZES
    measured: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.xml"
            write_export(path, size)
            measured[f"{size:,} comments, {path.stat().st_size / 1e6:.1f} MB"] = _runs(
                path, Path(folder) / f"var-{size}", size
            )
            path.unlink()
    facts = machine_facts("sqlalchemy", "defusedxml")
    rows = [
        (
            f"{name}: {what}",
            f"{run['seconds']:.1f}",
            f"{run['comments_per_s']:,.0f}",
            f"{run['peak_mb']:.0f}",
        )
        for name, runs in measured.items()
        for what, run in runs.items()
    ]
    markdown = (
        "# Importing\n\n"
        "A made-up WordPress export, `replyguard import wordpress-xml`, SQLite. Seconds are the whole command, its "
        "start included; so are the comments a second. The file is gone through twice: a damaged one is found before "
        "anything is kept. *Again* imports the same file a second time; *rehearsal* is `--dry-run`, which judges the "
        "newest 30 %.\n\n"
        + table(("run", "seconds", "comments/s", "peak MB"), rows)
        + f"\n\n{facts_line(facts)}\n"
    )
    write("importing", {"runs": measured, "machine": facts}, markdown)
    return markdown


def write_export(path: Path, n_comments: int) -> None:
    """Write a WXR file, without ever having it in memory."""
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        for number in range(n_comments):
            if number % _PER_POST == 0:
                file.write("</item>\n" if number else "")
                file.write(f"<item><title>Post {number}</title><link>{SITE}/post-{number}/</link>\n")
                text = " ".join(chance.choices(_WORDS, k=600))
                file.write(f"<content:encoded><![CDATA[{text}]]></content:encoded>\n")
            date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1.3e9 + number * 997))
            file.write(
                _COMMENT.format(
                    number=number + 1,
                    author=f"Reader {number % 5000}",
                    octet=number % 250,
                    date=date,
                    body=" ".join(chance.choices(_WORDS, k=chance.randint(5, 130))) + f" {number}",
                    approved="1" if chance.random() < 0.9 else "0",
                    answer="false",
                )
            )
        file.write("</item></channel></rss>\n")


def _runs(path: Path, data_dir: Path, size: int) -> dict[str, dict[str, float]]:
    environ = {**os.environ, "REPLYGUARD_DATA_DIR": str(data_dir), "REPLYGUARD_LOG_LEVEL": "error"}
    _run(environ, size, "keys", "create")
    command = ("import", "wordpress-xml", str(path), "--site", SITE)
    return {
        "rehearsal": _run(environ, size, *command, "--dry-run"),
        "import": _run(environ, size, *command),
        "again": _run(environ, size, *command),
    }


def _run(environ: dict[str, str], size: int, *arguments: str) -> dict[str, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *arguments], env=environ, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments[:2])} ended with status {process.returncode}")
    return {
        "seconds": seconds,
        "comments_per_s": size / seconds,
        "peak_mb": usage.ru_maxrss / 1024,
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }
