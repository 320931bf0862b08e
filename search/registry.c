/* registry.c - rows in SQLite. Statements are prepared when first used and kept; the texts are in registry_sql.h. */
#include "search/registry.h"

#include "core/base/tr.h"
#include "search/registry_sql.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <sqlite3.h>

enum {
	BUSY_MS = 5000,
	TEXT_COLUMN_MAX = 1024,
	/* What a query is for: one of the orders of a list, the count, a tally. */
	QUERY_COUNT = REGISTRY_ORDER_COUNT,
	QUERY_TALLY,
	QUERIES = QUERY_TALLY + REGISTRY_COLUMN_COUNT
};

struct registry {
	sqlite3 *db;
	sqlite3_stmt *fixed[SQL_STATEMENTS];
	sqlite3_stmt *built[QUERIES][1 << CONDITIONS];
	bool writing, begun;
};

/* ---- errors ---- */

static int full(struct err *err)
{
	return err_set(err, ERR_FULL, tr("the registry: %s"), tr("the disk is full"));
}

static int fail(struct registry *r, struct err *err)
{
	int code = ERR_IO;

	switch (sqlite3_errcode(r->db)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_LOCKED, tr("another process is writing the registry"));
	case SQLITE_FULL:
		return full(err);
	case SQLITE_IOERR: /* where memory is shared by a file (-shm) only errno says it */
		if (sqlite3_system_errno(r->db) == ENOSPC)
			return full(err);
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_SCHEMA:
		code = ERR_CORRUPT;
		break;
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
		code = ERR_LIMIT;
		break;
	}
	return err_set(err, code, tr("the registry: %s"), sqlite3_errmsg(r->db));
}

static int damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, tr("a row of the registry is damaged; rebuild it"));
}

/* ---- statements ---- */

static int prepare(struct registry *r, const char *text, sqlite3_stmt **at, struct err *err)
{
	if (!*at && sqlite3_prepare_v3(r->db, text, -1, SQLITE_PREPARE_PERSISTENT, at, NULL) !=
			    SQLITE_OK)
		return fail(r, err);
	return 0;
}

static void bind_text(sqlite3_stmt *s, int at, struct str text)
{
	(void)sqlite3_bind_text(s, at, text.n ? text.p : "", (int)text.n, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *s, int at, const void *p, size_t n)
{
	(void)sqlite3_bind_blob(s, at, n ? p : "", (int)n, SQLITE_STATIC);
}

/* Step once and make the statement ready for the next time; parameters point to the caller's memory. */
static int run(struct registry *r, sqlite3_stmt *s, struct err *err)
{
	int stepped = sqlite3_step(s), e = 0;

	if (stepped != SQLITE_DONE && stepped != SQLITE_ROW)
		e = fail(r, err);
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return e;
}

static int run_fixed(struct registry *r, enum statement which, struct err *err)
{
	int e = prepare(r, sql[which], &r->fixed[which], err);

	return e < 0 ? e : run(r, r->fixed[which], err);
}

static struct str column_text(sqlite3_stmt *s, int at)
{
	const char *p = (const char *)sqlite3_column_text(s, at);

	return (struct str){ p, (size_t)sqlite3_column_bytes(s, at) };
}

/* ---- opening ---- */

static int check_schema(struct registry *r, struct err *err)
{
	sqlite3_stmt *s;
	int64_t version = -1;
	int e = prepare(r, sql[SQL_SCHEMA], &r->fixed[SQL_SCHEMA], err);

	if (e < 0)
		return e;
	s = r->fixed[SQL_SCHEMA];
	if (sqlite3_step(s) == SQLITE_ROW)
		version = sqlite3_column_int64(s, 0);
	(void)sqlite3_reset(s);
	if (version != REGISTRY_SCHEMA)
		return err_set(err, ERR_UNSUPPORTED,
			tr("the registry was made by another version; rebuild it"));
	return 0;
}

static int execute(struct registry *r, const char *text, struct err *err)
{
	return sqlite3_exec(r->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(r, err);
}

static int is_new(struct registry *r, bool *ret, struct err *err)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(r->db, "PRAGMA schema_version", -1, &s, NULL) != SQLITE_OK)
		return fail(r, err);
	if (sqlite3_step(s) != SQLITE_ROW) {
		(void)sqlite3_finalize(s);
		return fail(r, err);
	}
	*ret = sqlite3_column_int64(s, 0) == 0;
	(void)sqlite3_finalize(s);
	return 0;
}

