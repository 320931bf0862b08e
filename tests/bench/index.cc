/* index.cc - the full-text index: our tokeniser and keyed terms against Xapian's TermGenerator at its defaults, and an
 * index with key against the same one without.
 *
 * usage: bench-index [RECORDS [ROUNDS]]
 *
 * Indexing: theirs is one WritableDatabase, TermGenerator with bigrams of Chinese on, its own flush threshold, one
 * commit at the end; ours commits every 300 records, each commit synced. One shard is one indexing thread.
 * Searching: the first page of twenty, every query in turn on the keyed and on the unkeyed index, both compacted; the
 * figure is the mean over a class's queries of the median time. Both must give the same records in the same order. */
extern "C" {
#include "tests/bench/bench.h"

#include "core/base/file.h"
#include "search/fulltext.h"
#include "tests/search/corpus.h"
}

#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xapian.h>

enum { SEED = 1, RECORDS = 4000, ROUNDS = 3, BATCH = 300, PAGE = 20, QUERIES = 40, REPEATS = 7 };

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "bench: %s\n", err->text);
	exit(1);
}

static std::vector<struct corpus_record> records;

static std::string text_of(const struct buf &b)
{
	return std::string(b.p, b.n);
}

static double index_theirs(const std::string &path)
{
	const double from = bench_now();
	Xapian::WritableDatabase db(path, Xapian::DB_CREATE_OR_OVERWRITE);
	Xapian::TermGenerator generator;

	generator.set_flags(Xapian::TermGenerator::FLAG_CJK_NGRAM);
	for (const struct corpus_record &c : records) {
		const std::string id(reinterpret_cast<const char *>(c.record.b), ID_BYTES);
		const std::string title = text_of(c.title);
		Xapian::Document doc;

		generator.set_document(doc);
		generator.set_termpos(0);
		generator.index_text(title, 1, "S");
		generator.increase_termpos();
		generator.index_text(title, 3);
		generator.increase_termpos();
		generator.index_text(text_of(c.number));
		generator.increase_termpos();
		generator.index_text(text_of(c.body));
		doc.add_boolean_term("Q" + id);
		doc.add_boolean_term("XS" + std::string(c.series.p, c.series.n));
		doc.add_boolean_term("XD" + std::string(c.department.p, c.department.n));
		doc.add_boolean_term("XA" + std::string(c.scope.p, c.scope.n));
		doc.add_value(0, std::to_string(c.day));
		doc.set_data(id);
		db.add_document(doc);
	}
	db.commit();
	db.close();
	return bench_now() - from;
}

static double index_ours(const std::string &path, const struct fulltext_options *options)
{
	struct fulltext *ft = NULL;
	struct err err = ERR_INIT;
	double from;
	size_t n = 0;

	from = bench_now();
	must(fulltext_open(path.c_str(), options, &ft, &err), &err);
	for (const struct corpus_record &c : records) {
		const struct fulltext_text texts[] = {
			{ FULLTEXT_TITLE, buf_str(&c.title) },
			{ FULLTEXT_NUMBER, buf_str(&c.number) },
			{ FULLTEXT_BODY, buf_str(&c.body) },
		};
		struct fulltext_document d = {};

		d.record = c.record;
		d.day = c.day;
		d.series = c.series;
		d.department = c.department;
		d.type = c.type;
		d.scopes = &c.scope;
		d.scope_count = 1;
		d.texts = texts;
		d.text_count = ARRAY_LEN(texts);
		must(fulltext_put(ft, &d, &err), &err);
		if (++n % BATCH == 0)
			must(fulltext_commit(ft, STR("bench"), &err), &err);
	}
	must(fulltext_commit(ft, STR("bench"), &err), &err);
	const double took = bench_now() - from;
	fulltext_free(ft);
	return took;
}

static uint64_t bytes_below(const std::string &path)
{
	DIR *d = opendir(path.c_str());
	uint64_t bytes = 0;

	for (struct dirent *entry; d && (entry = readdir(d));) {
		const std::string name = path + "/" + entry->d_name;
		struct stat st;

		if (entry->d_name[0] == '.' || stat(name.c_str(), &st) < 0)
			continue;
		bytes +=
			S_ISDIR(st.st_mode) ? bytes_below(name) : static_cast<uint64_t>(st.st_size);
	}
	if (d)
		closedir(d);
	return bytes;
}

/* ---- indexing ---- */

static void bench_indexing(
	const std::string &folder, const struct fulltext_options *keyed, size_t rounds)
{
	const double n = static_cast<double>(records.size());
	std::vector<double> theirs, one, two, ratio_one, ratio_two;
	struct fulltext_options options = *keyed;

	for (size_t i = 0; i < rounds; i++) {
		theirs.push_back(n / index_theirs(folder + "/theirs"));
		options.shards = 1;
		one.push_back(n / index_ours(folder + "/one", &options));
		options.shards = 2;
		two.push_back(n / index_ours(folder + "/two", &options));
		ratio_one.push_back(one.back() / theirs.back());
		ratio_two.push_back(two.back() / theirs.back());
		bench_remove((folder + "/theirs").c_str());
		bench_remove((folder + "/one").c_str());
		bench_remove((folder + "/two").c_str());
	}
	const double base = bench_median(theirs.data(), rounds);
	bench_row("keyed indexing, one thread", "rec/s", bench_median(one.data(), rounds), base,
		bench_median(ratio_one.data(), rounds), 1.5, false);
	bench_row("keyed indexing, two shards", "rec/s", bench_median(two.data(), rounds), base,
		bench_median(ratio_two.data(), rounds), 3, false);
}

