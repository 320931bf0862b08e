/* progress.c - see progress.h. */
#include "core/main/progress.h"

#include "core/base/str.h"
#include "core/base/text.h"
#include "core/base/tr.h"

#include <stdlib.h>

static const int64_t second = 1000000000;

struct progress {
	const struct term *term;
	const char *what;
	bool quiet, is_drawn, has_begun;
	int64_t begun, drawn;	     /* ticks */
	struct progress_state first; /* what was done before we began: resumed jobs */
	uint64_t tenth;		     /* of the last plain line */
};

struct progress *progress_new(const struct term *term, const char *what, bool quiet)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->term = term;
	p->what = what;
	p->quiet = quiet;
	return p;
}

void progress_set_what(struct progress *p, const char *what)
{
	if (what && strcmp(p->what, what) != 0)
		p->has_begun = false;
	p->what = what ? what : p->what;
}

void progress_hide(struct progress *p)
{
	if (!p->is_drawn)
		return;
	(void)fputs("\r\033[K", p->term->file);
	(void)fflush(p->term->file);
	p->is_drawn = false;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_hide(p);
	free(p);
}

static void add_line(
	struct buf *b, const struct progress *p, const struct progress_state *s, int64_t ticks)
{
	double seconds = (double)(ticks - p->begun) / (double)second;
	uint64_t counted = s->count - p->first.count, went = s->done - p->first.done;

	buf_addf(b, "%s  %llu", p->what, (unsigned long long)s->count);
	if (s->total && s->count == s->done)
		buf_addf(b, "/%llu", (unsigned long long)s->total);
	if (s->unit)
		buf_addf(b, " %s", s->unit);
	if (s->total)
		buf_addf(b, "  %u%%", (unsigned)(100 * (double)s->done / (double)s->total));
	if (seconds < 0.5 || !counted)
		return;
	buf_addf(b, tr("  %.1f/s"), (double)counted / seconds);
	if (s->total > s->done && went) {
		buf_adds(b, tr("  remaining "));
		term_add_duration(
			b, (uint64_t)((double)(s->total - s->done) * seconds / (double)went + 0.5));
	}
}

static uint64_t tenth_of(const struct progress_state *s)
{
	return s->total ? (uint64_t)(10 * ((double)s->done / (double)s->total)) : 0;
}

static bool is_due(const struct progress *p, const struct progress_state *s, int64_t ticks)
{
	if (p->term->is_terminal)
		return !p->is_drawn || ticks - p->drawn >= second / 10;
	if (s->total)
		return tenth_of(s) > p->tenth;
	return ticks - p->drawn >= 10 * second;
}

static void begin(struct progress *p, const struct progress_state *s, int64_t ticks)
{
	p->has_begun = true;
	p->begun = p->drawn = ticks;
	p->first = *s;
	p->tenth = tenth_of(s);
}

void progress_step(struct progress *p, const struct progress_state *state, int64_t ticks)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct progress_state s = *state;

	if (p->quiet)
		return;
	if (s.total && s.done > s.total)
		s.done = s.total;
	/* A job of several stages counts anew in each. */
	if (!p->has_begun || s.count < p->first.count || s.done < p->first.done)
		begin(p, &s, ticks);
	if (!is_due(p, &s, ticks))
		return;
	add_line(&b, p, &s, ticks);
	if (p->term->is_terminal) {
		struct str line = text_cut(buf_str(&b), term_columns(p->term) - 1);

		(void)fprintf(p->term->file, "\r%.*s\033[K", STR_ARG(line));
		p->is_drawn = true;
	} else {
		(void)fprintf(p->term->file, "%s\n", b.p);
		p->tenth = tenth_of(&s);
	}
	(void)fflush(p->term->file);
	p->drawn = ticks;
}