static int open_tables(struct registry *r, struct err *err)
{
	bool fresh = false;
	int e;

	if ((e = execute(r, sql_connection, err)) < 0 || (e = is_new(r, &fresh, err)) < 0)
		return e;
	if (fresh && r->writing) {
		if ((e = execute(r, "PRAGMA journal_mode = WAL", err)) < 0 ||
			(e = registry_begin(r, err)) < 0 || (e = execute(r, sql_schema, err)) < 0 ||
			(e = registry_commit(r, err)) < 0)
			return e;
	}
	if (r->writing && (e = execute(r, sql_writer, err)) < 0)
		return e;
	if (!r->writing && (e = execute(r, "PRAGMA query_only = ON", err)) < 0)
		return e;
	return check_schema(r, err);
}

int registry_open(const char *path, bool for_writing, struct registry **ret, struct err *err)
{
	_cleanup_(registry_freep) struct registry *r = xcalloc(1, sizeof(*r));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, e;

	r->writing = for_writing;
	if (for_writing)
		flags |= SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &r->db, flags, NULL) != SQLITE_OK)
		return err_set(err, ERR_IO, tr("cannot open the registry '%s': %s"), path,
			r->db ? sqlite3_errmsg(r->db) : "");
	(void)sqlite3_busy_timeout(r->db, BUSY_MS);
	e = open_tables(r, err);
	if (e < 0)
		return e;
	*ret = TAKE_PTR(r);
	return 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < SQL_STATEMENTS; i++)
		(void)sqlite3_finalize(r->fixed[i]);
	for (size_t i = 0; i < QUERIES; i++)
		for (size_t j = 0; j < ARRAY_LEN(r->built[i]); j++)
			(void)sqlite3_finalize(r->built[i][j]);
	(void)sqlite3_close(r->db);
	free(r);
}

/* ---- writing ---- */

int registry_begin(struct registry *r, struct err *err)
{
	int e;

	assert(r->writing && !r->begun);
	e = run_fixed(r, SQL_BEGIN, err);
	if (e == 0)
		r->begun = true;
	return e;
}

int registry_commit(struct registry *r, struct err *err)
{
	int e;

	assert(r->begun);
	e = run_fixed(r, SQL_COMMIT, err);
	if (e < 0)
		registry_rollback(r);
	r->begun = false;
	return e;
}

void registry_rollback(struct registry *r)
{
	if (r->begun && sqlite3_get_autocommit(r->db) == 0)
		(void)run_fixed(r, SQL_ROLLBACK, NULL);
	r->begun = false;
}

static int check_row(const struct registry_row *row, struct err *err)
{
	const struct str texts[] = { row->number, row->series, row->department, row->type,
		row->state };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].n > TEXT_COLUMN_MAX)
			return err_set(err, ERR_LIMIT,
				tr("a number or code in the registry has at most %d bytes"),
				TEXT_COLUMN_MAX);
	if (row->sealed.n > REGISTRY_SEALED_MAX)
		return err_set(err, ERR_LIMIT,
			tr("the text of a record in the registry has at most %d bytes"),
			REGISTRY_SEALED_MAX);
	if (row->sequence > INT64_MAX)
		return err_set(err, ERR_LIMIT, tr("a number is too large for the registry"));
	return 0;
}

