#!/usr/bin/python3
"""Lines "kind number" on stdin; per line the verdict of Debian's python3-stdnum on stdout: valid, or its error's class."""
import sys

from stdnum import exceptions, luhn
from stdnum.cn import ric, uscc

CHECKS = {"resident_id": ric.validate, "uscc": uscc.validate, "bank_card": luhn.validate}

for line in sys.stdin:
    kind, number = line.split()
    try:
        CHECKS[kind](number)
        print("valid")
    except exceptions.ValidationError as e:
        print(type(e).__name__)
