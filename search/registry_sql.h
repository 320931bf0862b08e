/* registry_sql.h - every statement of the registry, in one table. Plain SQL that SQLite and PostgreSQL read alike: no
 * triggers, no functions of a vendor's. Only registry.c includes this. */
#ifndef MUN_SEARCH_REGISTRY_SQL_H
#define MUN_SEARCH_REGISTRY_SQL_H

#include "search/registry.h"

enum { REGISTRY_SCHEMA = 1 };

/* Run on every connection, then once for a new file. */
static const char sql_connection[] = "PRAGMA synchronous = NORMAL;"
				     "PRAGMA secure_delete = ON;"
				     "PRAGMA foreign_keys = OFF;"
				     "PRAGMA temp_store = MEMORY;"
				     "PRAGMA trusted_schema = OFF;";

/* For the one that writes. Hashes are looked up, so that filing many rows touches pages all over a tree: those stay in
 * memory (SQLite's own bound is 2 MB), and are written back when many changes of them have come together. */
static const char sql_writer[] = "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000";

static const char sql_schema[] =
	"CREATE TABLE about (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
	"INSERT INTO about (name, value) VALUES ('schema', 1);"
	"CREATE TABLE records ("
	" sequence INTEGER PRIMARY KEY,"
	" record BLOB NOT NULL,"
	" number TEXT NOT NULL,"
	" series TEXT NOT NULL,"
	" department TEXT NOT NULL,"
	" type TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" day INTEGER NOT NULL,"
	" version INTEGER NOT NULL,"
	" volume INTEGER NOT NULL,"
	" destroyed INTEGER NOT NULL,"
	" sealed BLOB NOT NULL);"
	"CREATE UNIQUE INDEX records_record ON records (record);"
	"CREATE INDEX records_number ON records (number, sequence);"
	"CREATE INDEX records_day ON records (day, sequence);"
	"CREATE INDEX records_series ON records (series, day, sequence);"
	"CREATE INDEX records_department ON records (department, day, sequence);"
	"CREATE INDEX records_state ON records (state, day, sequence);"
	"CREATE TABLE lookups ("
	" kind INTEGER NOT NULL,"
	" hash BLOB NOT NULL,"
	" sequence INTEGER NOT NULL,"
	" PRIMARY KEY (kind, hash, sequence));"
	"CREATE INDEX lookups_sequence ON lookups (sequence);"
	"CREATE TABLE marks ("
	" volume INTEGER PRIMARY KEY,"
	" oid BLOB NOT NULL,"
	" actions INTEGER NOT NULL);";

#define ROW_COLUMNS \
	"sequence, record, number, series, department, type, state, day, version, volume," \
	" destroyed, sealed"

enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SCHEMA,
	SQL_PUT,
	SQL_REMOVE,
	SQL_SEQUENCE_OF,
	SQL_ADD_LOOKUP,
	SQL_REMOVE_LOOKUPS,
	SQL_SET_MARK,
	SQL_GET,
	SQL_BY_NUMBER,
	SQL_BY_LOOKUP,
	SQL_MARKS,
	SQL_LAST_SEQUENCE,
	SQL_CLEAR_RECORDS,
	SQL_CLEAR_LOOKUPS,
	SQL_CLEAR_MARKS,
	SQL_STATEMENTS
};

