/* A certificate's text as a QR code (ISO/IEC 18004): level M, a quiet zone of four, PNG. qr.c alone sees libqrencode. */
#ifndef CENTRAL_REGISTRY_QR_H
#define CENTRAL_REGISTRY_QR_H

#include "protocol/base/buf.h"

/* ERR_INPUT when one code cannot hold it at level M. scale: pixels a module, 1 … 32. Appended to png. */
bool qr_png(struct bytes text, unsigned scale, struct buf *png, struct err *e) CHECKED;

#endif
