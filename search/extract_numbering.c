/* extract_numbering.c - see extract_numbering.h.
 *
 * Word keeps it in three tables: abstract lists (nine levels, each with first number, format and text like "第%1条" or
 * "%1.%2"), lists that use one of them and may start anew, and styles that put a paragraph on a list. Lists that use
 * the same abstract list count on together. A level counts from its start again whenever a higher one moved. */
#include "search/extract_numbering.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
	LEVELS = 9,
	MAX_ABSTRACTS = 1000,
	MAX_LISTS = 4000,
	MAX_STYLES = 4000,
	MAX_BASES = 20,
	MAX_TEXT_BYTES = 64,
	MAX_NAME_BYTES = 64
};

struct level {
	uint32_t start, count;
	bool is_running, is_decimal; /* is_decimal: other levels in it are written 1, 2, 3 */
	char format[32], text[MAX_TEXT_BYTES], style[MAX_NAME_BYTES];
};

struct abstract {
	uint32_t id;
	struct level levels[LEVELS];
};

struct list {
	uint32_t id, abstract;
	uint32_t restart[LEVELS]; /* 1 + the first number, 0 for none; taken once */
};

struct style {
	char name[MAX_NAME_BYTES], base[MAX_NAME_BYTES];
	int64_t list, level;
};

struct numbering {
	struct abstract *abstracts;
	struct list *lists;
	struct style *styles;
	size_t abstract_count, abstract_room, list_count, list_room, style_count, style_room;

	/* while reading */
	struct level *level;
	struct abstract *in_abstract;
	struct list *in_list;
	struct style *in_style;
	size_t override;
};

/* ---- one number ---- */

static void add_letters(uint32_t number, char first, struct buf *ret)
{
	/* a ... z, aa ... zz, aaa: Word repeats the letter. */
	char letter = (char)(first + (int)((number - 1) % 26));

	for (uint32_t i = 0; i <= (number - 1) / 26 && i < 10; i++)
		buf_addc(ret, letter);
}

