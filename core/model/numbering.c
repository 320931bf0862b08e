/* numbering.c - see numbering.h. A rule is a list of slots; making a number, its scope and reading
 * one back all walk the same list. */
#include "core/model/numbering.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/model/path.h"

#include <assert.h>
#include <stdlib.h>

enum slot_kind {
	SLOT_LITERAL,
	SLOT_DATE,
	SLOT_YEAR,
	SLOT_MONTH,
	SLOT_SERIAL,
	SLOT_CODE,
	SLOT_VERSION
};

enum { MAX_DIGITS = 9, MAX_WIDE_DIGITS = 12, MAX_CODE_BYTES = 32, MAX_VERSION_DIGITS = 3 };

struct slot {
	enum slot_kind kind;
	struct str text; /* the literal, or the NAME of a code; into the rule's own text */
	unsigned digits; /* SLOT_SERIAL */
	bool may_widen;
};

struct number_rule {
	char *text;
	struct slot slots[NUMBER_SLOTS_MAX];
	size_t count;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}

static bool is_code_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
	       (c != '\0' && strchr("._-", c));
}

/* ---- parsing a rule ---- */

static int bad_slot(struct str inside, struct err *err)
{
	return err_set(err, ERR_INVALID,
		tr("'{%.*s}' is not a slot; expected {date}, {year}, {month}, {serial:4}, "
		   "{serial:4+}, "
		   "{code:NAME} or {version}"),
		STR_ARG(text_cut(inside, 40)));
}

static int parse_serial(struct str inside, struct slot *slot, struct err *err)
{
	struct str digits = { inside.p + 7, inside.n - 7 };
	uint64_t n = 0;

	slot->may_widen = str_ends(digits, "+");
	digits.n -= slot->may_widen;
	if (str_to_u64(digits, MAX_DIGITS, &n, NULL) < 0 || n == 0)
		return bad_slot(inside, err);
	slot->kind = SLOT_SERIAL;
	slot->digits = (unsigned)n;
	return 0;
}

static int parse_code(struct str inside, struct slot *slot, struct err *err)
{
	struct str name = { inside.p + 5, inside.n - 5 };
	bool good = name.n > 0 && name.n <= 64;

	for (size_t i = 0; good && i < name.n; i++)
		good = is_name_char(name.p[i]);
	if (!good)
		return bad_slot(inside, err);
	*slot = (struct slot){ .kind = SLOT_CODE, .text = name };
	return 0;
}

static int parse_slot(struct str inside, struct slot *slot, struct err *err)
{
	static const struct {
		const char *word;
		enum slot_kind kind;
	} plain[] = {
		{ "date", SLOT_DATE },
		{ "year", SLOT_YEAR },
		{ "month", SLOT_MONTH },
		{ "version", SLOT_VERSION },
	};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (str_is(inside, plain[i].word)) {
			slot->kind = plain[i].kind;
			return 0;
		}
	if (str_starts(inside, "serial:"))
		return parse_serial(inside, slot, err);
	if (str_starts(inside, "code:"))
		return parse_code(inside, slot, err);
	return bad_slot(inside, err);
}

static int check_literal(struct str text, struct err *err)
{
	int r = text_check_line(text, err);

	for (size_t i = 0; r == 0 && i < text.n; i++)
		if (strchr("/\\*{}", text.p[i]))
			r = err_set(
				err, ERR_INVALID, tr("'%c' may not stand in a number"), text.p[i]);
	return r;
}

/* One piece from the front of `rest`: a {slot}, or what stands before the next one. */
static int parse_piece(struct str *rest, struct slot *slot, struct err *err)
{
	const char *end = memchr(rest->p, rest->p[0] == '{' ? '}' : '{', rest->n);
	struct str piece = *rest;

	*slot = (struct slot){ .kind = SLOT_LITERAL };
	if (rest->p[0] == '{') {
		if (!end)
			return err_set(err, ERR_INVALID, tr("a '{' has no '}'"));
		piece = (struct str){ rest->p + 1, (size_t)(end - rest->p) - 1 };
		*rest = (struct str){ end + 1, rest->n - piece.n - 2 };
		return parse_slot(piece, slot, err);
	}
	if (end)
		piece.n = (size_t)(end - rest->p);
	*rest = (struct str){ rest->p + piece.n, rest->n - piece.n };
	slot->text = piece;
	return check_literal(piece, err);
}

/* Where does a slot of no fixed width end? At the literal behind it, which must not look like more
 * of the slot. */
