/* tr.c - see tr.h. The table is made by scripts/po2c.py from the .po files of all layers. */
#include "core/base/tr.h"
#include "core/base/tr_table.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local enum tr_language current = TR_ZH;

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct tr_row *)row)->en);
}

const char *tr(const char *english)
{
	const struct tr_row *row;

	if (current == TR_EN)
		return english;
	row = bsearch(english, tr_table, tr_table_length, sizeof(tr_table[0]), compare);
	return row ? row->zh : english;
}

const char *tr_pick(const char *zh, const char *en)
{
	return current == TR_EN ? en : zh;
}

void tr_set_language(enum tr_language language)
{
	current = language;
}

enum tr_language tr_language(void)
{
	return current;
}

enum tr_language tr_from_environment(void)
{
	static const char *const names[] = { "MUNIMENT_LANG", "LC_ALL", "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && value[0])
			return strncmp(value, "en", 2) == 0 ? TR_EN : TR_ZH;
	}
	return TR_ZH;
}

const char *tr_language_name(enum tr_language language)
{
	return language == TR_EN ? "en" : "zh";
}
