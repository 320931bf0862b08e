/* custody.c - custody.json in memory and on disk; FORMAT.md, section 3. What is secret about it stands in
 * custody_secret.c.
 *
 * The reader accepts the canonical form alone, with exactly one pair of shares for every two custodians: so
 * what the MAC covers (the text that custody_format writes) is what was in the file, to the byte. */
#include "store/custody_private.h"
#include "store/lines.h"

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdlib.h>
#include <string.h>

static const char file_name[] = "custody.json";
static const char next_name[] = "custody.next.json";

struct custody *custody_new(const struct id *archive)
{
	struct custody *c = xcalloc(1, sizeof(*c));

	c->archive = *archive;
	c->epoch = 1;
	return c;
}

void custody_free(struct custody *c)
{
	free(c);
}

size_t custody_count(const struct custody *c)
{
	return c->custodian_count;
}

struct custodian_info custody_at(const struct custody *c, size_t i)
{
	return (struct custodian_info){ c->custodians[i].id, c->custodians[i].label };
}

uint64_t custody_epoch(const struct custody *c)
{
	return c->epoch;
}

int custody_order(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

struct custodian *custody_get(const struct custody *c, const struct id *who)
{
	for (size_t i = 0; i < c->custodian_count; i++)
		if (id_equal(&c->custodians[i].id, who))
			return (struct custodian *)&c->custodians[i];
	return NULL;
}

int custody_find(const struct custody *c, const char *who, struct id *ret, struct err *err)
{
	const struct custodian *found = NULL;
	size_t n = strlen(who), fits = 0;

	for (size_t i = 0; i < c->custodian_count; i++)
		if (strcmp(c->custodians[i].label, who) == 0) {
			*ret = c->custodians[i].id;
			return 0;
		}
	for (size_t i = 0; i < c->custodian_count && n > 0; i++) {
		char text[ID_TEXT];

		if (strncmp(hex_encode(c->custodians[i].id.b, ID_BYTES, text), who, n) == 0) {
			found = &c->custodians[i];
			fits++;
		}
	}
	if (fits == 0)
		return err_set(err, ERR_NOTFOUND, tr("there is no custodian '%s'"), who);
	if (fits > 1)
		return err_set(err, ERR_INVALID, tr("'%s' fits more than one custodian"), who);
	*ret = found->id;
	return 0;
}

static int compare_custodians(const void *a, const void *b)
{
	return custody_order(
		&((const struct custodian *)a)->id, &((const struct custodian *)b)->id);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct custody_pair *x = a, *y = b;
	int order = custody_order(&x->a, &y->a);

	return order ? order : custody_order(&x->b, &y->b);
}

void custody_sort(struct custody *c)
{
	qsort(c->custodians, c->custodian_count, sizeof(c->custodians[0]), compare_custodians);
	qsort(c->pairs, c->pair_count, sizeof(c->pairs[0]), compare_pairs);
}

/* ---- writing ---- */

static void add_hex(struct buf *b, const char *name, const void *p, size_t n)
{
	json_add_name(b, name);
	buf_addc(b, '"');
	hex_add(b, p, n);
	buf_addc(b, '"');
}

static void add_base64(struct buf *b, const char *name, const void *p, size_t n)
{
	json_add_name(b, name);
	buf_addc(b, '"');
	base64_add(b, p, n);
	buf_addc(b, '"');
}

static void add_text(struct buf *b, const char *name, const char *text)
{
	json_add_name(b, name);
	json_add_text(b, str_of(text));
}

static void add_int(struct buf *b, const char *name, uint64_t v)
{
	json_add_name(b, name);
	buf_add_u64(b, v);
}

static void add_custodian(struct buf *b, const struct custodian *who)
{
	buf_addc(b, '{');
	add_base64(b, "box", who->box, sizeof(who->box));
	add_hex(b, "id", who->id.b, sizeof(who->id.b));
	add_text(b, "kdf", "argon2id13");
	add_text(b, "label", who->label);
	add_int(b, "mem", who->mem);
	add_int(b, "ops", who->ops);
	add_hex(b, "public", who->public, sizeof(who->public));
	add_hex(b, "salt", who->salt, sizeof(who->salt));
	add_text(b, "state", "active");
	buf_addc(b, '}');
}

static void add_pair(struct buf *b, const struct custody_pair *p)
{
	buf_addc(b, '{');
	add_hex(b, "a", p->a.b, sizeof(p->a.b));
	add_hex(b, "b", p->b.b, sizeof(p->b.b));
	add_base64(b, "to_a", p->to_a, sizeof(p->to_a));
	add_base64(b, "to_b", p->to_b, sizeof(p->to_b));
	buf_addc(b, '}');
}

void custody_format(const struct custody *c, bool with_mac, struct buf *ret)
{
	buf_addc(ret, '{');
	add_hex(ret, "archive", c->archive.b, sizeof(c->archive.b));
	json_add_name(ret, "custodians");
	for (size_t i = 0; i < c->custodian_count; i++) {
		buf_addc(ret, i ? ',' : '[');
		add_custodian(ret, &c->custodians[i]);
	}
	buf_addc(ret, ']');
	add_int(ret, "epoch", c->epoch);
	add_int(ret, "format", CUSTODY_FORMAT);
	if (with_mac)
		add_hex(ret, "mac", c->mac, sizeof(c->mac));
	json_add_name(ret, "pairs");
	for (size_t i = 0; i < c->pair_count; i++) {
		buf_addc(ret, i ? ',' : '[');
		add_pair(ret, &c->pairs[i]);
	}
	buf_adds(ret, "]}");
}

/* ---- reading ---- */

/* Base64 of exactly n bytes. */
static int need_base64(
	const struct json *map, const char *name, uint8_t *out, size_t n, struct err *err)
{
	struct buf raw = BUF_INIT_MAX(1024);
	struct str text;
	int r = json_need_text(map, name, &text, err);

	if (r == 0)
		r = base64_decode(text, &raw, err);
	if (r == 0 && raw.n != n)
		r = err_set(
			err, ERR_INVALID, tr("'%s' has %zu bytes instead of %zu"), name, raw.n, n);
	if (r == 0)
		memcpy(out, raw.p, n);
	buf_done(&raw);
	return r;
}

static int need_word(const struct json *map, const char *name, const char *word, struct err *err)
{
	struct str text;
	int r = json_need_text(map, name, &text, err);

	if (r == 0 && !str_is(text, word))
		r = err_set(err, ERR_INVALID, tr("'%s' is not '%s'"), name, word);
	return r;
}

int custody_label_check(struct str label, struct err *err)
{
	if (label.n > CUSTODY_LABEL_MAX)
		return err_set(err, ERR_INVALID, tr("a custodian's name has at most %d bytes"),
			CUSTODY_LABEL_MAX);
	if (!line_text_is_fit(label) || !text_is_nfc(label) || text_check_line(label, NULL) < 0)
		return err_set(err, ERR_INVALID,
			tr("a custodian's name is one line of text without blanks at its ends"));
	return 0;
}

static int read_custodian(const struct json *map, struct custodian *ret, struct err *err)
{
	static const char *const names[] = { "box", "id", "kdf", "label", "mem", "ops", "public",
		"salt", "state" };
	int64_t ops = 0, mem = 0;
	struct str label = STR("");
	int r = json_only_members(map, names, ARRAY_LEN(names), err);

	if (r == 0)
		r = need_base64(map, "box", ret->box, sizeof(ret->box), err);
	if (r == 0)
		r = json_need_hex(map, "id", ret->id.b, sizeof(ret->id.b), err);
	if (r == 0)
		r = need_word(map, "kdf", "argon2id13", err);
	if (r == 0)
		r = json_need_text(map, "label", &label, err);
	if (r == 0)
		r = custody_label_check(label, err);
	if (r == 0)
		r = json_need_int(map, "mem", CUSTODY_MEM_MIN, CUSTODY_MEM_MAX, &mem, err);
	if (r == 0)
		r = json_need_int(map, "ops", CUSTODY_OPS_MIN, CUSTODY_OPS_MAX, &ops, err);
	if (r == 0)
		r = json_need_hex(map, "public", ret->public, sizeof(ret->public), err);
	if (r == 0)
		r = json_need_hex(map, "salt", ret->salt, sizeof(ret->salt), err);
	if (r == 0)
		r = need_word(map, "state", "active", err);
	if (r < 0)
		return r;
	memcpy(ret->label, label.p, label.n);
	ret->ops = (uint64_t)ops;
	ret->mem = (uint64_t)mem;
	return 0;
}

static int read_pair(const struct json *map, struct custody_pair *ret, struct err *err)
{
	static const char *const names[] = { "a", "b", "to_a", "to_b" };
	int r = json_only_members(map, names, ARRAY_LEN(names), err);

	if (r == 0)
		r = json_need_hex(map, "a", ret->a.b, sizeof(ret->a.b), err);
	if (r == 0)
		r = json_need_hex(map, "b", ret->b.b, sizeof(ret->b.b), err);
	if (r == 0)
		r = need_base64(map, "to_a", ret->to_a, sizeof(ret->to_a), err);
	if (r == 0)
		r = need_base64(map, "to_b", ret->to_b, sizeof(ret->to_b), err);
	return r;
}

static int read_lists(const struct json *root, struct custody *c, struct err *err)
{
	const struct json *custodians = NULL, *pairs = NULL;
	int r = json_need_list(root, "custodians", &custodians, err);

	if (r == 0)
		r = json_need_list(root, "pairs", &pairs, err);
	if (r < 0)
		return r;
	if (json_list_count(custodians) > CUSTODY_MAX_CUSTODIANS ||
		json_list_count(pairs) > CUSTODY_MAX_PAIRS)
		return err_set(err, ERR_LIMIT, tr("there are at most %d custodians"),
			CUSTODY_MAX_CUSTODIANS);
	for (size_t i = 0; i < json_list_count(custodians) && r == 0; i++)
		r = read_custodian(
			json_list_at(custodians, i), &c->custodians[c->custodian_count++], err);
	for (size_t i = 0; i < json_list_count(pairs) && r == 0; i++)
		r = read_pair(json_list_at(pairs, i), &c->pairs[c->pair_count++], err);
	return r;
}

/* Everybody once, and a pair of shares for every two; with the canonical text, in order. */
static int check_sets(const struct custody *c, struct err *err)
{
	size_t at = 0;

	for (size_t i = 0; i < c->custodian_count; i++)
		for (size_t j = i + 1; j < c->custodian_count; j++, at++)
			if (custody_order(&c->custodians[i].id, &c->custodians[j].id) >= 0 ||
				strcmp(c->custodians[i].label, c->custodians[j].label) == 0 ||
				at >= c->pair_count ||
				!id_equal(&c->pairs[at].a, &c->custodians[i].id) ||
				!id_equal(&c->pairs[at].b, &c->custodians[j].id))
				return err_set(err, ERR_INVALID,
					tr("custodians and shares do not fit together"));
	if (c->custodian_count < 2 || at != c->pair_count)
		return err_set(err, ERR_INVALID, tr("custodians and shares do not fit together"));
	return 0;
}

static int read_all(const struct json *root, struct custody *c, struct err *err)
{
	static const char *const names[] = { "archive", "custodians", "epoch", "format", "mac",
		"pairs" };
	int64_t format = 0, epoch = 0;
	int r = json_need_int(root, "format", 1, INT64_MAX, &format, err);

	if (r == 0 && format != CUSTODY_FORMAT)
		return err_set(err, ERR_UNSUPPORTED, tr("format %lld needs a newer program"),
			(long long)format);
	if (r == 0)
		r = json_only_members(root, names, ARRAY_LEN(names), err);
	if (r == 0)
		r = json_need_hex(root, "archive", c->archive.b, sizeof(c->archive.b), err);
	if (r == 0)
		r = json_need_int(root, "epoch", 1, INT64_MAX, &epoch, err);
	if (r == 0)
		r = json_need_hex(root, "mac", c->mac, sizeof(c->mac), err);
	if (r == 0)
		r = read_lists(root, c, err);
	if (r == 0)
		r = check_sets(c, err);
	c->epoch = (uint64_t)epoch;
	return r;
}

/* A file that cannot be read is damaged, whatever the reader of JSON called it. */
static int damaged(int r, struct err *err)
{
	if (r == -ERR_INVALID) {
		r = -ERR_CORRUPT;
		if (err)
			err->code = r;
	}
	return err_prefix(err, r, tr("the custody file (custody.json)"));
}

int custody_parse(struct str text, struct custody **ret, struct err *err)
{
	_cleanup_(custody_freep) struct custody *c = xcalloc(1, sizeof(*c));
	_cleanup_(json_freep) struct json *root = NULL;
	struct buf again = BUF_INIT;
	int r = json_parse(text, NULL, 0, &root, err);

	if (r == 0)
		r = read_all(root, c, err);
	if (r < 0)
		return damaged(r, err);
	custody_format(c, true, &again);
	buf_addc(&again, '\n');
	if (!str_eq(buf_str(&again), text))
		r = damaged(err_set(err, ERR_CORRUPT, tr("not in canonical form")), err);
	else
		*ret = TAKE_PTR(c);
	buf_done(&again);
	return r;
}

static int load(int dir, const char *name, struct custody **ret, struct err *err)
{
	struct buf text = BUF_INIT_MAX((size_t)1 << 20);
	int r = file_read_whole(dir, name, &text, err);

	if (r == 0)
		r = custody_parse(buf_str(&text), ret, err);
	buf_done(&text);
	return r;
}

int custody_load(int dir, struct custody **ret, struct err *err)
{
	return load(dir, file_name, ret, err);
}

static int save(
	struct custody *c, int dir, const char *name, const struct secret *root, struct err *err)
{
	struct buf text = BUF_INIT;
	int r = check_sets(c, err);

	if (r < 0)
		return r;
	custody_mac(c, root, c->mac);
	custody_format(c, true, &text);
	buf_addc(&text, '\n');
	r = buf_check(&text, err);
	if (r == 0)
		r = file_replace(dir, name, text.p, text.n, err);
	buf_done(&text);
	return r;
}

int custody_save(struct custody *c, int dir, const struct secret *root, struct err *err)
{
	return save(c, dir, file_name, root, err);
}

int custody_save_next(struct custody *c, int dir, const struct secret *root, struct err *err)
{
	return save(c, dir, next_name, root, err);
}

int custody_settle(int dir, uint64_t keys_epoch, struct err *err)
{
	_cleanup_(custody_freep) struct custody *next = NULL;
	int r;

	if (!file_exists(dir, next_name))
		return 0;
	r = load(dir, next_name, &next, err);
	if (r < 0)
		return r;
	/* Shares of a root under which nothing was wrapped are of no use; those of the one in use are the only ones. */
	if (next->epoch == keys_epoch)
		r = file_rename(dir, next_name, dir, file_name, err);
	else if (next->epoch > keys_epoch)
		r = file_unlink(dir, next_name, err);
	else
		r = err_set(err, ERR_CORRUPT,
			tr("custody.next.json is older than the keys; it was left where it is"));
	return r < 0 ? r : file_sync_dir(dir, err);
}
