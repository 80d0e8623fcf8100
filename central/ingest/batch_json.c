#include "central/ingest/batch_json.h"

#include "protocol/rule.h"

static void day_put(struct json_out *w, const char *key, int64_t day, bool there)
{
	char text[11] = "";
	if (there)
		day_format(day, text);
	json_put_text(w, key, text);
}

static void drift_put(struct json_out *w, const struct batch *b)
{
	json_open(w, "drift", '[');
	for (size_t i = 0; i < b->intake.drift_len; i++) {
		const struct row_fault *f = &b->intake.drift[i];
		json_open(w, NULL, '{');
		json_put_int(w, "column", f->field);
		json_put_text(w, "code", fault_code(f->fault));
		json_put_text(w, "zh", fault_zh(f->fault));
		json_put_text(w, "en", fault_en(f->fault));
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void holds_put(struct json_out *w, unsigned held)
{
	json_open(w, "holds", '[');
	for (unsigned i = 0; i < BATCH_HOLDS; i++) {
		enum batch_hold h = (enum batch_hold)(1U << i);
		if ((held & h) == 0)
			continue;
		json_open(w, NULL, '{');
		json_put_text(w, "code", batch_hold_name(h));
		json_put_text(w, "zh", batch_hold_zh(h));
		json_put_text(w, "en", batch_hold_en(h));
		json_close(w, '}');
	}
	json_close(w, ']');
}

void batch_json_put(struct json_out *w, const struct batch *b)
{
	const struct intake_state *s = &b->intake;
	bool shown = s->content_from <= s->content_to;
	char hash[2 * HASH_LEN + 1];
	hex_encode(b->sha256, HASH_LEN, hash);
	json_open(w, NULL, '{');
	json_put_int(w, "id", b->id);
	json_put_text(w, "source", b->source);
	json_put_int(w, "source_version", b->source_version);
	json_put_text(w, "period", b->period);
	json_put_text(w, "state", batch_state_name(b->state));
	json_put_text(w, "state_zh", batch_state_zh(b->state));
	json_put_bool(w, "growing", b->growing);
	json_put_text(w, "file", b->file);
	json_put_text(w, "format", intake_format_name(b->format));
	json_put_text(w, "encoding", encoding_name(s->encoding));
	json_put_int(w, "size", (int64_t)b->size);
	json_put_text(w, "sha256", hash);
	json_put_int(w, "offset", (int64_t)s->offset);
	json_put_int(w, "phase", b->phase);
	json_put_int(w, "accepted", batch_rows(b));
	json_put_int(w, "rejected", (int64_t)s->rejected + b->duplicates);
	json_put_int(w, "duplicates", b->duplicates);
	json_put_int(w, "repaired", (int64_t)s->repaired);
	json_put_int(w, "rejects_kept", b->kept + b->duplicates);
	json_put_text(w, "claimed_day", b->as_of);
	day_put(w, "content_from", s->content_from, shown);
	day_put(w, "content_to", s->content_to, shown);
	drift_put(w, b);
	holds_put(w, b->held);
	json_put_text(w, "created_by", b->created_by);
	json_put_int(w, "created_s", b->created_s);
	json_put_int(w, "finished_s", b->finished_s);
	json_put_int(w, "superseded_s", b->superseded_s);
	json_put_int(w, "erased_s", b->erased_s);
	json_put_text(w, "decided_by", b->decided_by);
	json_put_int(w, "decided_s", b->decided_s);
	json_put_text(w, "decided_why", b->decided_why);
	json_close(w, '}');
}