int registry_put(struct registry *r, const struct registry_row *row, struct err *err)
{
	sqlite3_stmt *s;
	int e;

	assert(r->begun);
	if ((e = check_row(row, err)) < 0 ||
		(e = prepare(r, sql[SQL_PUT], &r->fixed[SQL_PUT], err)) < 0)
		return e;
	s = r->fixed[SQL_PUT];
	(void)sqlite3_bind_int64(s, 1, (int64_t)row->sequence);
	bind_blob(s, 2, row->record.b, ID_BYTES);
	bind_text(s, 3, row->number);
	bind_text(s, 4, row->series);
	bind_text(s, 5, row->department);
	bind_text(s, 6, row->type);
	bind_text(s, 7, row->state);
	(void)sqlite3_bind_int64(s, 8, row->day);
	(void)sqlite3_bind_int64(s, 9, row->version);
	(void)sqlite3_bind_int64(s, 10, row->volume);
	(void)sqlite3_bind_int64(s, 11, row->destroyed);
	bind_blob(s, 12, row->sealed.p, row->sealed.n);
	return run(r, s, err);
}

/* The sequence of a record; ERR_NOTFOUND. */
static int sequence_of(struct registry *r, const struct id *record, int64_t *ret, struct err *err)
{
	sqlite3_stmt *s;
	int e = prepare(r, sql[SQL_SEQUENCE_OF], &r->fixed[SQL_SEQUENCE_OF], err), stepped;

	if (e < 0)
		return e;
	s = r->fixed[SQL_SEQUENCE_OF];
	bind_blob(s, 1, record->b, ID_BYTES);
	stepped = sqlite3_step(s);
	if (stepped == SQLITE_ROW)
		*ret = sqlite3_column_int64(s, 0);
	else if (stepped == SQLITE_DONE)
		e = err_set(err, ERR_NOTFOUND, tr("no such record in the registry"));
	else
		e = fail(r, err);
	(void)sqlite3_reset(s);
	return e;
}

static int remove_lookups(struct registry *r, int64_t sequence, struct err *err)
{
	int e = prepare(r, sql[SQL_REMOVE_LOOKUPS], &r->fixed[SQL_REMOVE_LOOKUPS], err);

	if (e < 0)
		return e;
	(void)sqlite3_bind_int64(r->fixed[SQL_REMOVE_LOOKUPS], 1, sequence);
	return run(r, r->fixed[SQL_REMOVE_LOOKUPS], err);
}

int registry_remove(struct registry *r, const struct id *record, struct err *err)
{
	struct err missing = ERR_INIT;
	int64_t sequence = 0;
	int e;

	assert(r->begun);
	e = sequence_of(r, record, &sequence, &missing);
	if (e == -ERR_NOTFOUND)
		return 0;
	if (e < 0) {
		if (err)
			*err = missing;
		return e;
	}
	if ((e = remove_lookups(r, sequence, err)) < 0 ||
		(e = prepare(r, sql[SQL_REMOVE], &r->fixed[SQL_REMOVE], err)) < 0)
		return e;
	bind_blob(r->fixed[SQL_REMOVE], 1, record->b, ID_BYTES);
	return run(r, r->fixed[SQL_REMOVE], err);
}

int registry_clear(struct registry *r, struct err *err)
{
	int e;

	assert(r->begun);
	if ((e = run_fixed(r, SQL_CLEAR_RECORDS, err)) < 0 ||
		(e = run_fixed(r, SQL_CLEAR_LOOKUPS, err)) < 0)
		return e;
	return run_fixed(r, SQL_CLEAR_MARKS, err);
}

int registry_set_lookups(struct registry *r, const struct id *record,
	const struct registry_lookup *lookups, size_t count, struct err *err)
{
	sqlite3_stmt *s;
	int64_t sequence = 0;
	int e;

	assert(r->begun);
	if ((e = sequence_of(r, record, &sequence, err)) < 0 ||
		(e = remove_lookups(r, sequence, err)) < 0 ||
		(e = prepare(r, sql[SQL_ADD_LOOKUP], &r->fixed[SQL_ADD_LOOKUP], err)) < 0)
		return e;
	s = r->fixed[SQL_ADD_LOOKUP];
	for (size_t i = 0; i < count && e == 0; i++) {
		(void)sqlite3_bind_int64(s, 1, lookups[i].kind);
		bind_blob(s, 2, lookups[i].hash, REGISTRY_HASH_BYTES);
		(void)sqlite3_bind_int64(s, 3, sequence);
		e = run(r, s, err);
	}
	return e;
}

