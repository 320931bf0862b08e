/* extract_main.c - muniment-extract: the program that looks into documents. Started by extract.c
 * and nobody else.
 *
 * Descriptor 0 is the document, 1 takes the answer (extract_wire.h). The arguments are limits and
 * the hint, nothing secret: everybody on the machine can see them. Before the first byte of the
 * document is looked at it is in the jail; only whether other people's programs read it
 * (PDF, old office files) is found out before, by comparing a few bytes, for that decides which jail. */
#include "search/extract_job.h"
#include "search/jail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct arguments {
	struct extract_limits limits;
	struct jail_limits jail;
	enum extract_hint hint;
	uint32_t scan_first, scan_count;
};

static bool parse_arguments(int argc, char **argv, struct arguments *ret)
{
	uint64_t v[12];

	if (argc != (int)ARRAY_LEN(v) + 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		if (str_to_u64(str_of(argv[i + 1]), (uint64_t)1 << 48, &v[i], NULL) < 0)
			return false;
	*ret = (struct arguments){
		.limits = { .max_unpacked_bytes = v[0],
			.max_text_bytes = v[1],
			.max_file_bytes = v[2],
			.max_ratio = (uint32_t)v[3],
			.max_members = (uint32_t)v[4],
			.max_files = (uint32_t)v[5] },
		.jail = { .memory_bytes = v[6],
			.cpu_seconds = (uint32_t)v[7],
			.allow_unjailed = v[8] != 0 },
		.hint = (enum extract_hint)v[9],
		.scan_first = (uint32_t)v[10],
		.scan_count = (uint32_t)v[11],
	};
	return ret->limits.max_ratio > 0;
}

/* The whole document as memory. It is sealed, so it cannot shrink below the mapping. */
static bool map_input(struct str *ret)
{
	struct stat st;
	void *p;

	if (fstat(0, &st) < 0 || st.st_size < 0)
		return false;
	*ret = (struct str){ "", (size_t)st.st_size };
	if (st.st_size == 0)
		return true;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, 0, 0);
	if (p == MAP_FAILED)
		return false;
	ret->p = p;
	return true;
}

static bool answer(const struct buf *b)
{
	size_t done = 0;

	while (done < b->n) {
		ssize_t n = write(1, b->p + done, b->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static int refuse(struct job *j, enum extract_reason reason)
{
	job_end(j, reason);
	return answer(&j->head) && answer(&j->body) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool needs_programs(const struct job *j)
{
	return j->scan_count > 0 || job_is_pdf(j->input) || job_is_old_office(j->input);
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct str input;
	struct job j;
	int r;

	if (!parse_arguments(argc, argv, &a) || !map_input(&input)) {
		(void)fputs("muniment-extract: not for use by hand\n", stderr);
		return EXIT_FAILURE;
	}
	job_init(&j, input, a.hint, &a.limits);
	j.scan_first = a.scan_first;
	j.scan_count = a.scan_count;
	r = jail_enter(needs_programs(&j) ? JAIL_PROGRAM : JAIL_READER, &a.jail, NULL);
	if (r < 0)
		return refuse(&j, EXTRACT_NO_JAIL);
	job_run(&j);
	/* No clean-up: what the libraries have to tidy away is of no use to anybody. */
	_exit(answer(&j.head) && answer(&j.body) ? EXIT_SUCCESS : EXIT_FAILURE);
}
