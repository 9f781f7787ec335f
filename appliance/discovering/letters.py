"""A written request for all that a company holds (GDPR, Article 15 and 20), filled in for a person to send.

The template's own marks: `[flag>text]` stands where the flag does, `{name}` is filled in, `<italic>` is dropped.
"""

import re
from collections.abc import Mapping

from appliance.discovering.directory import LETTER_FILE, Company

_OWN = """To Whom It May Concern:

I am hereby requesting access according to Article 15 GDPR to all personal data concerning me that you process, with
the purposes, categories, recipients, storage periods and sources, and, according to Article 20 GDPR, to receive the
data that I provided in a structured, commonly used and machine-readable format.
[has_fields>
I include the following information necessary to identify me:
{id_data}]
Yours sincerely,
"""
_OPTIONAL = re.compile(r"\[(\w+)>([^\[\]]*)\]")
_TAG = re.compile(r"</?italic>")


def letter(company: Company, name: str, identified_by: Mapping[str, str]) -> str:
    """The request to a company, signed with a person's name; `identified_by` is what tells them who that is."""
    try:
        template = LETTER_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        template = _OWN
    runs = ", ".join(company.runs)
    flags = {"data_portability": True, "runs": bool(runs), "has_fields": bool(identified_by)}
    told = "\n".join(f"{what}: {value}" for what, value in identified_by.items())
    text = _OPTIONAL.sub(lambda found: found[2] if flags.get(found[1], False) else "", template)
    text = _TAG.sub("", text).replace("{runs_list}", runs).replace("{id_data}", f"{told}\n")
    return f"{company.name}\n{company.address}\n\n{text.strip()}\n{name}\n"
