"""Reads mails as filters in Python do, and says which field names each of them finds.

Standard input: for each mail its length in bytes as a line, then its bytes. Standard output: for each mail one line of
JSON, an object from the reader's name to the names it finds, in lower case, in order. Each reader reads bytes or text, by
the old policy or the new one. "written" readers write the mail again, as a filter would, and read at LF only what came
out: a value that is folded anew may become several fields there.
"""

import email
import email.policy
import io
import json
import re
import sys

FIELD = re.compile(rb"([^\x00-\x20\x7f-\xff:]+)[ \t]*:")


def written_names(data):
    """The names in a header block, for a reader that ends lines at LF and skips what is not a field."""
    found = []
    for line in data.split(b"\n"):
        if line in (b"", b"\r"):
            break
        field = FIELD.match(line)
        if field:
            found.append(field.group(1).decode().lower())
    return found


def texts(data):
    """The mail as text: as UTF-8, and as ISO 8859-1 if that ends lines elsewhere."""
    yield "utf-8", data.decode("utf-8", "surrogateescape")
    if b"\x85" in data:
        yield "latin-1", data.decode("latin-1")


def readings(data):
    for policy_name, policy in (("compat32", email.policy.compat32), ("default", email.policy.default)):
        yield f"bytes, {policy_name}", lambda: email.message_from_bytes(data, policy=policy), "bytes"
        for charset, text in texts(data):
            name = f"text, {charset}, {policy_name}"
            yield name, lambda: email.message_from_file(io.StringIO(text, newline=""), policy=policy), charset


def main():
    source, out = sys.stdin.buffer, sys.stdout
    while line := source.readline():
        data = source.read(int(line))
        found = {}
        for name, read, kind in readings(data):
            mail = read()
            found[name] = [key.lower().encode("ascii", "replace").decode() for key in mail.keys()]
            try:
                again = mail.as_bytes() if kind != "latin-1" else mail.as_string().encode("latin-1")
            except Exception:  # The package cannot write each mail that it reads; such a filter passes nothing on.
                continue
            found[f"{name}, written"] = written_names(again)
        out.write(json.dumps(found))
        out.write("\n")


main()
