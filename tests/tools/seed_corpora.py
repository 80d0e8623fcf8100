#!/usr/bin/python3
"""seed_corpora.py FOLDER: first inputs for the fuzz targets of certificates and scorecards, out of the public test data in $XINBIAN_VECTORS (or
../shared/vectors), the worked bytes of protocol/certificates.md and the samples. What stands in FOLDER already stays."""
import base64
import glob
import hashlib
import json
import os
import re
import sys

VECTORS = os.environ.get("XINBIAN_VECTORS", "../shared/vectors")
# Blocks of the wire's description, and the target that reads such bytes.
WORKED = {"hex-claims": "ecert", "hex-signed": "sign1", "text-code": "verify", "hex-scan": "scan", "hex-recheck": "scan",
          "hex-look-up": "scan", "hex-query": "scan", "hex-reply": "scan", "hex-erase": "scan"}
# Members of the EU's test files.
MEMBERS = {"COSE": ("sign1", "cbor_normal"), "CBOR": ("hcert", "cbor_normal"), "COMPRESSED": ("zip",)}


def put(target, data):
    folder = os.path.join(sys.argv[1], target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha1(data).hexdigest()), "wb") as f:
        f.write(data)


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    size = 1 if n < 1 << 8 else 2 if n < 1 << 16 else 4
    return bytes([major << 5 | 23 + size.bit_length()]) + n.to_bytes(size, "big")


def cbor(v):
    """Deterministic, of what documents are made of."""
    if v is True or v is False:
        return b"\xf5" if v else b"\xf4"
    if isinstance(v, int):
        return head(0, v)
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, list):
        return head(4, len(v)) + b"".join(map(cbor, v))
    pairs = sorted((cbor(k), cbor(x)) for k, x in v.items())
    return head(5, len(pairs)) + b"".join(k + x for k, x in pairs)


def issuers(certificate):
    der = base64.b64decode(certificate)
    key = {"kid": hashlib.sha256(der).digest()[:8].hex(), "alg": "ES256", "key": base64.b64encode(der).decode(), "to_s": 2000000000}
    return {"type": "issuers", "title": {"zh": "样例", "en": "sample"}, "sample": True, "issuers": [
        {"code": "XX", "profile": "hc1", "name": {"zh": "样例", "en": "sample"}, "kinds": ["*"], "keys": [key]}]}


def main():
    with open("protocol/certificates.md", encoding="utf-8") as f:
        for name, block in re.findall(r"^```((?:hex|text)-\S+)\n(.*?)\n```$", f.read(), re.S | re.M):
            if name in WORKED:
                put(WORKED[name], block.encode() if name.startswith("text") else bytes.fromhex(block))
    with open("central/sample/kinds.json", encoding="utf-8") as f:
        put("kinds", cbor(json.load(f)))
    for path in glob.glob("central/sample/*.pmml") + glob.glob(os.path.join(VECTORS, "pmml", "*.pmml")):
        with open(path, "rb") as f:
            put("pmml", f.read())
    # Departments' files: a byte of format and encoding, two of where it is cut; then the public defective files and rows of our own.
    rows = "i,n,d,m,b,r,u,p,s,x\n1,1.5万元,2026/1/3,202610,是,110105194912310021,9133,张 三,\"a,\"\"b\",45992\n２,\"1,234\",-,,,,,,,\n"
    line = '{"i": 1, "n": "１２.5", "d": "2026-10-01", "p": "\\u7532\\ud83d\\ude00", "b": true, "x": null}'
    put("intake", b"\0\0\7" + rows.encode())
    put("intake", b"\2\0\7" + rows.encode("gb18030"))
    put("intake", b"\1\0\7" + line.encode() + b"\n" + line.encode())
    put("ndjson", line.encode())
    put("http_answer", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n")
    put("asked", b"POST /v1/sources/s/upload?period=2026-10&file=a%20b HTTP/1.1\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n")
    put("http_answer", b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nab")
    for path in glob.glob(os.path.join(VECTORS, "csv", "*.csv")):
        with open(path, "rb") as f:
            put("intake", b"\0\0\7" + f.read(60000))
    files = glob.glob(os.path.join(VECTORS, "dgc", "*", "*.json")) + glob.glob(os.path.join(VECTORS, "cose", "*.json"))
    for path in files:
        with open(path, encoding="utf-8") as f:
            case = json.load(f)
        for member, targets in MEMBERS.items():
            for target in targets if re.fullmatch(r"([0-9a-fA-F]{2})+", case.get(member) or "") else ():
                put(target, bytes.fromhex(case[member]))
        if case.get("BASE45"):
            put("base45", case["BASE45"].encode())
        if case.get("PREFIX"):
            put("verify", case["PREFIX"].encode())
        if case.get("TESTCTX", {}).get("CERTIFICATE"):
            put("issuers", cbor(issuers(case["TESTCTX"]["CERTIFICATE"])))
        if isinstance(case.get("output"), dict):
            put("sign1", bytes.fromhex(case["output"]["cbor"]))
    if not files:
        print("seed_corpora: %s is missing: seeds of the repository alone" % VECTORS)


main()
