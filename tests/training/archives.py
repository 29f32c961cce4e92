"""Archives in the form of the public ones, with made-up texts."""

from __future__ import annotations

import io
import tarfile
import zipfile

HAM = (
    "Thanks, the second diagram helped &amp; I fixed it",
    "Any idea why line {} fails?",
    "Great song, 2026<br />still here",
)
SPAM = ("Cheap pills at http://pills.example.top/{}", "casino bonus {} now!!!", "&#39;free&#39; followers {}")


def youtube_zip(n_rows: int = 24) -> bytes:
    """Return tables of comments per video, with what macOS leaves in such archives."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("Youtube01-Psy.csv", "Youtube04-Eminem.csv"):
            rows = ["COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS"]
            for number in range(n_rows):
                spam = number % 2
                content = (SPAM if spam else HAM)[number % 3].format(number)
                rows.append(
                    f'id{number},"Maud, {name[:9]} {number}",2026-01-02T03:04:05,"{content}\ufeff",{spam}'
                )
            archive.writestr(name, "\ufeff" + "\n".join(rows) + "\n")
            archive.writestr(f"__MACOSX/._{name}", b"\x00\x05\x16\x07\xff")
    return stream.getvalue()


def sms_zip(n_rows: int = 24) -> bytes:
    """Return a table of messages without a header."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        lines = [
            f"{'spam' if number % 2 else 'ham'}\t{(SPAM if number % 2 else HAM)[number % 3].format(number)}"
            for number in range(n_rows)
        ]
        archive.writestr("SMSSpamCollection", "\r\n".join(lines) + "\r\n")
        archive.writestr("readme", "about it")
    return stream.getvalue()


def mail_archive(*mails: bytes, folder: str = "easy_ham") -> bytes:
    """Return mails as files of a compressed tar archive, with the list of commands that such archives hold."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:bz2") as archive:
        for number, mail in enumerate((b"mv 1 2\n", *mails)):
            info = tarfile.TarInfo(f"{folder}/{f'{number:05}' if number else 'cmds'}")
            info.size = len(mail)
            archive.addfile(info, io.BytesIO(mail))
    return stream.getvalue()


PLAIN_MAIL = (
    b"Subject: =?utf-8?q?caf=C3=A9?=\n list\nDate: Thu, 22 Aug 2002 18:26:25 +0700\n\n"
    b"The second diagram helped.\n"
)
ODD_MAIL = b'Subject: =?x-none?q?odd?=\nContent-Type: text/plain; charset="x-never-was"\n\nwarm gr\xfc\xdfe\n'
HTML_MAIL = b"Subject: buy\nContent-Type: text/html\n\n<p>Cheap <b>pills</b></p>\n"
TWO_PART_MAIL = (
    b'Subject: both\nContent-Type: multipart/alternative; boundary="x"\n\n'
    b"--x\nContent-Type: text/html\n\n<p>rich</p>\n--x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
    b"cGxhaW4=\n--x--\n"
)
