#!/usr/bin/python3
"""OLDER NEWER: two files of OFAC's SDN.CSV. Prints "newer KINDS NUMBER" for each number given for China in the newer file and
"dropped KINDS NUMBER" for those of the older file that are gone. KINDS, joined by commas, are what the label allows, in order; a
number that proves to be none of them is listed as foreign_id. An organisation with such a number is listed by its name, too."""
import csv
import re
import sys

KINDS = [
    (r"Passport", "passport"),
    (r"National ID No\.|Citizen's Card Number|Personal ID Card", "resident_id"),
    (r"National Foreign ID Number|Residency Number", "resident_id,foreigner_pr_15,foreigner_pr_18"),
    (r"Identification Number", "resident_id,uscc"),
    (r"Organization Code", "org_code,uscc"),
    (r"(?:Unified|United) Social Credit Code.*?\(USCCC?\)|(?:Business )?Registration (?:Number|ID)|Business Number"
     r"|(?:Enterprise|Company) Number|Tax ID No\.", "uscc"),
]


def listed(path):
    found = set()
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.reader(f):
            if len(row) != 12:
                continue
            mine = set()
            for sentence in re.split(r";\s*", row[11]):
                for label, kinds in KINDS:
                    m = re.match(r"(?:alt\. )?(?:" + label + r") (\S.*?) \(China\)", sentence)
                    if m:
                        mine.add((kinds, m.group(1)))
                        break
            if mine and row[2].strip() != "individual":
                mine.add(("name", row[1]))
            found |= mine
    return found


older, newer = listed(sys.argv[1]), listed(sys.argv[2])
for what, numbers in (("newer", newer), ("dropped", older - newer)):
    for kinds, number in sorted(numbers):
        print(what, kinds, number)
