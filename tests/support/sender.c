#include "tests/support/sender.h"

#include "protocol/base/file.h"
#include "protocol/base/pki.h"
#include "protocol/crypto.h"
#include "tests/support/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void path_of(const struct sender *s, const char *suffix, char out[160])
{
	snprintf(out, 160, "%s/%s%s", s->dir, s->name, suffix);
}

static void pem_put(const struct sender *s, const char *suffix, const char *label, const struct buf *der)
{
	char path[160];
	struct buf pem;
	buf_init(&pem, 8192);
	path_of(s, suffix, path);
	if (!pki_to_pem(buf_bytes(der), label, &pem, NULL) || !file_write(path, buf_bytes(&pem), 0600, NULL))
		abort();
	buf_clear(&pem);
}

/* curl with these words; the status it prints behind the body is taken off. */
static int run(const char *const *words, struct buf *out)
{
	const char *argv[32] = { "curl", "-s", "-w", "\n#%{http_code}" };
	size_t n = 4;
	while (*words != NULL && n < 31)
		argv[n++] = *words++;
	buf_reset(out);
	(void)child_run_for(argv, out, 300000);
	const char *text = buf_str(out), *mark = strrchr(text, '#');
	int status = mark != NULL ? (int)strtol(mark + 1, NULL, 10) : 0;
	out->len = mark != NULL && mark > text ? (size_t)(mark - text) - 1 : 0;
	return status;
}

int sender_enrol(struct sender *s, int enrol_port, const char *token, struct buf *out)
{
	char url[120], bearer[120], data[180], csr_path[160], pem[160];
	struct buf key, csr;
	buf_init(&key, PKI_KEY_MAX);
	buf_init(&csr, PKI_CERT_MAX);
	if (!pki_key_new(&key, NULL) || !pki_csr_new(buf_bytes(&key), "x", &csr, NULL))
		abort();
	pem_put(s, ".key", "EC PRIVATE KEY", &key);
	pem_put(s, ".csr", "CERTIFICATE REQUEST", &csr);
	buf_clear(&key);
	buf_clear(&csr);
	path_of(s, ".csr", csr_path);
	path_of(s, ".pem", pem);
	snprintf(data, sizeof(data), "@%s", csr_path);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", token);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/v1/departments/enrol", enrol_port);
	const char *words[] = { "--cacert", s->ca, "-H", bearer, "--data-binary", data, url, NULL };
	int status = run(words, out);
	if (status == 200 && !file_write(pem, buf_bytes(out), 0600, NULL))
		abort();
	return status;
}

int sender_ask(const struct sender *s, const char *method, const char *path, const char *file,
	       const char *const *extra, struct buf *out)
{
	char url[700], cert[160], key[160];
	const char *words[20] = { "--cacert", s->ca, "-X", method };
	size_t n = 4;
	path_of(s, ".pem", cert);
	path_of(s, ".key", key);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d%s", s->port, path);
	if (s->name[0] != '\0') {
		words[n++] = "--cert", words[n++] = cert;
		words[n++] = "--key", words[n++] = key;
	}
	if (file != NULL)
		words[n++] = "-T", words[n++] = file;
	if (extra != NULL)
		words[n++] = extra[0], words[n++] = extra[1];
	words[n++] = url;
	return run(words, out);
}

int sender_upload(const struct sender *s, const char *source, const char *period, const char *file,
		  const char *const *extra, struct buf *out)
{
	char path[400], hex[2 * HASH_LEN + 1];
	uint8_t hash[HASH_LEN];
	struct file_map map;
	if (!file_map(file, &map, NULL))
		abort();
	sha256(map.bytes, hash);
	file_unmap(&map);
	hex_encode(hash, HASH_LEN, hex);
	snprintf(path, sizeof(path), "/v1/sources/%s/upload?period=%s&file=made.csv&sha256=%s", source, period, hex);
	return sender_ask(s, "POST", path, file, extra, out);
}
