/* term.c - see term.h. */
#include "core/main/term.h"

#include "core/base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && value[0];
}

void term_init(struct term *t, FILE *file, bool no_colour)
{
	const char *kind = getenv("TERM");

	*t = (struct term){ .file = file, .is_terminal = isatty(fileno(file)) == 1 };
	t->has_colour = t->is_terminal && !no_colour && !is_set("NO_COLOR") && kind &&
			strcmp(kind, "dumb") != 0;
}

size_t term_columns(const struct term *t)
{
	struct winsize size;

	if (!t->is_terminal)
		return 0;
	if (ioctl(fileno(t->file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

const char *term_style(const struct term *t, enum term_style style)
{
	static const char *const escapes[] = {
		[TERM_PLAIN] = "\033[0m",
		[TERM_BOLD] = "\033[1m",
		[TERM_DIM] = "\033[2m",
		[TERM_GOOD] = "\033[32m",
		[TERM_BAD] = "\033[31m",
		[TERM_WARN] = "\033[33m",
		[TERM_MARK] = "\033[1;33m",
	};

	return t->has_colour ? escapes[style] : "";
}

static void put_safe(const struct term *t, struct str text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	text_add_safe(&b, text);
	(void)fwrite(b.p, 1, b.n, t->file);
}

void term_put(const struct term *t, enum term_style style, struct str text)
{
	if (style != TERM_PLAIN)
		(void)fputs(term_style(t, style), t->file);
	put_safe(t, text);
	if (style != TERM_PLAIN)
		(void)fputs(term_style(t, TERM_PLAIN), t->file);
}

void term_printf(const struct term *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(t->file, fmt, ap);
	va_end(ap);
}

void term_put_lines(const struct term *t, size_t indent, struct str text)
{
	while (text.p) {
		struct str line = str_cut(&text, '\n');

		if (!text.p && line.n == 0)
			break; /* the text ended in a newline */
		(void)fprintf(t->file, "%*s", (int)indent, "");
		put_safe(t, line);
		(void)fputc('\n', t->file);
	}
}

void term_add_sentence(struct buf *b, struct str text)
{
	while (text.p) {
		text_add_safe(b, str_cut(&text, '\\'));
		if (text.p)
			buf_addc(b, '\\');
	}
}

/* ---- breaking lines ---- */

static bool is_closing(int32_t c)
{
	static const int32_t closing[] = { 0x3001, 0x3002, 0xff0c, 0xff1b, 0xff1a, 0xff09, 0x300b,
		0x300d, 0x2019, 0x201d, 0xff1f, 0xff01, 0x3015, 0x3011 };

	for (size_t i = 0; i < ARRAY_LEN(closing); i++)
		if (closing[i] == c)
			return true;
	return false;
}

/* The next piece that must stay together: blanks, and behind them a word of narrow characters, or
 * one wide character with the closing marks that follow it. */
static struct str next_piece(struct str text)
{
	struct str piece = { text.p, 0 };
	bool has_wide = false, has_narrow = false;

	while (piece.n < text.n && text.p[piece.n] == ' ')
		piece.n++;
	while (piece.n < text.n && text.p[piece.n] != ' ') {
		struct str rest = { text.p + piece.n, text.n - piece.n };
		size_t n;
		int32_t c = text_char(rest, &n);
		bool is_wide = text_width((struct str){ rest.p, n }) == 2;

		if (has_wide ? !is_closing(c) : has_narrow && is_wide && !is_closing(c))
			break;
		has_wide |= is_wide;
		has_narrow |= !is_wide;
		piece.n += n;
	}
	return piece;
}

void term_add_wrapped(struct buf *b, struct str text, size_t indent, size_t columns)
{
	size_t at = indent;
	bool line_starts = true;

	while (text.n) {
		struct str piece = next_piece(text);
		size_t width;

		text = (struct str){ text.p + piece.n, text.n - piece.n };
		width = text_width(piece);
		if (columns && !line_starts && at + width > columns) {
			buf_addf(b, "\n%*s", (int)indent, "");
			at = indent;
			while (piece.n && piece.p[0] == ' ')
				piece = (struct str){ piece.p + 1, piece.n - 1 };
			width = text_width(piece);
		}
		buf_add_str(b, piece);
		at += width;
		line_starts = false;
	}
}

/* ---- numbers ---- */

void term_add_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		buf_addf(b, "%u B", (unsigned)bytes);
		return;
	}
	for (; value >= 1023.95 && i + 1 < ARRAY_LEN(units); i++)
		value /= 1024;
	buf_addf(b, "%.1f %s", value, units[i]);
}

void term_add_duration(struct buf *b, uint64_t seconds)
{
	unsigned long long hours = seconds / 3600;
	unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);

	if (hours)
		buf_addf(b, "%llu:%02u:%02u", hours, minutes, rest);
	else
		buf_addf(b, "%u:%02u", minutes, rest);
}
