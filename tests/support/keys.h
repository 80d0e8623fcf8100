/* Keys for tests, in hex: made once by openssl, their private halves thrown away. */
#ifndef TESTS_SUPPORT_KEYS_H
#define TESTS_SUPPORT_KEYS_H

/* An X.509 certificate of P-256, from 2026-01-01 to 2027-12-31 23:59:59 UTC, with the EU's two spellings of "may sign": test, vaccination. */
extern const char keys_certificate_hex[];
/* SubjectPublicKeyInfo. */
extern const char keys_rsa_2048_hex[];

#endif
