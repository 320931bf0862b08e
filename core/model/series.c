/* series.c - looking things up in a definition. */
#include "core/model/series.h"
#include "core/base/buf.h"
#include "core/base/tr.h"

const char *label_text(const struct label *label)
{
	return tr_pick(label->zh, label->en);
}

static bool label_is(const struct label *label, struct str text)
{
	return str_is(text, label->zh) || str_is(text, label->en);
}

const struct series_field *series_find_field(const struct series *series, struct str name)
{
	for (size_t i = 0; i < series->field_count; i++)
		if (str_is(name, series->fields[i].name))
			return &series->fields[i];
	for (size_t i = 0; i < series->field_count; i++)
		if (label_is(&series->fields[i].label, name))
			return &series->fields[i];
	return NULL;
}

const struct series_choice *series_find_choice(const struct series_field *field, struct str text)
{
	for (size_t i = 0; i < field->choice_count; i++)
		if (str_is(text, field->choices[i].name))
			return &field->choices[i];
	for (size_t i = 0; i < field->choice_count; i++)
		if (label_is(&field->choices[i].label, text) ||
			(text.n > 0 && str_is(text, field->choices[i].code)))
			return &field->choices[i];
	return NULL;
}

const struct series_department *series_find_department(const struct series *series, struct str text)
{
	for (size_t i = 0; i < series->department_count; i++)
		if (str_is(text, series->departments[i].name) ||
			(text.n > 0 && str_is(text, series->departments[i].code)))
			return &series->departments[i];
	return NULL;
}

int series_check_department(const struct series *series, struct str department, struct err *err)
{
	_cleanup_(buf_done) struct buf known = BUF_INIT;

	if (series->any_department)
		return 0;
	for (size_t i = 0; i < series->department_count; i++) {
		if (str_is(department, series->departments[i].name))
			return 0;
		buf_addf(&known, "%s%s", i ? "、" : "", series->departments[i].name);
	}
	return err_set(err, ERR_INVALID,
		tr("department '%.*s' does not file in series '%s'; these do: %s"),
		STR_ARG(department), label_text(&series->title), known.p);
}
