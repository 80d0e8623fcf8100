/* Every maximum of the system, each with its reason. Sizes are bytes unless the name ends otherwise. */
#ifndef PROTOCOL_BASE_LIMITS_H
#define PROTOCOL_BASE_LIMITS_H

/* Names and identifiers */
#define NAME_MAX_LEN       32  /* a branch, list, document, operator or terminal name: [a-z0-9][a-z0-9_-]* */
#define IDENTIFIER_MAX_LEN 64  /* canonical identifier; the longest kind is an MRZ passport line, 44 */
#define REQUEST_ID_MAX_LEN 64  /* a caller's request id; a UUID is 36 */
#define PERSON_NAME_MAX    192 /* UTF-8 bytes; 64 characters of three bytes */

/* Numbers on the wire */
#define COUNTER_MAX 9223372036854775807U /* sequences, versions, counts: what a database's integers hold */
#define TIME_MAX_S  253402300799 /* 9999-12-31, the last day that can be written; sums of times stay in 64 bits */

/* CBOR and COSE */
#define CBOR_DEPTH_MAX 16      /* our documents nest 8 deep */
#define COSE_MAX       262144U /* a head of 1,000 entries is about 150 KiB */

/* E-certificates */
#define ECERT_TEXT_MAX   4296U    /* what one QR code can hold of its alphabet (version 40-L) */
#define ECERT_COSE_MAX   8192U    /* inflated; real ones are under 1 KiB, and a bomb stops here */
#define ECERT_PART_MAX   32       /* a kind's or an issuer's code; those in use have 21 and 18 characters */
#define ECERT_ID_MAX     128      /* an identifier: GB/T 36904's take about 80, the EU's at most 80 */
#define ECERT_NUMBER_MAX 64       /* the number printed on it */
#define SCAN_IMAGE_MAX   1048576U /* a photo as a terminal sends it; a QR code takes 50 KiB */
#define ECERT_KID_MAX    32       /* bytes of a key's identifier; in use are 8 */

/* JSON */
#define JSON_DEPTH_MAX 32 /* requests nest 4 deep, rule documents 12; both parsers recurse */

/* Objects */
#define OBJECT_CHUNK 65536U /* one MQTT message; the broker's and gate's windows stay small */
#define OBJECT_MAX                                                                                                   \
	201326592U /* 3,072 chunks: an appliance's image of 150 MB, with room; 15 M list entries take 126 MB */
#define OBJECT_LIST_MAX    (OBJECT_MAX / OBJECT_CHUNK * 32U) /* 98,304: the chunks' hashes, one message */
#define DOCUMENT_MAX       1048576U                          /* rule sets and catalogues are tens of KiB */
#define FETCH_WINDOW       16 /* chunks asked for at once: 1 MiB, under the broker's queue limit */
#define FETCH_WINDOW_IMAGE 4  /* of an image: what is asked for already is all that a list has to wait for */

/* Lists */
#define LIST_ENTRIES_MAX    15000000U /* fits OBJECT_MAX; half as much again as the largest list planned for */
#define LIST_VALUE_BITS     24        /* reason code (8) and last day in force (16) */
#define LIST_LAYERS_MAX     16        /* deltas above a base; a lookup asks each, so compaction starts at half */
#define LIST_DELTA_SPANS    10        /* doubling spans kept: 1, 2, 4 … 512 versions back */
#define PLAN_HOPS_MAX       32        /* deltas in a row when catching up: 512 versions need 18 at most */
#define PLAN_EDGES_MAX      4096      /* deltas in one list's index: 2,000 versions have about 4,000 */
#define LIST_SHRINK_PERCENT 2         /* a release that takes away more must be forced by an operator … */
#define LIST_CHANGE_PERCENT 5         /* … or changes more */
#define LIST_GUARD_ENTRIES  100       /* and more entries than this: small lists move in large steps */
#define LISTS_MAX           64        /* lists in one head */
#define HEAD_ENTRIES_MAX    256       /* lists and documents in one head */

/* Messages */
#define MQTT_PACKET_MAX (OBJECT_LIST_MAX + 4096U) /* the longest chunk list and its topic and properties */
#define JOURNAL_ROW_MAX 64000U  /* the fullest decision there can be takes 61,500; a batch of one fits OBJECT_CHUNK */
#define JOURNAL_BATCH   200     /* rows in one upload */
#define JOURNAL_KEY_MAX 256     /* 32 bytes sealed are 125 */
#define QUERY_BODY_MAX  1024    /* a hash and two numbers today */
#define FRAME_MAX       262144U /* parent and child; the largest is gate's configuration */

/* Ledger */
#define LEDGER_BATCH_MAX     8190        /* transfers in one batch: one commit, a megabyte on disk */
#define LEDGER_ROWS_MAX      4294967294U /* rows are numbered in 32 bits; 25 years at 5 a second */
#define LEDGER_ACCOUNTS_MAX  100000000U  /* 64 bytes of memory each */
#define LEDGER_SNAPSHOT_ROWS 100000U /* read in a fraction of a second; a snapshot of them is written in as much */
#define LEDGER_NAME_MAX      96      /* an account's name for people, UTF-8 bytes */

/* HTTP */
#define HTTP_BODY_MAX    65536U      /* a check is under 4 KiB */
#define HTTP_STREAM_MAX  65536U      /* events that wait for a slow reader */
#define HTTP_SCAN_MAX    1572864U    /* a scan: SCAN_IMAGE_MAX in base64, and its names */
#define HTTP_UPLOAD_MAX  1073741824U /* central's local socket: a list file */
#define HTTP_HEADERS_MAX 16384U
#define HTTP_CONNS_MAX   512 /* terminals of one branch, with room */
#define TERMINALS_MAX    512 /* as many as can connect; each request compares its token with every one */

#endif