static int check_readable(const struct number_rule *rule, struct err *err)
{
	unsigned serials = 0, versions = 0;

	for (size_t i = 0; i < rule->count; i++) {
		const struct slot *slot = &rule->slots[i], *behind = slot + 1;
		bool wide = slot->kind == SLOT_CODE || slot->kind == SLOT_VERSION ||
			    (slot->kind == SLOT_SERIAL && slot->may_widen);
		bool digits = slot->kind != SLOT_CODE;

		serials += slot->kind == SLOT_SERIAL;
		versions += slot->kind == SLOT_VERSION;
		if (!wide || i + 1 == rule->count)
			continue;
		if (behind->kind != SLOT_LITERAL ||
			(digits && (is_digit(behind->text.p[0]) || behind->text.p[0] == '.')))
			return err_set(err, ERR_INVALID,
				tr("the rule cannot be read backwards: a slot without fixed width "
				   "needs a "
				   "literal behind it that is no digit"));
	}
	if (serials > 1 || versions > 1)
		return err_set(
			err, ERR_INVALID, tr("a rule has at most one {serial} and one {version}"));
	return 0;
}

int number_rule_parse(struct str text, struct number_rule **ret, struct err *err)
{
	_cleanup_(number_rule_freep) struct number_rule *rule = xcalloc(1, sizeof(*rule));
	struct str rest;
	int r = 0;

	if (text.n == 0)
		return err_set(err, ERR_INVALID, tr("%s is empty"), tr("the rule of numbers"));
	if (text.n > NUMBER_RULE_MAX)
		return err_set(err, ERR_LIMIT, tr("%s has %zu bytes; at most %d are accepted"),
			tr("the rule of numbers"), text.n, NUMBER_RULE_MAX);
	if (!text_is_nfc(text))
		return err_set(err, ERR_INVALID, tr("%s '%.*s' is not in Unicode's NFC form"),
			tr("the rule of numbers"), STR_ARG(text_cut(text, 80)));
	rule->text = str_dup(text);
	rest = (struct str){ rule->text, text.n };
	while (r == 0 && rest.n > 0) {
		if (rule->count == NUMBER_SLOTS_MAX)
			return err_set(err, ERR_LIMIT,
				tr("the rule of numbers has more than %d pieces"),
				NUMBER_SLOTS_MAX);
		r = parse_piece(&rest, &rule->slots[rule->count++], err);
	}
	if (r == 0)
		r = check_readable(rule, err);
	if (r == 0)
		*ret = TAKE_PTR(rule);
	return r;
}

void number_rule_free(struct number_rule *rule)
{
	if (!rule)
		return;
	free(rule->text);
	free(rule);
}

static bool has(const struct number_rule *rule, enum slot_kind kind)
{
	for (size_t i = 0; i < rule->count; i++)
		if (rule->slots[i].kind == kind)
			return true;
	return false;
}

bool number_rule_has_serial(const struct number_rule *rule)
{
	return has(rule, SLOT_SERIAL);
}

bool number_rule_has_version(const struct number_rule *rule)
{
	return has(rule, SLOT_VERSION);
}

struct str number_rule_code(const struct number_rule *rule, size_t i)
{
	for (size_t k = 0; k < rule->count; k++)
		if (rule->slots[k].kind == SLOT_CODE && i-- == 0)
			return rule->slots[k].text;
	return (struct str){ NULL, 0 };
}

/* ---- making numbers ---- */

void number_plan_done(struct number_plan *plan)
{
	buf_done(&plan->scope);
	buf_done(&plan->head);
	buf_done(&plan->tail);
}

/* `stop`: the first character of the literal behind, which the code may not have; NUL when there is
 * none. */
static int check_code(struct str name, struct str value, char stop, struct err *err)
{
	bool good = value.n > 0 && value.n <= MAX_CODE_BYTES;

	for (size_t i = 0; good && i < value.n; i++)
		good = is_code_char(value.p[i]) && value.p[i] != stop;
	if (good)
		return 0;
	return err_set(err, ERR_INVALID,
		tr("'%.*s' is '%.*s', which cannot stand in a number; expected at most %d of A-Z, "
		   "a-z, "
		   "0-9"),
		STR_ARG(name), STR_ARG(text_cut(value, 80)), MAX_CODE_BYTES);
}

static int add_code(const struct slot *slot, char stop, const struct number_input *input,
	struct buf *b, struct err *err)
{
	for (size_t i = 0; i < input->code_count; i++)
		if (str_eq(input->codes[i].name, slot->text)) {
			buf_add_str(b, input->codes[i].value);
			return check_code(slot->text, input->codes[i].value, stop, err);
		}
	return err_set(err, ERR_INVALID, tr("the number needs '%.*s', which is missing"),
		STR_ARG(slot->text));
}