static const char *const sql[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SCHEMA] = "SELECT value FROM about WHERE name = 'schema'",
	[SQL_PUT] = "INSERT INTO records (" ROW_COLUMNS ")"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		    " ON CONFLICT (record) DO UPDATE SET sequence = ?1, number = ?3, series = ?4,"
		    " department = ?5, type = ?6, state = ?7, day = ?8, version = ?9,"
		    " volume = ?10, destroyed = ?11, sealed = ?12",
	[SQL_REMOVE] = "DELETE FROM records WHERE record = ?1",
	[SQL_SEQUENCE_OF] = "SELECT sequence FROM records WHERE record = ?1",
	[SQL_ADD_LOOKUP] = "INSERT INTO lookups (kind, hash, sequence) VALUES (?1, ?2, ?3)"
			   " ON CONFLICT DO NOTHING",
	[SQL_REMOVE_LOOKUPS] = "DELETE FROM lookups WHERE sequence = ?1",
	[SQL_SET_MARK] = "INSERT INTO marks (volume, oid, actions) VALUES (?1, ?2, ?3)"
			 " ON CONFLICT (volume) DO UPDATE SET oid = ?2, actions = ?3",
	[SQL_GET] = "SELECT " ROW_COLUMNS " FROM records WHERE record = ?1",
	[SQL_BY_NUMBER] = "SELECT " ROW_COLUMNS " FROM records WHERE number = ?1"
			  " ORDER BY sequence",
	[SQL_BY_LOOKUP] = "SELECT " ROW_COLUMNS " FROM records WHERE sequence IN"
			  " (SELECT sequence FROM lookups WHERE kind = ?1 AND hash = ?2)"
			  " ORDER BY sequence",
	[SQL_MARKS] = "SELECT volume, oid, actions FROM marks ORDER BY volume",
	[SQL_LAST_SEQUENCE] = "SELECT MAX(sequence) FROM records",
	[SQL_CLEAR_RECORDS] = "DELETE FROM records",
	[SQL_CLEAR_LOOKUPS] = "DELETE FROM lookups",
	[SQL_CLEAR_MARKS] = "DELETE FROM marks",
};

/* Lists, counts and tallies are put together from these: what is asked for, then a condition for each part of the
 * filter that is given, then the order. Parameters have the same number everywhere. */
enum {
	PARAM_SERIES = 1,
	PARAM_DEPARTMENT,
	PARAM_STATE,
	PARAM_TYPE,
	PARAM_DAY_FROM,
	PARAM_DAY_TO,
	PARAM_KEY,
	PARAM_KEY_SEQUENCE,
	PARAM_LIMIT,
	PARAM_NOT_SERIES, /* and the next */
};

enum condition {
	CONDITION_SERIES,
	CONDITION_DEPARTMENT,
	CONDITION_STATE,
	CONDITION_TYPE,
	CONDITION_DAYS,
	CONDITION_NOT_DESTROYED,
	CONDITION_NOT_SERIES,
	CONDITION_AFTER,
	CONDITIONS
};

static const char *const sql_conditions[CONDITION_AFTER] = {
	[CONDITION_SERIES] = "series = ?1",
	[CONDITION_DEPARTMENT] = "department = ?2",
	[CONDITION_STATE] = "state = ?3",
	[CONDITION_TYPE] = "type = ?4",
	[CONDITION_DAYS] = "day BETWEEN ?5 AND ?6",
	[CONDITION_NOT_DESTROYED] = "destroyed = 0",
	[CONDITION_NOT_SERIES] = "series NOT IN (?10, ?11)",
};

static const struct sql_order {
	const char *after, *order;
} sql_orders[REGISTRY_ORDER_COUNT] = {
	[REGISTRY_NEWEST_FIRST] = { "(day, sequence) < (?7, ?8)",
		" ORDER BY day DESC, sequence DESC LIMIT ?9" },
	[REGISTRY_OLDEST_FIRST] = { "(day, sequence) > (?7, ?8)",
		" ORDER BY day, sequence LIMIT ?9" },
	[REGISTRY_BY_NUMBER] = { "(number, sequence) > (?7, ?8)",
		" ORDER BY number, sequence LIMIT ?9" },
	[REGISTRY_BY_SEQUENCE] = { "sequence > ?8", " ORDER BY sequence LIMIT ?9" },
	[REGISTRY_BY_SEQUENCE_DOWN] = { "sequence < ?8", " ORDER BY sequence DESC LIMIT ?9" },
};

static const char sql_list[] = "SELECT " ROW_COLUMNS " FROM records",
		  sql_count[] = "SELECT COUNT(*) FROM records";

static const struct sql_tally {
	const char *select, *group;
} sql_tallies[REGISTRY_COLUMN_COUNT] = {
	[REGISTRY_SERIES] = { "SELECT series, COUNT(*) FROM records",
		" GROUP BY series ORDER BY series" },
	[REGISTRY_DEPARTMENT] = { "SELECT department, COUNT(*) FROM records",
		" GROUP BY department ORDER BY department" },
	[REGISTRY_STATE] = { "SELECT state, COUNT(*) FROM records",
		" GROUP BY state ORDER BY state" },
	[REGISTRY_TYPE] = { "SELECT type, COUNT(*) FROM records", " GROUP BY type ORDER BY type" },
};

#endif