static void add_roman(uint32_t number, bool upper, struct buf *ret)
{
	static const struct {
		uint32_t value;
		const char *upper, *lower;
	} rows[] = { { 1000, "M", "m" }, { 900, "CM", "cm" }, { 500, "D", "d" },
		{ 400, "CD", "cd" }, { 100, "C", "c" }, { 90, "XC", "xc" }, { 50, "L", "l" },
		{ 40, "XL", "xl" }, { 10, "X", "x" }, { 9, "IX", "ix" }, { 5, "V", "v" },
		{ 4, "IV", "iv" }, { 1, "I", "i" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (; number >= rows[i].value; number -= rows[i].value)
			buf_adds(ret, upper ? rows[i].upper : rows[i].lower);
}

static const char *const digits[] = { "〇", "一", "二", "三", "四", "五", "六", "七", "八", "九" };
static const char *const legal[] = { "零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖" };

/* 1 to 9999: 十, 十六, 二十一, 一百零五; the legal form writes 壹拾陆. */
static void add_chinese(uint32_t number, bool is_legal, struct buf *ret)
{
	static const char *const units[] = { "", "十", "百", "千" };
	static const char *const legal_units[] = { "", "拾", "佰", "仟" };
	static const uint32_t powers[] = { 1, 10, 100, 1000 };
	bool started = false, gap = false;

	for (int i = 3; i >= 0; i--) {
		uint32_t digit = number / powers[i] % 10;

		if (digit == 0) {
			gap = started;
			continue;
		}
		if (gap)
			buf_adds(ret, "零");
		gap = false;
		if (is_legal || !(i == 1 && digit == 1 && !started))
			buf_adds(ret, is_legal ? legal[digit] : digits[digit]);
		buf_adds(ret, is_legal ? legal_units[i] : units[i]);
		started = true;
	}
}

static void add_digits(uint32_t number, const char *const *names, struct buf *ret)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	for (const char *p = text; *p; p++)
		buf_adds(ret, names[*p - '0']);
}

/* The n-th of a row of characters that follow each other, or a number. */
static void add_symbol(uint32_t number, uint32_t first, uint32_t count, struct buf *ret)
{
	char raw[3];
	uint32_t c = first + number - 1;

	if (number > count) {
		buf_addf(ret, "%u", number);
		return;
	}
	raw[0] = (char)(0xe0 | c >> 12);
	raw[1] = (char)(0x80 | (c >> 6 & 0x3f));
	raw[2] = (char)(0x80 | (c & 0x3f));
	buf_add(ret, raw, sizeof(raw));
}

static void add_of(uint32_t number, const char *const *names, size_t count, struct buf *ret)
{
	buf_adds(ret, names[(number - 1) % count]);
}

void numbering_format(uint32_t number, const char *format, struct buf *ret)
{
	static const char *const stems[] = { "甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬",
		"癸" };
	static const char *const branches[] = { "子", "丑", "寅", "卯", "辰", "巳", "午", "未",
		"申", "酉", "戌", "亥" };
	static const char *const counting[] = { "chineseCounting", "chineseCountingThousand",
		"japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand" };
	bool is_small = number >= 1 && number <= 9999;

	if (is_small && xml_find(format, counting, ARRAY_LEN(counting)) >= 0)
		add_chinese(number, false, ret);
	else if (is_small && strcasecmp(format, "chineseLegalSimplified") == 0)
		add_chinese(number, true, ret);
	else if (strcmp(format, "ideographDigital") == 0 || strcmp(format, "taiwaneseDigital") == 0)
		add_digits(number, digits, ret);
	else if (is_small && strcmp(format, "ideographTraditional") == 0)
		add_of(number, stems, ARRAY_LEN(stems), ret);
	else if (is_small && strcmp(format, "ideographZodiac") == 0)
		add_of(number, branches, ARRAY_LEN(branches), ret);
	else if (is_small && strcmp(format, "lowerLetter") == 0)
		add_letters(number, 'a', ret);
	else if (is_small && strcmp(format, "upperLetter") == 0)
		add_letters(number, 'A', ret);
	else if (is_small && strcmp(format, "lowerRoman") == 0)
		add_roman(number, false, ret);
	else if (is_small && strcmp(format, "upperRoman") == 0)
		add_roman(number, true, ret);
	else if (is_small && strncmp(format, "decimalEnclosedCircle", 21) == 0)
		add_symbol(number, 0x2460, 20, ret);
	else if (is_small && strcmp(format, "decimalEnclosedParen") == 0)
		add_symbol(number, 0x2474, 20, ret);
	else
		buf_addf(ret, strcmp(format, "decimalZero") == 0 ? "%02u" : "%u", number);
}

/* ---- reading the tables ---- */

/* One more row in a table that doubles; NULL when it is full. */
static void *add_row(void **table, size_t *count, size_t *room, size_t size, size_t max)
{
	void *row;

	if (*count == *room) {
		size_t wanted = *room ? *room * 2 : 16;
		void *bigger = *count < max ? reallocarray(*table, wanted, size) : NULL;

		if (!bigger)
			return NULL;
		*table = bigger;
		*room = wanted;
	}
	row = (char *)*table + *count * size;
	memset(row, 0, size);
	++*count;
	return row;
}

static void copy(char *to, size_t size, struct str from)
{
	size_t n = from.n < size ? from.n : 0; /* what is too long is none that we know */

	if (n)
		memcpy(to, from.p, n);
	to[n] = '\0';
}

static void start_abstract(struct numbering *n, const struct xml_attributes *a)
{
	n->in_abstract = add_row((void **)&n->abstracts, &n->abstract_count, &n->abstract_room,
		sizeof(*n->abstracts), MAX_ABSTRACTS);
	if (!n->in_abstract)
		return;
	n->in_abstract->id = xml_attribute_number(a, "abstractNumId", 0);
	for (size_t i = 0; i < LEVELS; i++)
		n->in_abstract->levels[i].start = 1;
}

static void start_level(struct numbering *n, const struct xml_attributes *a)
{
	uint32_t i = xml_attribute_number(a, "ilvl", LEVELS);

	n->level = n->in_abstract && i < LEVELS ? &n->in_abstract->levels[i] : NULL;
}

static void start_list(struct numbering *n, const struct xml_attributes *a)
{
	n->in_list = add_row(
		(void **)&n->lists, &n->list_count, &n->list_room, sizeof(*n->lists), MAX_LISTS);
	if (n->in_list)
		n->in_list->id = xml_attribute_number(a, "numId", 0);
	n->override = LEVELS;
}

static void on_numbering_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct numbering *n = context;
	struct str value = xml_attribute(a, "val");

	if (strcmp(name, "abstractNum") == 0)
		start_abstract(n, a);
	else if (strcmp(name, "num") == 0)
		start_list(n, a);
	else if (strcmp(name, "lvl") == 0)
		start_level(n, a);
	else if (n->level && strcmp(name, "start") == 0)
		n->level->start = xml_attribute_number(a, "val", 1);
	else if (n->level && strcmp(name, "numFmt") == 0)
		copy(n->level->format, sizeof(n->level->format), value);
	else if (n->level && strcmp(name, "lvlText") == 0)
		copy(n->level->text, sizeof(n->level->text), value);
	else if (n->level && strcmp(name, "pStyle") == 0)
		copy(n->level->style, sizeof(n->level->style), value);
	else if (n->level && strcmp(name, "isLgl") == 0)
		n->level->is_decimal = true;
	else if (n->in_list && strcmp(name, "abstractNumId") == 0)
		n->in_list->abstract = xml_attribute_number(a, "val", 0);
	else if (n->in_list && strcmp(name, "lvlOverride") == 0)
		n->override = xml_attribute_number(a, "ilvl", LEVELS);
	else if (n->in_list && strcmp(name, "startOverride") == 0 && n->override < LEVELS)
		n->in_list->restart[n->override] = 1 + xml_attribute_number(a, "val", 1);
}