/* Digits of one of the two sides of a version at the start of the text; 0 when they are not there.
 */
static size_t version_side(struct str text)
{
	size_t n = 0;

	while (n < text.n && is_digit(text.p[n]))
		n++;
	return n == 0 || n > MAX_VERSION_DIGITS || (n > 1 && text.p[0] == '0') ? 0 : n;
}

/* The bytes of "1.0" at the start of the text, or 0. */
static size_t version_length(struct str text)
{
	size_t n = version_side(text), m = 0;

	if (n > 0 && n < text.n && text.p[n] == '.')
		m = version_side((struct str){ text.p + n + 1, text.n - n - 1 });
	return m ? n + 1 + m : 0;
}

static int add_version(const struct number_input *input, struct buf *b, struct err *err)
{
	if (input->version.n == 0 || version_length(input->version) != input->version.n)
		return err_set(err, ERR_INVALID,
			tr("'%.*s' is not an edition; write it as 1.0 (DOC-04)"),
			STR_ARG(text_cut(input->version, 80)));
	buf_add_str(b, input->version);
	return 0;
}

static int add_slot(const struct slot *slot, char stop, const struct number_input *input,
	struct buf *b, struct err *err)
{
	struct date date = date_of_day(input->day);

	switch (slot->kind) {
	case SLOT_LITERAL:
		buf_add_str(b, slot->text);
		return 0;
	case SLOT_DATE:
		buf_add_padded(b, (uint64_t)date.year, 4);
		buf_add_padded(b, (uint64_t)date.month, 2);
		buf_add_padded(b, (uint64_t)date.day, 2);
		return 0;
	case SLOT_YEAR:
		buf_add_padded(b, (uint64_t)date.year, 4);
		return 0;
	case SLOT_MONTH:
		buf_add_padded(b, (uint64_t)date.month, 2);
		return 0;
	case SLOT_CODE:
		return add_code(slot, stop, input, b, err);
	case SLOT_VERSION:
		return add_version(input, b, err);
	case SLOT_SERIAL:
		break;
	}
	return 0;
}

static char first_behind(const struct number_rule *rule, size_t i)
{
	return i + 1 < rule->count && rule->slots[i + 1].kind == SLOT_LITERAL
		       ? rule->slots[i + 1].text.p[0]
		       : '\0';
}

static int fill_plan(const struct number_rule *rule, const struct number_input *input,
	struct number_plan *plan, struct err *err)
{
	struct buf *b = &plan->head;
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->count; i++) {
		const struct slot *slot = &rule->slots[i];
		size_t before = b->n;

		if (slot->kind == SLOT_SERIAL) {
			plan->digits = slot->digits;
			plan->may_widen = slot->may_widen;
			b = &plan->tail;
		} else {
			r = add_slot(slot, first_behind(rule, i), input, b, err);
		}
		if (slot->kind == SLOT_SERIAL || slot->kind == SLOT_VERSION)
			buf_addc(&plan->scope, '*');
		else
			buf_add(&plan->scope, b->p + before, b->n - before);
	}
	if (plan->digits == 0)
		buf_reset(&plan->scope);
	return r;
}

/* With the longest serial, so that no later one can fail but for want of digits. */
static int check_sample(const struct number_plan *plan, struct err *err)
{
	_cleanup_(buf_done) struct buf sample = BUF_INIT;
	size_t digits = plan->may_widen ? MAX_WIDE_DIGITS : plan->digits;

	buf_add_str(&sample, buf_str(&plan->head));
	for (size_t i = 0; i < digits; i++)
		buf_addc(&sample, '0');
	buf_add_str(&sample, buf_str(&plan->tail));
	return number_check(buf_str(&sample), err);
}

int number_plan_make(const struct number_rule *rule, const struct number_input *input,
	struct number_plan *ret, struct err *err)
{
	struct number_plan plan = { .scope = BUF_INIT, .head = BUF_INIT, .tail = BUF_INIT };
	struct date date = date_of_day(input->day);
	int r;

	if (date.year < 1900 || date.year > 2999)
		return err_set(err, ERR_INVALID, tr("the record's date is not from 1900 to 2999"));
	r = fill_plan(rule, input, &plan, err);
	if (r == 0)
		r = check_sample(&plan, err);
	if (r < 0)
		number_plan_done(&plan);
	else
		*ret = plan;
	return r;
}