int registry_set_mark(struct registry *r, const struct registry_mark *mark, struct err *err)
{
	sqlite3_stmt *s;
	int e;

	assert(r->begun);
	if (mark->actions > INT64_MAX)
		return err_set(err, ERR_LIMIT, tr("a number is too large for the registry"));
	e = prepare(r, sql[SQL_SET_MARK], &r->fixed[SQL_SET_MARK], err);
	if (e < 0)
		return e;
	s = r->fixed[SQL_SET_MARK];
	(void)sqlite3_bind_int64(s, 1, mark->volume);
	bind_blob(s, 2, mark->commit.b, OID_BYTES);
	(void)sqlite3_bind_int64(s, 3, (int64_t)mark->actions);
	return run(r, s, err);
}

int registry_checkpoint(struct registry *r, struct err *err)
{
	assert(!r->begun);
	return execute(r, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}

/* ---- reading ---- */

static int read_row(sqlite3_stmt *s, struct registry_row *row, struct err *err)
{
	int64_t sequence = sqlite3_column_int64(s, 0), version = sqlite3_column_int64(s, 8),
		volume = sqlite3_column_int64(s, 9);
	const void *record = sqlite3_column_blob(s, 1);

	if (sequence < 0 || version < 0 || version > UINT32_MAX || volume < 0 ||
		volume > UINT32_MAX || !record || sqlite3_column_bytes(s, 1) != ID_BYTES)
		return damaged(err);
	*row = (struct registry_row){
		.sequence = (uint64_t)sequence,
		.number = column_text(s, 2),
		.series = column_text(s, 3),
		.department = column_text(s, 4),
		.type = column_text(s, 5),
		.state = column_text(s, 6),
		.day = sqlite3_column_int64(s, 7),
		.version = (uint32_t)version,
		.volume = (uint32_t)volume,
		.destroyed = sqlite3_column_int64(s, 10) != 0,
	};
	memcpy(row->record.b, record, ID_BYTES);
	row->sealed.p = sqlite3_column_blob(s, 11);
	row->sealed.n = (size_t)sqlite3_column_bytes(s, 11);
	return 0;
}

/* Give every row to `each` and make the statement ready for the next time. *ret_rows counts them. */
static int each_row(struct registry *r, sqlite3_stmt *s, registry_each *each, void *context,
	size_t *ret_rows, struct err *err)
{
	int stepped, e = 0;

	*ret_rows = 0;
	while (e == 0 && (stepped = sqlite3_step(s)) != SQLITE_DONE) {
		struct registry_row row;

		if (stepped != SQLITE_ROW) {
			e = fail(r, err);
			break;
		}
		e = read_row(s, &row, err);
		if (e == 0)
			e = each(context, &row, err);
		++*ret_rows;
	}
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return e < 0 ? e : 0;
}

int registry_get(struct registry *r, const struct id *record, registry_each *each, void *context,
	struct err *err)
{
	size_t rows;
	int e = prepare(r, sql[SQL_GET], &r->fixed[SQL_GET], err);

	if (e < 0)
		return e;
	bind_blob(r->fixed[SQL_GET], 1, record->b, ID_BYTES);
	e = each_row(r, r->fixed[SQL_GET], each, context, &rows, err);
	if (e == 0 && rows == 0)
		return err_set(err, ERR_NOTFOUND, tr("no such record in the registry"));
	return e;
}

int registry_by_number(
	struct registry *r, struct str number, registry_each *each, void *context, struct err *err)
{
	size_t rows;
	int e = prepare(r, sql[SQL_BY_NUMBER], &r->fixed[SQL_BY_NUMBER], err);

	if (e < 0)
		return e;
	if (number.n > TEXT_COLUMN_MAX)
		return 0;
	bind_text(r->fixed[SQL_BY_NUMBER], 1, number);
	return each_row(r, r->fixed[SQL_BY_NUMBER], each, context, &rows, err);
}

int registry_by_lookup(struct registry *r, const struct registry_lookup *lookup,
	registry_each *each, void *context, struct err *err)
{
	sqlite3_stmt *s;
	size_t rows;
	int e = prepare(r, sql[SQL_BY_LOOKUP], &r->fixed[SQL_BY_LOOKUP], err);

	if (e < 0)
		return e;
	s = r->fixed[SQL_BY_LOOKUP];
	(void)sqlite3_bind_int64(s, 1, lookup->kind);
	bind_blob(s, 2, lookup->hash, REGISTRY_HASH_BYTES);
	return each_row(r, s, each, context, &rows, err);
}

/* ---- lists, counts, tallies ---- */

static unsigned conditions_of(const struct registry_filter *f, bool after)
{
	unsigned mask = 0;

	mask |= (f->series.p ? 1u : 0) << CONDITION_SERIES;
	mask |= (f->department.p ? 1u : 0) << CONDITION_DEPARTMENT;
	mask |= (f->state.p ? 1u : 0) << CONDITION_STATE;
	mask |= (f->type.p ? 1u : 0) << CONDITION_TYPE;
	mask |= (f->day_from != 0 || f->day_to != 0 ? 1u : 0) << CONDITION_DAYS;
	mask |= (f->with_destroyed ? 0 : 1u) << CONDITION_NOT_DESTROYED;
	mask |= (f->not_series[0].p ? 1u : 0) << CONDITION_NOT_SERIES;
	mask |= (after ? 1u : 0) << CONDITION_AFTER;
	return mask;
}

/* The statement for a purpose under these conditions, with the filter's values bound. */
static int build(struct registry *r, unsigned purpose, const struct registry_filter *f, bool after,
	sqlite3_stmt **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	unsigned mask = conditions_of(f, after);
	sqlite3_stmt **at = &r->built[purpose][mask];
	const char *glue = " WHERE ";
	int e;

	if (purpose < REGISTRY_ORDER_COUNT)
		buf_adds(&text, sql_list);
	else if (purpose == QUERY_COUNT)
		buf_adds(&text, sql_count);
	else
		buf_adds(&text, sql_tallies[purpose - QUERY_TALLY].select);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		if (!(mask & 1u << i))
			continue;
		buf_adds(&text, glue);
		buf_adds(&text,
			i == CONDITION_AFTER ? sql_orders[purpose].after : sql_conditions[i]);
		glue = " AND ";
	}
	if (purpose < REGISTRY_ORDER_COUNT)
		buf_adds(&text, sql_orders[purpose].order);
	else if (purpose >= QUERY_TALLY)
		buf_adds(&text, sql_tallies[purpose - QUERY_TALLY].group);
	if ((e = buf_check(&text, err)) < 0 || (e = prepare(r, text.p, at, err)) < 0)
		return e;
	bind_text(*at, PARAM_SERIES, f->series);
	bind_text(*at, PARAM_DEPARTMENT, f->department);
	bind_text(*at, PARAM_STATE, f->state);
	bind_text(*at, PARAM_TYPE, f->type);
	(void)sqlite3_bind_int64(*at, PARAM_DAY_FROM, f->day_from);
	(void)sqlite3_bind_int64(*at, PARAM_DAY_TO, f->day_to);
	for (int i = 0; i < 2; i++)
		bind_text(*at, PARAM_NOT_SERIES + i, f->not_series[i]);
	*ret = *at;
	return 0;
}

