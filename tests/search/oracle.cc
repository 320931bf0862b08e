/* Where Xapian's TermGenerator and QueryParser mean the same as our tokeniser and grammar, they give the
 * same: terms and positions of English, single characters and bigrams of Chinese, and what English queries
 * find, with equal weights. */
extern "C" {
#include "tests/harness.h"

#include "search/fulltext.h"
#include "search/token.h"
#include "tests/search/corpus.h"
}

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <xapian.h>

enum { SEED = 7, RECORDS = 300, QUERIES = 150 };

typedef std::map<std::string, std::set<unsigned>> terms;

static void collect(void *context, const struct token *token)
{
	terms *all = static_cast<terms *>(context);
	std::string term = token->kind == TERM_STEM ? "Z" : "";

	if (token->kind != TERM_WORD && token->kind != TERM_STEM)
		return;
	term.append(token->text.p, token->text.n);
	std::set<unsigned> &positions = (*all)[term];
	if (token->position > 0)
		positions.insert(token->position);
}

static terms ours(struct tokenizer *t, struct str text)
{
	struct err err = ERR_INIT;
	uint32_t position = 0;
	terms all;

	ck_ok(tokenizer_run(t, text, TOKEN_ALL, &position, collect, &all, &err), err);
	return all;
}

/* Theirs, after -ise has become -ize as ours does it. */
class american : public Xapian::StemImplementation
{
      public:
	std::string operator()(const std::string &word) override
	{
		static const std::set<std::string> endings = { "e", "ed", "es", "er", "ers", "ing",
			"ation", "ations" };
		std::string other = word;

		for (size_t at = 5; at + 1 < word.size(); at++)
			if (word[at] == 's' && word[at - 1] == 'i' &&
				endings.count(word.substr(at + 1)) > 0)
				other[at] = 'z';
		return english_(other);
	}
	std::string get_description() const override
	{
		return "american";
	}

      private:
	Xapian::Stem english_{ "english" };
};

static Xapian::Stem stem()
{
	return Xapian::Stem(new american);
}

static terms theirs(struct str text, bool chinese)
{
	Xapian::TermGenerator generator;
	Xapian::Document doc;
	terms all;

	if (chinese)
		generator.set_flags(Xapian::TermGenerator::FLAG_CJK_NGRAM);
	else
		generator.set_stemmer(stem());
	generator.set_document(doc);
	generator.index_text(std::string(text.p, text.n));
	for (auto i = doc.termlist_begin(); i != doc.termlist_end(); ++i) {
		std::set<unsigned> &positions = all[*i];
		for (auto p = i.positionlist_begin(); p != i.positionlist_end(); ++p)
			positions.insert(*p);
	}
	return all;
}

/* We do not stem words of one letter. */
static std::string without_letters(struct str text)
{
	std::string s(text.p, text.n);

	for (size_t at; (at = s.find(" a ")) != std::string::npos;)
		s.replace(at, 3, " an ");
	return s;
}

START_TEST(english_terms_and_positions)
{
	_cleanup_(tokenizer_freep) struct tokenizer *t = tokenizer_new();

	for (unsigned n = 1; n < RECORDS; n += 2) {
		struct corpus_record c;

		corpus_record(SEED, n, &c);
		const std::string body = without_letters(buf_str(&c.body));
		const struct str text = { body.data(), body.size() };
		const terms a = ours(t, text), b = theirs(text, false);
		for (const auto &term : b)
			ck_assert_msg(a.count(term.first) == 1 && a.at(term.first) == term.second,
				"record %u: '%s'", n, term.first.c_str());
		ck_assert_uint_eq(a.size(), b.size());
		corpus_record_done(&c);
	}
}
END_TEST

START_TEST(chinese_terms)
{
	_cleanup_(tokenizer_freep) struct tokenizer *t = tokenizer_new();

	for (unsigned n = 0; n < RECORDS; n += 2) {
		struct corpus_record c;
		std::string text;

		corpus_record(SEED, n, &c);
		/* Xapian does not join a run over the end of a line, and stems no codes. */
		for (size_t i = 0; i < c.body.n; i++)
			if (c.body.p[i] != '\n' && (c.body.p[i] & 0x80))
				text += c.body.p[i];
		const struct str body = { text.data(), text.size() };
		const terms a = ours(t, body), b = theirs(body, true);
		for (const auto &term : b)
			ck_assert_msg(
				a.count(term.first) == 1, "record %u: '%s'", n, term.first.c_str());
		ck_assert_uint_eq(a.size(), b.size());
		corpus_record_done(&c);
	}
}
END_TEST