/* ---- searching ---- */

struct side {
	struct fulltext_reader *reader;
	double mean;
};

static struct fulltext_result search(
	struct side *side, const struct fulltext_request *request, double *ret_took)
{
	struct fulltext_result result;
	struct err err = ERR_INIT;
	const double from = bench_now();

	must(fulltext_search(side->reader, request, &result, &err), &err);
	*ret_took = bench_now() - from;
	return result;
}

static bool same_order(const struct fulltext_result *a, const struct fulltext_result *b)
{
	if (a->hit_count != b->hit_count)
		return false;
	for (size_t i = 0; i < a->hit_count; i++)
		if (!id_equal(&a->hits[i].key.record, &b->hits[i].key.record))
			return false;
	return true;
}

static const struct query_class {
	const char *what;
	enum corpus_query kind;
	bool with_access;
} classes[] = {
	{ "search, one word", CORPUS_WORD, false },
	{ "search, phrase of three words", CORPUS_PHRASE, false },
	{ "search, four Chinese characters", CORPUS_CHINESE, false },
	{ "search, one Chinese character", CORPUS_CHARACTER, false },
	{ "search, field and date", CORPUS_TITLE_AND_DATE, false },
	{ "search, Chinese, access filter", CORPUS_CHINESE, true },
};

/* Returns how many queries had another order. */
static unsigned bench_class(const struct query_class *c, struct side *keyed, struct side *unkeyed)
{
	const struct str scopes[] = { STR("all"), STR("dept:qa") };
	unsigned differ = 0;
	double sums[2] = { 0, 0 };

	for (unsigned i = 0; i < QUERIES; i++) {
		struct fulltext_request request = {};
		struct buf text = BUF_INIT;
		struct query *query = NULL;
		struct err err = ERR_INIT;
		double took[2][REPEATS];

		corpus_query(SEED, static_cast<unsigned>(records.size()), c->kind, i, &text);
		must(query_parse(buf_str(&text), &query, &err), &err);
		request.query = query;
		request.limit = PAGE;
		request.all_scopes = !c->with_access;
		request.scopes = scopes;
		request.scope_count = ARRAY_LEN(scopes);
		for (int k = 0; k < REPEATS; k++) {
			struct fulltext_result a = search(keyed, &request, &took[0][k]);
			struct fulltext_result b = search(unkeyed, &request, &took[1][k]);

			if (k == 0)
				differ += !same_order(&a, &b);
			fulltext_result_done(&a);
			fulltext_result_done(&b);
		}
		sums[0] += bench_median(took[0], REPEATS);
		sums[1] += bench_median(took[1], REPEATS);
		query_free(query);
		buf_done(&text);
	}
	const double ours = sums[0] / QUERIES * 1e6, theirs = sums[1] / QUERIES * 1e6;
	/* One character is looked for in all pairs that it could begin, some 20,000: without key they are neighbours
	 * on disk, with one they are anywhere. */
	if (c->kind == CORPUS_CHARACTER)
		bench_note(c->what, "us", ours, theirs, ours / theirs);
	else
		bench_row(c->what, "us", ours, theirs, ours / theirs, 1.15, true);
	return differ;
}

static uint64_t make_compact(
	const std::string &path, const struct fulltext_options *options, struct side *ret)
{
	struct fulltext *ft = NULL;
	struct err err = ERR_INIT;

	(void)index_ours(path, options);
	must(fulltext_open(path.c_str(), options, &ft, &err), &err);
	must(fulltext_compact(ft, &err), &err);
	fulltext_free(ft);
	must(fulltext_reader_open(path.c_str(), options, &ret->reader, &err), &err);
	return bytes_below(path);
}

static void bench_searching(const std::string &folder, const struct fulltext_options *keyed)
{
	struct fulltext_options without = {};
	struct side with_key = { NULL, 0 }, without_key = { NULL, 0 };
	unsigned differ = 0;

	without.unkeyed = true;
	const double a = static_cast<double>(make_compact(folder + "/keyed", keyed, &with_key));
	const double b =
		static_cast<double>(make_compact(folder + "/unkeyed", &without, &without_key));
	bench_row("size, compacted, keyed : unkeyed", "MiB", a / 1048576, b / 1048576, a / b, 1.6,
		true);
	for (const struct query_class &c : classes)
		differ += bench_class(&c, &with_key, &without_key);
	bench_row("queries in another order", "of 240", differ, 0, differ, 0, true);
	fulltext_reader_free(with_key.reader);
	fulltext_reader_free(without_key.reader);
}

int main(int argc, char **argv)
{
	const size_t given = argc > 1 ? std::stoul(argv[1]) : size_t{ RECORDS };
	const unsigned count = static_cast<unsigned>(given);
	const size_t rounds = argc > 2 ? std::stoul(argv[2]) : size_t{ ROUNDS };
	struct fulltext_options options = {};
	char *folder = bench_folder();

	secret_init();
	struct secret *key = secret_random(TERM_KEY_BYTES);
	options.key = key;
	records.resize(count);
	for (unsigned n = 0; n < count; n++)
		corpus_record(SEED, n, &records[n]);
	bench_head();
	bench_indexing(folder, &options, rounds);
	bench_searching(folder, &options);
	for (struct corpus_record &c : records)
		corpus_record_done(&c);
	secret_free(key);
	bench_remove(folder);
	free(folder);
	return 0;
}
