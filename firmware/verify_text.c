/* The verdict in words: for the teller, Chinese first, and as JSON. What to do next stands in each sentence. */
#include "firmware/verify.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct words {
	const char *zh, *en;
};

static const struct words codes[SCAN_CODE_LAST + 1] = {
	[SCAN_DAMAGED] = { "扫描内容不完整或有改动，请重新扫描",
			   "the scan is incomplete or was changed; scan again" },
	[SCAN_NOT_OURS] = { "不是电子证照二维码，请出示电子证照",
			    "this is not an e-certificate's code; ask for the certificate" },
	[SCAN_FORMAT] = { "电子证照格式错误，不予接受", "the certificate is malformed; do not accept it" },
	[SCAN_ALG_REFUSED] = { "签名算法不被允许，不予接受",
			       "its signature algorithm is not allowed; do not accept it" },
	[SCAN_ISSUER_UNKNOWN] = { "本网点没有该颁发机构的公钥，无法核验，请联网更新或转人工核实",
				  "this branch does not know the issuer's key and cannot tell; update, or have it "
				  "checked by hand" },
	[SCAN_SIGNATURE_BAD] = { "签名不符，不予接受", "the signature does not match; do not accept it" },
	[SCAN_ISSUER_NOT_ENTITLED] = { "颁发机构无权颁发该类证照，不予接受",
				       "the issuer may not issue this kind; do not accept it" },
	[SCAN_KEY_OUT_OF_PERIOD] = { "颁发时不在签名公钥的有效期内，不予接受",
				     "it was issued outside its key's period; do not accept it" },
	[SCAN_KEY_COMPROMISED] = { "签名公钥已泄露作废，请向颁发机构核实", "its key is compromised; ask the issuer" },
	[SCAN_CLOCK_UNTRUSTED] = { "本机时间未经校准，无法判断有效期，请转人工核实",
				   "this box's clock is not trusted; have its dates checked by hand" },
	[SCAN_NOT_YET_VALID] = { "证照尚未生效", "the certificate is not valid yet" },
	[SCAN_EXPIRED] = { "证照已过有效期，请出示有效证照", "the certificate has expired; ask for one in force" },
	[SCAN_REVOKED] = { "证照已被吊销", "the certificate was revoked" },
	[SCAN_SUSPENDED] = { "证照已被暂停使用，请转人工核实",
			     "the certificate is suspended; have it checked by hand" },
	[SCAN_SUPERSEDED] = { "证照已有新版，请出示新版", "there is a newer version; ask for that" },
	[SCAN_STATUS_STALE] = { "吊销名单不是最新，联网后将自动复核",
				"the list of revoked certificates is not fresh; this will be looked at again" },
	[SCAN_HOLDER_MISMATCH] = { "证照持有人与客户不符", "the certificate is not this customer's" },
	[SCAN_HOLDER_NOT_CHECKED] = { "未核对持证人，请人工核对", "the holder was not compared; do it by hand" },
	[SCAN_NOT_ACCEPTED_FOR_BUSINESS] = { "该业务不接受此类证照", "this business does not accept this kind" },
	[SCAN_ACCEPTED] = { "证照有效，可以接受", "the certificate is genuine and in force; accept it" },
};

static const struct words hints[SCAN_HINT_LAST + 1] = {
	[SCAN_HINT_NONE] = { "", "" },
	[SCAN_HINT_EMPTY] = { "没有读到内容", "nothing was read" },
	[SCAN_HINT_TOO_LONG] = { "内容过长，可能连扫了多次", "too long: perhaps several scans in one" },
	[SCAN_HINT_CUT_OFF] = { "内容被截断，请对准二维码重扫", "it was cut off; aim at the code again" },
	[SCAN_HINT_LETTERS] = { "个别字符有误，请重扫或改用串口模式扫描枪",
				"letters were changed; scan again, or set the scanner to serial mode" },
	[SCAN_HINT_LAYOUT] = { "键盘布局改动了字符，请把键盘布局设为美式英文",
			       "a keyboard layout changed letters; set the keyboard to US English" },
	[SCAN_HINT_CAPS_LOCK] = { "大小写被改动，请关闭大写锁定",
				  "upper and lower case were changed; turn caps lock off" },
	[SCAN_HINT_FULL_WIDTH] = { "输入法处于全角状态，请关闭输入法", "an input method was on; turn it off" },
};

static const char *const hint_names[SCAN_HINT_LAST + 1] = {
	[SCAN_HINT_NONE] = "none",           [SCAN_HINT_EMPTY] = "empty",           [SCAN_HINT_TOO_LONG] = "too_long",
	[SCAN_HINT_CUT_OFF] = "cut_off",     [SCAN_HINT_LETTERS] = "letters",       [SCAN_HINT_LAYOUT] = "layout",
	[SCAN_HINT_CAPS_LOCK] = "caps_lock", [SCAN_HINT_FULL_WIDTH] = "full_width",
};

static const char *const layers[] = {
	[LAYER_NONE] = "none", [LAYER_TEXT] = "text", [LAYER_ZLIB] = "zlib",
	[LAYER_COSE] = "cose", [LAYER_CWT] = "cwt",   [LAYER_CLAIMS] = "claims",
};