/* The records that a query found. Weights are not Xapian's: words that are their own stem are counted once here. */
typedef std::set<std::string> found;

static std::string name_of(const struct id &id)
{
	return std::string(reinterpret_cast<const char *>(id.b), sizeof(id.b));
}

/* English bodies without codes, whose length both count alike. */
static std::string body_of(unsigned n, struct id *ret_id)
{
	struct corpus_record c;

	corpus_record(SEED, n, &c);
	std::string body = without_letters(buf_str(&c.body));
	for (size_t at; (at = body.find("SOP-")) != std::string::npos;)
		body.replace(at, strlen("SOP-000"), "sop");
	*ret_id = c.record;
	corpus_record_done(&c);
	return body;
}

static found search_ours(struct fulltext_reader *r, const struct query *q)
{
	struct fulltext_request request = {};
	struct fulltext_result result;
	struct err err = ERR_INIT;
	found all;

	request.query = q;
	request.all_scopes = true;
	request.limit = FULLTEXT_LIMIT_MAX;
	ck_ok(fulltext_search(r, &request, &result, &err), err);
	for (size_t i = 0; i < result.hit_count; i++)
		all.insert(name_of(result.hits[i].key.record));
	fulltext_result_done(&result);
	return all;
}

static found search_theirs(const Xapian::Database &db, const std::string &text)
{
	Xapian::QueryParser parser;
	Xapian::Enquire enquire(db);
	found all;

	parser.set_stemmer(stem());
	parser.set_stemming_strategy(Xapian::QueryParser::STEM_SOME);
	parser.set_default_op(Xapian::Query::OP_AND);
	enquire.set_query(parser.parse_query(text));
	const Xapian::MSet mset = enquire.get_mset(0, FULLTEXT_LIMIT_MAX);
	for (auto i = mset.begin(); i != mset.end(); ++i)
		all.insert(i.get_document().get_data());
	return all;
}

START_TEST(english_queries_find_alike)
{
	const char *path = harness_dir(), *other = harness_dir();
	Xapian::WritableDatabase db(other, Xapian::DB_CREATE_OR_OVERWRITE);
	Xapian::TermGenerator generator;
	struct fulltext_options options = {};
	struct fulltext *ft = NULL;
	struct fulltext_reader *r = NULL;
	struct err err = ERR_INIT;
	unsigned hits = 0;

	options.shards = 1;
	options.unkeyed = true;
	ck_ok(fulltext_open(path, &options, &ft, &err), err);
	generator.set_stemmer(stem());
	for (unsigned n = 1; n < RECORDS; n += 2) {
		struct fulltext_document d = {};
		struct fulltext_text text = { FULLTEXT_BODY, { NULL, 0 } };
		const std::string body = body_of(n, &d.record);
		Xapian::Document doc;

		text.text = { body.data(), body.size() };
		d.texts = &text;
		d.text_count = 1;
		ck_ok(fulltext_put(ft, &d, &err), err);
		generator.set_document(doc);
		generator.set_termpos(0);
		generator.index_text(body);
		doc.set_data(name_of(d.record));
		db.add_document(doc);
	}
	ck_ok(fulltext_commit(ft, STR(""), &err), err);
	db.commit();
	ck_ok(fulltext_reader_open(path, &options, &r, &err), err);
	for (unsigned i = 0; i < QUERIES; i++) {
		static const enum corpus_query kinds[] = { CORPUS_WORD, CORPUS_TWO_WORDS,
			CORPUS_EITHER_WORD, CORPUS_PHRASE, CORPUS_WITHOUT };
		_cleanup_(buf_done) struct buf text = BUF_INIT;
		struct query *q = NULL;

		corpus_query(SEED, RECORDS, kinds[i % ARRAY_LEN(kinds)], i, &text);
		ck_ok(query_parse(buf_str(&text), &q, &err), err);
		const found a = search_ours(r, q), b = search_theirs(db, text.p);
		ck_assert_msg(a == b, "%s: %zu and %zu found", text.p, a.size(), b.size());
		hits += !a.empty();
		query_free(q);
	}
	ck_assert_uint_gt(hits, QUERIES * 3 / 4);
	fulltext_reader_free(r);
	fulltext_free(ft);
}
END_TEST

TESTS("search/oracle", english_terms_and_positions, chinese_terms, english_queries_find_alike)
