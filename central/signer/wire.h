/* Frames between signer.c and signer/child.c; CBOR arrays. Nothing else includes this. */
#ifndef CENTRAL_SIGNER_WIRE_H
#define CENTRAL_SIGNER_WIRE_H

enum signer_frame {
	SIGNER_CONFIG = 16, /* [dir] */
	SIGNER_READY,       /* [head point, how] */
	SIGNER_HEAD,        /* [id, payload] */
	SIGNER_ISSUE,       /* [id, name, csr, from, to, [sans]] */
	SIGNER_ANSWER,      /* [id, error code, text, result] */
	SIGNER_KEY,         /* [id, issuer] */
	SIGNER_CERT,        /* [id, issuer, kid, sealed key, CWT] */
	SIGNER_DAILY,       /* [id, payload] */
};

#endif