const char *verify_layer_name(enum verify_layer l)
{
	return layers[l];
}

const char *verify_code_zh(enum scan_code c)
{
	return codes[c].zh;
}

const char *verify_code_en(enum scan_code c)
{
	return codes[c].en;
}

const char *verify_hint_name(enum scan_text_hint h)
{
	return hint_names[h];
}

const char *verify_hint_zh(enum scan_text_hint h)
{
	return hints[h].zh;
}

const char *verify_hint_en(enum scan_text_hint h)
{
	return hints[h].en;
}

static void put_zh_en(struct json_out *j, const char *key, const char *zh, const char *en)
{
	json_open(j, key, '{');
	json_put_text(j, "zh", zh);
	json_put_text(j, "en", en);
	json_close(j, '}');
}

/* China's time, RFC 3339. */
static void put_time(struct json_out *j, const char *key, int64_t time_s)
{
	struct tm tm;
	char text[40];
	time_t local = time_s == ECERT_NO_END ? 0 : (time_t)(time_s + CHECK_CHINA_S);
	if (time_s == ECERT_NO_END || gmtime_r(&local, &tm) == NULL) {
		json_put_null(j, key);
		return;
	}
	size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+08:00", &tm);
	if (len > 0)
		json_put_text(j, key, text);
	else
		json_put_null(j, key);
}

static void put_text(struct json_out *j, const char *key, const char *text)
{
	if (text[0] != '\0')
		json_put_text(j, key, text);
}

static void put_state(struct json_out *j, const char *key, uint64_t version, int64_t age_s)
{
	json_open(j, key, '{');
	json_put_int(j, "version", (int64_t)version);
	if (age_s < 0)
		json_put_null(j, "age_s");
	else
		json_put_int(j, "age_s", age_s);
	json_close(j, '}');
}

void verify_certificate_json(const struct verdict *v, struct json_out *j)
{
	const struct ecert *c = &v->cert;
	char hex[2 * HASH_LEN + 1];
	json_open(j, NULL, '{');
	json_put_text(j, "profile", ecert_profile_name(c->profile));
	json_put_text(j, "issuer", c->issuer);
	put_zh_en(j, "issuer_name", v->key->issuer->name_zh, v->key->issuer->name_en);
	json_put_text(j, "id", c->id);
	json_put_text(j, "type", c->type);
	if (v->kind != NULL)
		put_zh_en(j, "kind", v->kind->name_zh, v->kind->name_en);
	put_text(j, "number", c->number);
	put_text(j, "holder_name", c->holder_name);
	if (c->holder_kind != 0)
		json_put_text(j, "holder_kind", identifier_kind_name(c->holder_kind));
	put_text(j, "holder_masked", c->holder_masked);
	put_text(j, "birth_date", c->birth_date);
	put_time(j, "issued", c->issued_s);
	put_time(j, "from", c->from_s);
	put_time(j, "to", c->to_s);
	json_put_text(j, "version", c->version);
	if (c->has_digest) {
		hex_encode(c->digest, HASH_LEN, hex);
		json_put_text(j, "digest", hex);
	}
	json_close(j, '}');
}

void verify_words_json(const struct verdict *v, struct json_out *j)
{
	json_put_text(j, "code", scan_code_name(v->code));
	json_put_text(j, "outcome", scan_outcome_name(v->outcome));
	put_zh_en(j, "outcome_text", scan_outcome_zh(v->outcome), scan_outcome_en(v->outcome));
	put_zh_en(j, "text", codes[v->code].zh, codes[v->code].en);
	if (v->code == SCAN_DAMAGED) {
		json_open(j, "hint", '{');
		json_put_text(j, "name", hint_names[v->hint]);
		json_put_text(j, "zh", hints[v->hint].zh);
		json_put_text(j, "en", hints[v->hint].en);
		json_close(j, '}');
	}
	if (v->code == SCAN_FORMAT)
		json_put_text(j, "layer", layers[v->layer]);
	put_text(j, "detail", v->detail);
	json_open(j, "findings", '[');
	for (size_t i = 0; i < v->findings_len; i++) {
		const struct verify_finding *f = &v->findings[i];
		json_open(j, NULL, '{');
		json_put_text(j, "code", scan_code_name(f->code));
		json_put_text(j, "outcome", scan_outcome_name(f->outcome));
		put_zh_en(j, "text", codes[f->code].zh, codes[f->code].en);
		json_close(j, '}');
	}
	json_close(j, ']');
	put_state(j, "issuers", v->issuers_version, v->issuers_age_s);
	put_state(j, "status", v->list_version, v->list_age_s);
}

void verify_json(const struct verdict *v, struct json_out *j)
{
	struct buf certificate;
	struct json_out inner = { &certificate, false };
	verify_words_json(v, j);
	if (!v->authentic)
		return;
	buf_init(&certificate, VERIFY_CERTIFICATE_MAX);
	verify_certificate_json(v, &inner);
	json_put_raw(j, "certificate", buf_bytes(&certificate));
	buf_clear(&certificate);
}
