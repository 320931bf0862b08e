/* command.c - see command.h. */
#include "core/main/command.h"

#include "core/base/buf.h"
#include "core/base/tr.h"
#include "core/main/nearest.h"

#include <string.h>

const char *phrase_text(const struct phrase *phrase)
{
	return tr_pick(phrase->zh, phrase->en);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

bool command_begins(const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i < command_count; i++)
		if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
			return true;
	return false;
}

/* "custodian" alone: say what can stand behind it. */
static int incomplete(const char *word, struct err *err)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t n = strlen(word);

	for (size_t i = 0; i < command_count; i++)
		if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
			buf_addf(&b, "%s'%s'", b.n ? tr(", ") : "", commands[i]->name);
	return err_set(err, ERR_INVALID, tr("'%s' is half a command; there are: %s"), word, b.p);
}

static int unknown(const char *typed, struct err *err)
{
	struct nearest n = { .word = typed };
	const char *best;

	for (size_t i = 0; i < command_count; i++)
		nearest_offer(&n, commands[i]->name);
	best = nearest_take(&n);
	if (best)
		return err_set(err, ERR_INVALID, tr("unknown command '%s'; did you mean '%s'?"),
			typed, best);
	return err_set(err, ERR_INVALID, tr("unknown command '%s'"), typed);
}

int command_find(
	int argc, char *const *argv, const struct command **ret, int *ret_words, struct err *err)
{
	_cleanup_(buf_done) struct buf both = BUF_INIT;
	bool is_pair = command_begins(argv[0]);

	buf_adds(&both, argv[0]);
	if (is_pair && (argc == 1 || argv[1][0] == '-'))
		return incomplete(argv[0], err);
	if (is_pair)
		buf_addf(&both, " %s", argv[1]);
	*ret = find(both.p);
	*ret_words = is_pair ? 2 : 1;
	return *ret ? 0 : unknown(both.p, err);
}