int registry_list(struct registry *r, const struct registry_filter *filter,
	enum registry_order order, const struct registry_key *after, size_t limit,
	registry_each *each, void *context, struct err *err)
{
	sqlite3_stmt *s;
	size_t rows;
	int e;

	if (limit > REGISTRY_LIST_MAX)
		return err_set(
			err, ERR_LIMIT, tr("at most %d rows of a list at once"), REGISTRY_LIST_MAX);
	if (after && after->sequence > INT64_MAX)
		return err_set(err, ERR_LIMIT, tr("a number is too large for the registry"));
	e = build(r, order, filter, after != NULL, &s, err);
	if (e < 0)
		return e;
	if (after && order == REGISTRY_BY_NUMBER)
		bind_text(s, PARAM_KEY, after->number);
	else if (after)
		(void)sqlite3_bind_int64(s, PARAM_KEY, after->day);
	if (after)
		(void)sqlite3_bind_int64(s, PARAM_KEY_SEQUENCE, (int64_t)after->sequence);
	(void)sqlite3_bind_int64(s, PARAM_LIMIT, (int64_t)limit);
	return each_row(r, s, each, context, &rows, err);
}

int registry_count(struct registry *r, const struct registry_filter *filter, uint64_t *ret_count,
	struct err *err)
{
	sqlite3_stmt *s;
	int e = build(r, QUERY_COUNT, filter, false, &s, err);