static void on_numbering_end(void *context, const char *name)
{
	struct numbering *n = context;

	if (strcmp(name, "abstractNum") == 0)
		n->in_abstract = NULL;
	else if (strcmp(name, "num") == 0)
		n->in_list = NULL;
	else if (strcmp(name, "lvl") == 0)
		n->level = NULL;
}

static void on_style_start(void *context, const char *name, const struct xml_attributes *a)
{
	struct numbering *n = context;
	struct str value = xml_attribute(a, "val");

	if (strcmp(name, "style") == 0) {
		n->in_style = add_row((void **)&n->styles, &n->style_count, &n->style_room,
			sizeof(*n->styles), MAX_STYLES);
		if (!n->in_style)
			return;
		copy(n->in_style->name, sizeof(n->in_style->name), xml_attribute(a, "styleId"));
		n->in_style->list = n->in_style->level = NUMBERING_NONE;
	} else if (n->in_style && strcmp(name, "basedOn") == 0) {
		copy(n->in_style->base, sizeof(n->in_style->base), value);
	} else if (n->in_style && strcmp(name, "numId") == 0) {
		n->in_style->list = xml_attribute_number(a, "val", 0);
	} else if (n->in_style && strcmp(name, "ilvl") == 0) {
		n->in_style->level = xml_attribute_number(a, "val", 0);
	}
}

static void on_style_end(void *context, const char *name)
{
	struct numbering *n = context;

	if (strcmp(name, "style") == 0)
		n->in_style = NULL;
}

struct numbering *numbering_new(struct job *j, struct zip *z, const struct opc_relations *relations)
{
	static const struct xml_handler lists = { on_numbering_start, on_numbering_end, NULL };
	static const struct xml_handler styles = { on_style_start, on_style_end, NULL };
	const char *part = opc_first(relations, "numbering");
	struct numbering *n = xcalloc(1, sizeof(*n));

