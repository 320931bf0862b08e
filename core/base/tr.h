/* tr.h - text for people in the reader's language.
 *
 * English sentences stand in the code, inside tr(); Chinese ones in the .po file of the layer
 * (core/base/zh.po, store/zh.po ...), which the build turns into one sorted table. A test holds that every
 * tr("...") has its entry and that both sides take the same arguments in the same order.
 *
 * The language belongs to the thread: a server answers each client in the client's own. Chinese is the
 * default; a locale that begins with "en" chooses English. */
#ifndef MUN_BASE_TR_H
#define MUN_BASE_TR_H

enum tr_language { TR_ZH, TR_EN };

/* The sentence in the thread's language; the English one where there is no other. Never NULL. */
const char *tr(const char *english) __attribute__((format_arg(1)));

/* Marks a sentence in a table, whose text goes through tr() when it is used. */
#define TR_MARK(english) english

/* One of a pair that stands side by side in a table. */
const char *tr_pick(const char *zh, const char *en);

void tr_set_language(enum tr_language language);
enum tr_language tr_language(void);

/* What MUNIMENT_LANG, LC_ALL, LC_MESSAGES and LANG, in this order, ask for. */
enum tr_language tr_from_environment(void);

/* "zh" or "en". */
const char *tr_language_name(enum tr_language language);

#endif
