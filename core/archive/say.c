/* say.c - see say.h. */
#include "core/archive/say.h"

#include "core/base/clock.h"

#include <assert.h>

/* A comma belongs before whatever follows a complete value; the last byte tells, as a text ends in a quotation mark. */
static void comma(struct buf *b)
{
	char last = b->n ? b->p[b->n - 1] : 0;

	if (last && last != '{' && last != '[' && last != ':' && last != ',')
		buf_addc(b, ',');
}

void say_text(struct buf *b, const char *name, struct str text)
{
	json_add_name(b, name);
	json_add_text(b, text);
}

void say_cstr(struct buf *b, const char *name, const char *text)
{
	if (text)
		say_text(b, name, str_of(text));
}

void say_int(struct buf *b, const char *name, int64_t v)
{
	json_add_name(b, name);
	json_add_int(b, v);
}

void say_bool(struct buf *b, const char *name, bool v)
{
	json_add_name(b, name);
	buf_adds(b, v ? "true" : "false");
}

void say_null(struct buf *b, const char *name)
{
	json_add_name(b, name);
	buf_adds(b, "null");
}

void say_hex(struct buf *b, const char *name, const void *p, size_t n)
{
	json_add_name(b, name);
	buf_addc(b, '"');
	hex_add(b, p, n);
	buf_addc(b, '"');
}

void say_id(struct buf *b, const char *name, const struct id *id)
{
	say_hex(b, name, id->b, sizeof(id->b));
}

void say_oid(struct buf *b, const char *name, const struct oid *oid)
{
	say_hex(b, name, oid->b, sizeof(oid->b));
}

void say_instant(struct buf *b, const char *name, int64_t instant)
{
	char text[21];

	say_cstr(b, name, instant_format(instant, text));
}

void say_day(struct buf *b, const char *name, int64_t day)
{
	char text[11];

	say_cstr(b, name, date_format(day, text));
}

void say_json(struct buf *b, const char *name, struct str json)
{
	if (name)
		json_add_name(b, name);
	else
		comma(b);
	buf_add_str(b, json);
}

static void open_value(struct buf *b, const char *name, char bracket)
{
	if (name)
		json_add_name(b, name);
	else
		comma(b);
	buf_addc(b, bracket);
}

void say_map(struct buf *b, const char *name)
{
	open_value(b, name, '{');
}

void say_list(struct buf *b, const char *name)
{
	open_value(b, name, '[');
}

void say_end_map(struct buf *b)
{
	buf_addc(b, '}');
}

void say_end_list(struct buf *b)
{
	buf_addc(b, ']');
}

void say_item(struct buf *b, struct str text)
{
	comma(b);
	json_add_text(b, text);
}

void say_item_int(struct buf *b, int64_t v)
{
	comma(b);
	json_add_int(b, v);
}