	if (e < 0)
		return e;
	if (sqlite3_step(s) == SQLITE_ROW)
		*ret_count = (uint64_t)sqlite3_column_int64(s, 0);
	else
		e = fail(r, err);
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return e;
}

int registry_tally(struct registry *r, const struct registry_filter *filter,
	enum registry_column column, registry_tally_each *each, void *context, struct err *err)
{
	sqlite3_stmt *s;
	int stepped, e = build(r, QUERY_TALLY + (unsigned)column, filter, false, &s, err);

	if (e < 0)
		return e;
	while (e == 0 && (stepped = sqlite3_step(s)) != SQLITE_DONE) {
		if (stepped != SQLITE_ROW) {
			e = fail(r, err);
			break;
		}
		e = each(context, column_text(s, 0), (uint64_t)sqlite3_column_int64(s, 1), err);
	}
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return e < 0 ? e : 0;
}

/* ---- marks ---- */

int registry_marks(
	struct registry *r, struct registry_mark **ret, size_t *ret_count, struct err *err)
{
	_cleanup_(buf_done) struct buf marks = BUF_INIT;
	sqlite3_stmt *s;
	int stepped, e = prepare(r, sql[SQL_MARKS], &r->fixed[SQL_MARKS], err);

	if (e < 0)
		return e;
	s = r->fixed[SQL_MARKS];
	while (e == 0 && (stepped = sqlite3_step(s)) != SQLITE_DONE) {
		struct registry_mark mark = { .volume = (uint32_t)sqlite3_column_int64(s, 0),
			.actions = (uint64_t)sqlite3_column_int64(s, 2) };

		if (stepped != SQLITE_ROW) {
			e = fail(r, err);
		} else if (sqlite3_column_bytes(s, 1) != OID_BYTES) {
			e = damaged(err);
		} else {
			memcpy(mark.commit.b, sqlite3_column_blob(s, 1), OID_BYTES);
			buf_add(&marks, &mark, sizeof(mark));
		}
	}
	(void)sqlite3_reset(s);
	if (e < 0 || (e = buf_check(&marks, err)) < 0)
		return e;
	*ret_count = marks.n / sizeof(**ret);
	*ret = (struct registry_mark *)(void *)buf_detach(&marks);
	return 0;
}

int registry_last_sequence(struct registry *r, uint64_t *ret_sequence, struct err *err)
{
	sqlite3_stmt *s;
	int e = prepare(r, sql[SQL_LAST_SEQUENCE], &r->fixed[SQL_LAST_SEQUENCE], err);

	if (e < 0)
		return e;
	s = r->fixed[SQL_LAST_SEQUENCE];
	if (sqlite3_step(s) == SQLITE_ROW)
		*ret_sequence = (uint64_t)sqlite3_column_int64(s, 0);
	else
		e = fail(r, err);
	(void)sqlite3_reset(s);
	return e;
}
