/* help.c - see help.h. */
#include "core/main/help.h"

#include "core/base/text.h"
#include "core/base/tr.h"
#include "core/main/exit.h"
#include "core/main/options.h"

enum { PAGE = 100, LEFT_MAX = 30 };

static size_t page_width(const struct term *term)
{
	size_t columns = term_columns(term);

	return columns && columns < PAGE ? columns : PAGE;
}

static void put_title(const struct term *term, const char *title)
{
	(void)fprintf(term->file, "\n%s%s%s\n", term_style(term, TERM_BOLD), title,
		term_style(term, TERM_PLAIN));
}

/* "  left    right, wrapped under itself" */
static void put_row(const struct term *term, const char *left, size_t left_width, const char *right)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t indent = left_width + 4;

	buf_addf(&b, "  %s", left);
	if (text_width(str_of(left)) > left_width)
		buf_addf(&b, "\n%*s", (int)indent, "");
	else
		buf_addf(&b, "%*s", (int)(indent - 2 - text_width(str_of(left))), "");
	term_add_wrapped(&b, str_of(right), indent, page_width(term));
	(void)fprintf(term->file, "%s\n", b.p);
}

static void put_paragraphs(const struct term *term, const char *text)
{
	struct str rest = str_of(text);

	while (rest.p) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		term_add_wrapped(&b, str_cut(&rest, '\n'), 0, page_width(term));
		(void)fprintf(term->file, "%s\n", b.p);
	}
}

static void add_option(struct buf *b, const struct option *o)
{
	if (o->letter)
		buf_addf(b, "-%c, ", o->letter);
	buf_addf(b, "--%s", o->name);
	if (o->argument)
		buf_addf(b, " %s", o->argument);
}

static void put_options(const struct term *term, const struct option *options, size_t count)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		size_t own;

		add_option(&b, &options[i]);
		own = text_width(buf_str(&b));
		width = own > width && own <= LEFT_MAX ? own : width;
	}
	for (size_t i = 0; i < count; i++) {
		_cleanup_(buf_done) struct buf left = BUF_INIT, right = BUF_INIT;

		add_option(&left, &options[i]);
		buf_adds(&right, phrase_text(&options[i].meaning));
		if (options[i].is_required)
			buf_adds(&right, tr(" (required)"));
		else if (options[i].may_repeat)
			buf_adds(&right, tr(" (may be repeated)"));
		put_row(term, left.p, width, right.p);
	}
}

void help_add_usage(struct buf *b, const struct command *command)
{
	buf_addf(b, "muniment %s", command->name);
	for (size_t i = 0; i < command->option_count; i++) {
		const struct option *o = &command->options[i];

		if (o->is_required)
			buf_addf(b, " --%s %s", o->name, o->argument);
	}
	buf_adds(b, tr(" [option...]"));
	if (command->operands)
		buf_addf(b, " %s", command->operands);
}

void help_command(const struct term *term, const struct command *command)
{
	_cleanup_(buf_done) struct buf usage = BUF_INIT;

	help_add_usage(&usage, command);
	(void)fprintf(term->file, "%s\n\n", usage.p);
	put_paragraphs(term, phrase_text(&command->help));
	if (phrase_text(&command->about) && phrase_text(&command->about)[0]) {
		(void)fputc('\n', term->file);
		put_paragraphs(term, phrase_text(&command->about));
	}
	if (command->option_count) {
		put_title(term, tr("Options"));
		put_options(term, command->options, command->option_count);
	}
	(void)fprintf(term->file, "\n%s\n", tr("Options of every command: muniment --help"));
}

static void put_commands(const struct term *term, const char *beginning)
{
	size_t width = 0, n = strlen(beginning);

	for (size_t i = 0; i < command_count; i++) {
		size_t own = strlen(commands[i]->name);

		if (strncmp(commands[i]->name, beginning, n) == 0)
			width = own > width ? own : width;
	}
	for (size_t i = 0; i < command_count; i++)
		if (strncmp(commands[i]->name, beginning, n) == 0)
			put_row(term, commands[i]->name, width, phrase_text(&commands[i]->help));
}

void help_group(const struct term *term, const char *word)
{
	_cleanup_(buf_done) struct buf beginning = BUF_INIT;

	buf_addf(&beginning, "%s ", word);
	put_commands(term, beginning.p);
}

void help_program(const struct term *term)
{
	(void)fprintf(
		term->file, "%s\n", tr("muniment [option...] COMMAND [option...] [argument...]"));
	put_title(term, tr("Commands"));
	put_commands(term, "");
	put_title(term, tr("Options of every command"));
	put_options(term, global_options, global_option_count);
	put_title(term, tr("Exit codes"));
	for (size_t i = 0; i < exit_meaning_count; i++) {
		_cleanup_(buf_done) struct buf code = BUF_INIT;

		buf_addf(&code, "%d", (int)exit_meanings[i].code);
		put_row(term, code.p, 3, phrase_text(&exit_meanings[i].meaning));
	}
	(void)fprintf(term->file, "\n%s\n",
		tr("More: muniment COMMAND --help, man 1 muniment, man 8 muniment"));
}