	if (part)
		(void)xml_read(j, z, part, &lists, n);
	part = part ? opc_first(relations, "styles") : NULL;
	if (part)
		(void)xml_read(j, z, part, &styles, n);
	return n;
}

void numbering_free(struct numbering *n)
{
	if (!n)
		return;
	free(n->abstracts);
	free(n->lists);
	free(n->styles);
	free(n);
}

/* ---- counting ---- */

static const struct style *find_style(const struct numbering *n, struct str name)
{
	for (size_t i = 0; i < n->style_count && name.n > 0; i++)
		if (str_is(name, n->styles[i].name))
			return &n->styles[i];
	return NULL;
}

static struct list *find_list(struct numbering *n, int64_t id)
{
	for (size_t i = 0; i < n->list_count; i++)
		if (n->lists[i].id == id)
			return &n->lists[i];
	return NULL;
}

static struct abstract *find_abstract(struct numbering *n, uint32_t id)
{
	for (size_t i = 0; i < n->abstract_count; i++)
		if (n->abstracts[i].id == id)
			return &n->abstracts[i];
	return NULL;
}

/* List and level by style, or by the one that it is based on. */
static void from_style(const struct numbering *n, struct str name, int64_t *list, int64_t *level)
{
	const struct style *style = find_style(n, name);

	for (int i = 0; style && i < MAX_BASES; i++) {
		if (*list == NUMBERING_NONE)
			*list = style->list;
		if (*level == NUMBERING_NONE)
			*level = style->level;
		if (*list != NUMBERING_NONE)
			return;
		style = find_style(n, str_of(style->base));
	}
}

/* The level that says it belongs to the style; otherwise the first. */
static int64_t level_of_style(const struct abstract *a, struct str style)
{
	for (int i = 0; i < LEVELS && style.n > 0; i++)
		if (str_is(style, a->levels[i].style))
			return i;
	return 0;
}

static void count(struct abstract *a, struct list *list, size_t at)
{
	struct level *level = &a->levels[at];

	if (list->restart[at]) {
		level->count = list->restart[at] - 1;
		list->restart[at] = 0;
	} else {
		level->count = level->is_running ? level->count + 1 : level->start;
	}
	level->is_running = true;
	for (size_t i = at + 1; i < LEVELS; i++)
		a->levels[i].is_running = false;
}

/* "第%1条" with the counts of the levels; bullets are signs, not numbers, and no text. */
static void write_number(const struct abstract *a, size_t at, struct buf *ret)
{
	const struct level *level = &a->levels[at];

	if (strcmp(level->format, "bullet") == 0 || strcmp(level->format, "none") == 0)
		return;
	for (const char *p = level->text; *p; p++) {
		const struct level *shown;

		if (*p != '%' || p[1] < '1' || p[1] > '9') {
			buf_addc(ret, *p);
			continue;
		}
		shown = &a->levels[*++p - '1'];
		numbering_format(shown->is_running ? shown->count : shown->start,
			level->is_decimal ? "decimal" : shown->format, ret);
	}
}

void numbering_next(
	struct numbering *n, struct str style, int64_t list_id, int64_t level, struct buf *ret)
{
	struct abstract *abstract;
	struct list *list;

	if (n->list_count == 0)
		return;
	if (list_id == NUMBERING_NONE)
		from_style(n, style, &list_id, &level);
	list = list_id > 0 ? find_list(n, list_id) : NULL;
	abstract = list ? find_abstract(n, list->abstract) : NULL;
	if (!abstract)
		return;
	if (level == NUMBERING_NONE)
		level = level_of_style(abstract, style);
	if (level < 0 || level >= LEVELS)
		return;
	count(abstract, list, (size_t)level);
	write_number(abstract, (size_t)level, ret);
}