uint64_t number_plan_last(const struct number_plan *plan)
{
	unsigned digits = plan->may_widen ? MAX_WIDE_DIGITS : plan->digits;
	uint64_t power = 1;

	for (unsigned i = 0; i < digits; i++)
		power *= 10;
	return plan->digits ? power - 1 : 0;
}

int number_plan_add(const struct number_plan *plan, uint64_t serial, struct buf *b, struct err *err)
{
	if (plan->digits > 0) {
		assert(serial > 0);
		if (serial > number_plan_last(plan))
			return err_set(err, ERR_LIMIT,
				tr("all numbers of '%s' up to %llu are used; none is given twice "
				   "(REC-10): file under another day, or let the series' rule have "
				   "more digits"),
				plan->scope.p, (unsigned long long)number_plan_last(plan));
	}
	buf_add_str(b, buf_str(&plan->head));
	if (plan->digits > 0)
		buf_add_padded(b, serial, plan->digits);
	buf_add_str(b, buf_str(&plan->tail));
	return buf_check(b, err);
}

/* ---- reading numbers back ---- */

/* n digits at the start as a number from `least` to `most`; false when they are not there. */
static bool read_digits(struct str text, size_t n, uint64_t least, uint64_t most, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(text.p[i]))
			return false;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = v;
	return v >= least && v <= most;
}

static size_t read_date(struct str text)
{
	struct date date;
	char spaced[10];

	if (text.n < 8)
		return 0;
	memcpy(spaced, text.p, 4);
	spaced[4] = spaced[7] = '-';
	memcpy(spaced + 5, text.p + 4, 2);
	memcpy(spaced + 8, text.p + 6, 2);
	return date_parse((struct str){ spaced, 10 }, &date, NULL) == 0 ? 8 : 0;
}

static size_t read_serial(const struct slot *slot, struct str text, uint64_t *ret)
{
	size_t n = slot->digits;

	if (slot->may_widen) {
		for (n = 0; n < text.n && n <= MAX_WIDE_DIGITS && is_digit(text.p[n]);)
			n++;
		if (n < slot->digits || n > MAX_WIDE_DIGITS ||
			(n > slot->digits && text.p[0] == '0'))
			return 0;
	}
	return read_digits(text, n, 1, UINT64_MAX, ret) ? n : 0;
}

static size_t read_code(struct str text, char stop)
{
	size_t n = 0;

	while (n < text.n && is_code_char(text.p[n]) && text.p[n] != stop)
		n++;
	return n <= MAX_CODE_BYTES ? n : 0;
}

/* How many bytes at the start are this slot; 0 when they are not. */
static size_t read_slot(const struct slot *slot, char stop, struct str text, uint64_t *serial)
{
	uint64_t v;

	switch (slot->kind) {
	case SLOT_LITERAL:
		return text.n >= slot->text.n && memcmp(text.p, slot->text.p, slot->text.n) == 0
			       ? slot->text.n
			       : 0;
	case SLOT_DATE:
		return read_date(text);
	case SLOT_YEAR:
		return read_digits(text, 4, 1900, 2999, &v) ? 4 : 0;
	case SLOT_MONTH:
		return read_digits(text, 2, 1, 12, &v) ? 2 : 0;
	case SLOT_SERIAL:
		return read_serial(slot, text, serial);
	case SLOT_CODE:
		return read_code(text, stop);
	case SLOT_VERSION:
		break;
	}
	return version_length(text);
}

int number_read(const struct number_rule *rule, struct str number, struct buf *scope,
	uint64_t *ret_serial, struct err *err)
{
	size_t before = scope ? scope->n : 0;
	struct str rest = number;
	uint64_t serial = 0;
	size_t n = 1;

	for (size_t i = 0; i < rule->count && n > 0; i++) {
		const struct slot *slot = &rule->slots[i];

		n = rest.n ? read_slot(slot, first_behind(rule, i), rest, &serial) : 0;
		if (scope && (slot->kind == SLOT_SERIAL || slot->kind == SLOT_VERSION))
			buf_addc(scope, '*');
		else if (scope)
			buf_add(scope, rest.p, n);
		rest = (struct str){ rest.p + n, rest.n - n };
	}
	if (scope && (n == 0 || rest.n > 0 || !number_rule_has_serial(rule)))
		buf_cut(scope, before);
	if (n == 0 || rest.n > 0)
		return err_set(err, ERR_INVALID, tr("'%.*s' was not made by the rule '%s'"),
			STR_ARG(text_cut(number, 80)), rule->text);
	if (ret_serial)
		*ret_serial = serial;
	return number_check(number, err);
}

int number_check(struct str number, struct err *err)
{
	return path_check_component(number, TR_MARK("the number"), err);
}
