/* signed.c - see signed.h. */
#include "core/main/signed.h"

#include "core/base/tr.h"
#include "core/main/cli.h"

struct known {
	const char *word;
	struct phrase text;
	enum term_style style;
};

static const struct known *find(const struct known *table, size_t count, struct str word)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(word, table[i].word))
			return &table[i];
	return NULL;
}

const char *act_text(struct str act)
{
	static const struct known acts[] = {
		{ "file", { .zh = "归档", .en = "filed" }, TERM_PLAIN },
		{ "revise", { .zh = "修订", .en = "revised" }, TERM_PLAIN },
		{ "import", { .zh = "导入", .en = "imported" }, TERM_PLAIN },
		{ "destroy", { .zh = "销毁", .en = "destroyed" }, TERM_PLAIN },
		{ "begin", { .zh = "立卷", .en = "began" }, TERM_PLAIN },
		{ "open", { .zh = "启用卷库", .en = "opened" }, TERM_PLAIN },
	};
	const struct known *k = find(acts, ARRAY_LEN(acts), act);

	return k ? phrase_text(&k->text) : act.p;
}

void table_add_instant(struct table *t, struct str instant)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	reply_add_instant(&b, instant);
	table_add(t, buf_str(&b));
}

void table_add_signature(struct table *t, struct str signature)
{
	static const struct known states[] = {
		{ "good", { .zh = "有效", .en = "good" }, TERM_GOOD },
		{ "bad", { .zh = "无效", .en = "BAD" }, TERM_BAD },
		{ "unknown", { .zh = "未知", .en = "unknown" }, TERM_WARN },
	};
	const struct known *k = find(states, ARRAY_LEN(states), signature);

	if (k)
		table_add_styled(t, k->style, str_of(phrase_text(&k->text)));
	else
		table_add(t, signature);
}
