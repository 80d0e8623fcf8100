/*
 * Documents as operators write them (JSON) and as branches read them (deterministic CBOR). Objects become
 * text-keyed maps in CBOR's key order, whole numbers integers, other numbers the shortest float; null is
 * refused, since a missing key says the same. A document is proven before it goes anywhere: what no branch
 * could read is refused here, with the reason.
 */
#ifndef CENTRAL_RELEASE_DOCUMENT_H
#define CENTRAL_RELEASE_DOCUMENT_H

#include "protocol/base/buf.h"

/* type: "rules", "catalogue", "issuers", "kinds", "update", "carbon", "guarantee" or "inputs", or NULL for a document that is nothing to prove
 * against. Appends to cbor; on failure what was appended is of no use. */
bool document_from_json(struct bytes json, const char *type, struct buf *cbor, struct err *e) CHECKED;
/* Indented, one member a line, for showing and for line-wise comparing. document_from_json gives the same
 * CBOR again. */
bool document_to_json(struct bytes cbor, struct buf *json, struct err *e) CHECKED;
/* A branch can read it as this type. */
bool document_check(struct bytes cbor, const char *type, struct err *e) CHECKED;

#endif
