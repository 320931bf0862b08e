/* extract_plain.c - text as it stands: .txt, .md, .csv. But empty lines behind every line of full width, as some
 * converters leave them, are taken away: they would make a paragraph of each line, and words that the end
 * of a line cuts in two would not be found. */
#include "search/extract_job.h"

#include "core/base/text.h"

enum {
	SPACED_LINES_MIN = 10,
	FULL_COLUMNS_MIN = 24, /* shorter lines say nothing */
	COLUMNS_MAX = 255,     /* longer lines are paragraphs */
	ALIKE = 4	       /* columns by which full lines differ */
};

/* Four of five lines have an empty one behind them, and half of them are about equally long. */
static bool is_double_spaced(struct str text)
{
	size_t count[COLUMNS_MAX + 1] = { 0 }, lines = 0, spaced = 0, most = 0;
	bool before = false;

	for (struct str rest = text; rest.n > 0;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		size_t width = text_width(line);

		if (line.n == 0) {
			spaced += before;
		} else if (width <= COLUMNS_MAX) {
			lines++;
			count[width]++;
		}
		before = line.n > 0;
	}
	for (size_t width = FULL_COLUMNS_MIN; width + ALIKE <= COLUMNS_MAX; width++) {
		size_t alike = 0;

		for (size_t w = width; w <= width + ALIKE; w++)
			alike += count[w];
		most = alike > most ? alike : most;
	}
	return lines >= SPACED_LINES_MIN && 5 * spaced >= 4 * lines && 2 * most >= lines;
}

static void add_single_spaced(struct job *j, struct str text)
{
	bool before = false;

	for (struct str rest = text; rest.n > 0 && !job_is_full(j);) {
		struct str line = str_cut(&rest, '\n');
		bool blank = str_trim(line).n == 0;

		/* Of several empty lines, one goes. */
		if (!blank || !before) {
			job_text(j, line);
			job_text(j, STR("\n"));
		}
		before = !blank;
	}
}

enum extract_reason read_plain(struct job *j)
{
	struct buf utf8 = BUF_INIT_MAX(j->limits.max_unpacked_bytes);
	bool is_text = text_to_utf8(j->input, NULL, &utf8);

	if (is_text && !utf8.failed && is_double_spaced(buf_str(&utf8)))
		add_single_spaced(j, buf_str(&utf8));
	else if (is_text && !utf8.failed)
		job_text(j, buf_str(&utf8));
	if (is_text && utf8.failed)
		job_cut(j);
	buf_done(&utf8);
	return is_text ? EXTRACT_OK : EXTRACT_TYPE;
}
