/* Numbers as text: exact, never through a binary fraction. */
#ifndef CENTRAL_INGEST_CELL_NUMBER_H
#define CENTRAL_INGEST_CELL_NUMBER_H

#include "central/ingest/cell.h"

/* As cell_check, for integers and numbers. */
unsigned cell_number(const struct schema_field *f, struct bytes t, struct cell *out);
/* 3.30801E+17: what a spreadsheet makes of a long number. */
bool cell_is_scientific(struct bytes t);

#endif
