/* PNG and JPEG as grey pixels, and the QR codes in them. Only the process of scan_image.h calls this; picture.c alone sees libpng, libjpeg and
   libzbar. */
#ifndef FIRMWARE_PICTURE_H
#define FIRMWARE_PICTURE_H

#include "firmware/scan_image.h"

/* The one code's text, appended to out. */
enum scan_image_fault picture_read(struct bytes image, struct buf *out);

#endif
