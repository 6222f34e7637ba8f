"""Reads a mail on standard input with Python's email package, and prints what it found as JSON."""

import email
import email.policy
import json
import sys

mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
defects = [repr(defect) for part in mail.walk() for defect in part.defects]
for part in mail.walk():
    for name, value in part.items():
        defects += [f"{name}: {defect!r}" for defect in value.defects]
fields = {}
for name, value in mail.items():
    fields.setdefault(name, []).append(str(value))
parts = [
    {
        "type": part.get_content_type(),
        "charset": part.get_content_charset(),
        "encoding": part["Content-Transfer-Encoding"],
        "text": part.get_content(),
    }
    for part in mail.walk()
    if not part.is_multipart()
]
date = mail["Date"].datetime.timestamp() if "Date" in mail else None
json.dump({"fields": fields, "type": mail.get_content_type(), "parts": parts, "defects": defects, "date": date}, sys.stdout)
