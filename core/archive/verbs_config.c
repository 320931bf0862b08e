/* verbs_config.c - settings: listed, looked at, changed. */
#include "core/archive/verbs.h"

#include "core/archive/args.h"
#include "core/archive/log.h"
#include "core/archive/say.h"

#include "core/base/tr.h"

static void say_setting(struct archive *a, enum setting which, struct buf *b)
{
	const struct setting_row *row = &setting_table[which];
	_cleanup_(buf_done) struct buf value = BUF_INIT;
	struct str words;

	settings_text(a->settings, which, &value);
	say_cstr(b, "name", row->name);
	say_cstr(b, "type", setting_type_word(row->type));
	say_text(b, "value", buf_str(&value));
	say_cstr(b, "default", row->initial);
	say_cstr(b, "meaning", tr_pick(row->zh, row->en));
	if (row->type == SETTING_INT) {
		say_int(b, "min", row->min);
		say_int(b, "max", row->max);
	}
	words = str_of(row->type == SETTING_BOOL ? "false true" : row->words);
	if (!words.p)
		return;
	say_list(b, "choices");
	while (words.p)
		say_item(b, str_cut(&words, ' '));
	say_end_list(b);
}

int verb_config_list(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { NULL };
	int r = args_only(call, names, err);

	if (r < 0)
		return r;
	say_list(call->reply, "settings");
	for (enum setting i = 0; i < SETTING_COUNT; i++) {
		say_map(call->reply, NULL);
		say_setting(a, i, call->reply);
		say_end_map(call->reply);
	}
	say_end_list(call->reply);
	return 0;
}

static int wanted(struct verb_call *call, enum setting *ret, struct err *err)
{
	struct str name;
	int r = json_need_text(call->args, "name", &name, err);

	if (r < 0)
		return r;
	*ret = setting_find(name);
	if (*ret == SETTING_COUNT)
		return err_set(err, ERR_NOTFOUND, tr("there is no setting '%.*s'"), STR_ARG(name));
	return 0;
}

int verb_config_get(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "name", NULL };
	enum setting which;
	int r = args_only(call, names, err);

	if (r == 0)
		r = wanted(call, &which, err);
	if (r == 0)
		say_setting(a, which, call->reply);
	return r;
}

int verb_config_set(struct archive *a, struct verb_call *call, struct err *err)
{
	static const char *const names[] = { "name", "value", NULL };
	_cleanup_(buf_done) struct buf before = BUF_INIT;
	enum setting which;
	struct str value;
	int r = args_only(call, names, err);

	if (r < 0 || (r = wanted(call, &which, err)) < 0 ||
		(r = json_need_text(call->args, "value", &value, err)) < 0)
		return r;
	settings_text(a->settings, which, &before);
	r = settings_set(a->settings, which, value, err);
	if (r < 0)
		return r;
	r = settings_save(a->settings, archive_dir(a), err);
	if (r < 0) {
		(void)settings_set(a->settings, which, buf_str(&before), NULL);
		return r;
	}
	log_line(LOG_LEVEL_NOTICE, "setting %s was changed by uid %u", setting_table[which].name,
		call->uid);
	say_setting(a, which, call->reply);
	return 0;
}
