/* Hashing the terms changes nothing: an index with key and one without, made by the same tokeniser of the same text,
 * give the same records in the same order with the same weights, bit for bit. */
#include "tests/harness.h"

#include "search/fulltext.h"
#include "tests/search/corpus.h"

enum { SEED = 20250520, RECORDS = 600, QUERIES = 200 };

static struct fulltext_reader *made(struct fulltext_options *options, unsigned records)
{
	const char *path = harness_dir();
	_cleanup_(fulltext_freep) struct fulltext *ft = NULL;
	struct fulltext_reader *r = NULL;
	struct err err = ERR_INIT;

	ck_ok(fulltext_open(path, options, &ft, &err), err);
	for (unsigned n = 0; n < records; n++) {
		struct corpus_record c;

		corpus_record(SEED, n, &c);
		const struct fulltext_text texts[] = {
			{ FULLTEXT_TITLE, buf_str(&c.title) },
			{ FULLTEXT_NUMBER, buf_str(&c.number) },
			{ FULLTEXT_BODY, buf_str(&c.body) },
		};
		struct fulltext_document d = { .record = c.record,
			.day = c.day,
			.series = c.series,
			.department = c.department,
			.type = c.type,
			.scopes = &c.scope,
			.scope_count = 1,
			.texts = texts,
			.text_count = ARRAY_LEN(texts) };
		ck_ok(fulltext_put(ft, &d, &err), err);
		if (n % 100 == 99)
			ck_ok(fulltext_commit(ft, STR(""), &err), err);
		corpus_record_done(&c);
	}
	ck_ok(fulltext_commit(ft, STR(""), &err), err);
	ck_ok(fulltext_reader_open(path, options, &r, &err), err);
	return r;
}

/* True when there were hits. Weights are sums in an order that a shard's counts decide, so with other shards their last
 * bit may differ: `apart` of the weight. */
static bool compare(struct fulltext_reader *a, struct fulltext_reader *b,
	const struct fulltext_request *request, const char *text, double apart)
{
	struct fulltext_result x, y;
	struct err err = ERR_INIT;
	double difference;
	bool found;

	ck_ok(fulltext_search(a, request, &x, &err), err);
	ck_ok(fulltext_search(b, request, &y, &err), err);
	ck_assert_msg(
		x.hit_count == y.hit_count && x.count == y.count && x.facet_count == y.facet_count,
		"%s: %zu and %zu hits", text, x.hit_count, y.hit_count);
	for (size_t i = 0; i < x.hit_count; i++) {
		ck_assert_msg(id_equal(&x.hits[i].key.record, &y.hits[i].key.record),
			"%s: hit %zu differs", text, i);
		difference = x.hits[i].weight - y.hits[i].weight;
		ck_assert(difference <= apart * y.hits[i].weight &&
			  -difference <= apart * y.hits[i].weight);
	}
	for (size_t i = 0; i < x.facet_count; i++) {
		ck_assert_str_eq(x.facets[i].value, y.facets[i].value);
		ck_assert_uint_eq(x.facets[i].count, y.facets[i].count);
	}
	found = x.hit_count > 0;
	fulltext_result_done(&x);
	fulltext_result_done(&y);
	return found;
}

START_TEST(keyed_and_unkeyed_rank_alike)
{
	_cleanup_(secret_freep) struct secret *key = NULL;
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *keyed = NULL, *unkeyed = NULL;
	struct fulltext_options with = { .shards = 2 }, without = { .shards = 2, .unkeyed = true };
	struct str scope = STR("all");
	unsigned found = 0;

	secret_init();
	with.key = key = secret_random(TERM_KEY_BYTES);
	keyed = made(&with, RECORDS);
	unkeyed = made(&without, RECORDS);
	for (unsigned i = 0; i < QUERIES; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT;
		_cleanup_(query_freep) struct query *query = NULL;
		struct fulltext_request request = { .limit = 1000,
			.all_scopes = i % 3 != 0,
			.scopes = &scope,
			.scope_count = 1,
			.facets = i % 2 == 0,
			.order = i % 5 == 4 ? FULLTEXT_NEWEST_FIRST : FULLTEXT_BY_RELEVANCE };
		struct err err = ERR_INIT;

		corpus_query(SEED, RECORDS, i % CORPUS_QUERY_KINDS, i, &text);
		ck_ok(query_parse(buf_str(&text), &query, &err), err);
		request.query = query;
		found += compare(keyed, unkeyed, &request, text.p, 0);
	}
	ck_assert_uint_gt(found, QUERIES * 3 / 4);
}
END_TEST

START_TEST(shards_do_not_change_the_order)
{
	_cleanup_(secret_freep) struct secret *key = NULL;
	_cleanup_(fulltext_reader_freep) struct fulltext_reader *one = NULL, *three = NULL;
	struct fulltext_options options = { .shards = 1 };

	secret_init();
	options.key = key = secret_random(TERM_KEY_BYTES);
	one = made(&options, 200);
	options.shards = 3;
	three = made(&options, 200);
	for (unsigned i = 0; i < 60; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT;
		_cleanup_(query_freep) struct query *query = NULL;
		struct fulltext_request request = {
			.limit = 1000, .all_scopes = true, .facets = true
		};
		struct err err = ERR_INIT;

		corpus_query(SEED, 200, i % CORPUS_QUERY_KINDS, i, &text);
		ck_ok(query_parse(buf_str(&text), &query, &err), err);
		request.query = query;
		(void)compare(one, three, &request, text.p, 1e-12);
	}
}
END_TEST

TESTS("search/ranking", keyed_and_unkeyed_rank_alike, shards_do_not_change_the_order)
