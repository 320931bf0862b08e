/* catalogue.c - see catalogue.h. */
#include "core/archive/catalogue.h"

#include "core/archive/log.h"
#include "core/archive/reading.h"
#include "core/archive/recorder.h"

#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdlib.h>

enum { DEFINITION_MAX_BYTES = 256 << 10, DEFINITIONS_MAX = 100000 };

struct entry {
	struct series *series;
	struct id record;
	uint64_t version;
	bool in_force;
};

struct catalogue {
	struct archive *archive;
	pthread_mutex_t lock;
	struct entry *entries;
	size_t count, room;
};

/* ---- entries ---- */

/* Takes the series. Under the lock. A definition in force takes the place of an older version, or of the
 * program's own. */
static void add(struct catalogue *c, struct series *series, const struct id *record,
	uint64_t version, bool newest)
{
	bool in_force = newest;

	for (size_t i = 0; i < c->count; i++) {
		struct entry *e = &c->entries[i];

		if (strcmp(e->series->code, series->code) != 0)
			continue;
		if (digest_equal(&e->series->sha256, &series->sha256) &&
			id_equal(&e->record, record) && e->version == version) {
			series_free(series);
			return;
		}
		if (!newest)
			continue;
		if (e->in_force && id_equal(&e->record, record) && e->version > version)
			in_force = false;
		else
			e->in_force = false;
	}
	if (c->count == c->room) {
		size_t room = c->room ? 2 * c->room : 32;
		struct entry *grown = c->count < DEFINITIONS_MAX
					      ? reallocarray(c->entries, room, sizeof(*grown))
					      : NULL;

		if (!grown) {
			series_free(series);
			return;
		}
		c->entries = grown;
		c->room = room;
	}
	c->entries[c->count++] = (struct entry){ series, *record, version, in_force };
}

static int add_builtins(struct catalogue *c, struct err *err)
{
	static const struct id none = { { 0 } };

	for (size_t i = 0; i < series_builtin_count; i++) {
		const struct series_builtin *b = &series_builtins[i];
		struct series *series;
		int r = series_parse((struct str){ b->text, b->bytes }, b->file, &series, err);

		if (r < 0)
			return r;
		add(c, series, &none, 0, true);
	}
	return 0;
}

/* ---- from records ---- */

static int collect(void *context, struct str piece, struct err *err)
{
	struct buf *b = context;

	buf_add_str(b, piece);
	return buf_check(b, err);
}

static int load_version(
	struct catalogue *c, const struct record_head *head, uint64_t version, struct err *err)
{
	_cleanup_(edition_done) struct edition e = { .slip_text = BUF_INIT };
	_cleanup_(buf_done) struct buf text = BUF_INIT_MAX(DEFINITION_MAX_BYTES);
	struct series *series;
	int r = edition_open(c->archive, head, version, &e, err);

	if (r < 0)
		return r;
	if (!str_is(e.manifest->series, SERIES_DEFINITION) || e.manifest->part_count == 0)
		return err_set(
			err, ERR_INVALID, tr("record '%s' holds no definition"), head->number);
	r = edition_read_part(c->archive, &e, 0, 0, UINT64_MAX, collect, &text, err);
	if (r == 0)
		r = series_parse(buf_str(&text), head->number, &series, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&c->lock);
	add(c, series, &head->record, version, version == head->version);
	(void)pthread_mutex_unlock(&c->lock);
	return 0;
}

static int load_newest(struct catalogue *c, const struct id *record, struct err *err)
{
	struct record_head head;
	int r = store_find(c->archive->store, record, &head, err);

	if (r < 0)
		return r;
	if (!head.destroyed)
		r = load_version(c, &head, head.version, err);
	record_head_done(&head);
	return r;
}

void catalogue_note(struct catalogue *c, const struct id *record)
{
	struct err err = ERR_INIT;

	if (load_newest(c, record, &err) < 0)
		log_err(LOG_LEVEL_ERROR, "a definition cannot be read", &err);
}

struct ids {
	struct id *ids;
	size_t count, room;
};

static int take_id(void *context, const struct registry_row *row, struct err *err)
{
	struct ids *list = context;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct id *grown = reallocarray(list->ids, room, sizeof(*grown));

		if (!grown)
			return err_set(err, ERR_LIMIT, tr("out of memory"));
		list->ids = grown;
		list->room = room;
	}
	list->ids[list->count++] = row->record;
	return 0;
}

/* Every definition that the registry knows; those that it does not know yet come by catalogue_note. */
static int list_definitions(struct catalogue *c, struct ids *ret, struct err *err)
{
	_cleanup_(pool_give) struct pooled registry = { 0 };
	struct registry_filter filter = { .series = STR(SERIES_DEFINITION) };
	int r = pool_take(c->archive->registries, &registry, err);

	return r < 0 ? r
		     : registry_list(registry.item, &filter, REGISTRY_BY_SEQUENCE, NULL,
			       REGISTRY_LIST_MAX, take_id, ret, err);
}

static int load_all(struct catalogue *c, bool all_versions, struct err *err)
{
	struct ids list = { NULL, 0, 0 };
	int r = list_definitions(c, &list, err);

	for (size_t i = 0; r == 0 && i < list.count; i++) {
		struct record_head head;
		struct err inner = ERR_INIT;
		int one = store_find(c->archive->store, &list.ids[i], &head, &inner);

		if (one == 0) {
			for (uint64_t v = all_versions ? 1 : head.version;
				one == 0 && !head.destroyed && v <= head.version; v++)
				one = load_version(c, &head, v, &inner);
			record_head_done(&head);
		}
		if (one < 0)
			log_err(LOG_LEVEL_ERROR, "a definition cannot be read", &inner);
	}
	free(list.ids);
	return r;
}

int catalogue_new(struct archive *a, struct catalogue **ret, struct err *err)
{
	struct catalogue *c = xcalloc(1, sizeof(*c));
	struct err inner = ERR_INIT;
	int r;

	(void)pthread_mutex_init(&c->lock, NULL);
	c->archive = a;
	r = add_builtins(c, err);
	if (r < 0) {
		catalogue_free(c);
		return r;
	}
	/* Opened for reading only, there may be no registry: then the program's own series must do. */
	if (load_all(c, false, &inner) < 0)
		log_err(LOG_LEVEL_WARNING, "the definitions cannot be listed", &inner);
	*ret = c;
	return 0;
}

void catalogue_free(struct catalogue *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		series_free(c->entries[i].series);
	free(c->entries);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- finding ---- */

static bool is_named(const struct series *s, struct str which)
{
	return str_is(which, s->code) || str_is(which, s->title.zh) || str_is(which, s->title.en);
}

static bool look(struct catalogue *c, struct str which, struct catalogued *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->count && !found; i++) {
		const struct entry *e = &c->entries[i];

		if (e->in_force && is_named(e->series, which)) {
			*ret = (struct catalogued){ e->series, e->record, e->version };
			found = true;
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

static int by_code(const void *a, const void *b)
{
	const struct catalogued *x = a, *y = b;

	return strcmp(x->series->code, y->series->code);
}

void catalogue_list(struct catalogue *c, struct catalogued **ret, size_t *ret_count)
{
	struct catalogued *list;
	size_t n = 0;

	(void)pthread_mutex_lock(&c->lock);
	list = xcalloc(c->count + 1, sizeof(*list));
	for (size_t i = 0; i < c->count; i++) {
		const struct entry *e = &c->entries[i];

		if (e->in_force)
			list[n++] = (struct catalogued){ e->series, e->record, e->version };
	}
	(void)pthread_mutex_unlock(&c->lock);
	qsort(list, n, sizeof(*list), by_code);
	*ret = list;
	*ret_count = n;
}

static int not_found(struct catalogue *c, struct str which, struct err *err)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT;
	_cleanup_(buf_done) struct buf safe = BUF_INIT;
	_cleanup_(freep) struct catalogued *list = NULL;
	size_t count;

	catalogue_list(c, &list, &count);
	for (size_t i = 0; i < count; i++)
		buf_addf(&names, "%s%s %s", i ? tr_pick("、", ", ") : "", list[i].series->code,
			label_text(&list[i].series->title));
	text_add_safe(&safe, which);
	return err_set(
		err, ERR_NOTFOUND, tr("there is no series '%s'; there are: %s"), safe.p, names.p);
}

int catalogue_find(struct catalogue *c, struct str which, struct catalogued *ret, struct err *err)
{
	if (look(c, which, ret))
		return 0;
	/* A follower that is behind may not have brought it yet. */
	if (c->archive->recorder && recorder_catch_up(c->archive, 10000) && look(c, which, ret))
		return 0;
	return not_found(c, which, err);
}

void catalogue_look(struct catalogue *c, struct str which, struct catalogued *ret)
{
	(void)look(c, which, ret);
}

int catalogue_find_for_filing(
	struct catalogue *c, struct str which, struct catalogued *ret, struct err *err)
{
	int r = catalogue_find(c, which, ret, err);

	if (r < 0)
		return r;
	if (strcmp(ret->series->code, SERIES_DEFINITION) == 0)
		return err_set(err, ERR_DENIED,
			tr("definitions are put in force with 'muniment series add'"));
	if (strcmp(ret->series->code, SERIES_ACCOUNT) == 0)
		return err_set(
			err, ERR_DENIED, tr("accounts are made with 'muniment account add'"));
	return 0;
}

static bool look_digest(
	struct catalogue *c, const struct digest *definition, const struct series **ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->count && !found; i++) {
		if (digest_equal(&c->entries[i].series->sha256, definition)) {
			*ret = c->entries[i].series;
			found = true;
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

int catalogue_of(struct catalogue *c, struct str code, const struct digest *definition,
	const struct series **ret, struct err *err)
{
	char hex[65];

	if (look_digest(c, definition, ret))
		return 0;
	/* Filed under a definition that is no longer in force: those are read when they are wanted. */
	if (load_all(c, true, NULL) == 0 && look_digest(c, definition, ret))
		return 0;
	return err_set(err, ERR_NOTFOUND,
		tr("the definition of series '%.*s' with SHA-256 %s is not in this archive"),
		STR_ARG(code), hex_encode(definition->b, 32, hex));
}

struct str catalogue_code_of_title(struct catalogue *c, struct str title)
{
	struct catalogued found;

	return look(c, title, &found) ? str_of(found.series->code) : title;
}

struct str catalogue_title(struct catalogue *c, struct str code)
{
	struct catalogued found;

	return look(c, code, &found) ? str_of(label_text(&found.series->title)) : code;
}
