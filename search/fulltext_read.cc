/* fulltext_read.cc - the reading side: requests, with the reader's rights inside.
 *
 *  1 Access is part of the query, as a filter: what may not be seen is not matched, so not counted
 *    and in no facet.
 *  2 Hits have one order whatever the order of indexing: rank, day, record id. A rebuilt index
 *    answers alike.
 *
 * What a title says counts more: a record whose title meets the query, all of it, gets the weight of
 * that on top. (The words of a title count more among all words as well, TITLE_WDF, but in a record
 * of a few lines that is more than in one of many pages.) */
#include "search/fulltext_query.hh"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

#include <stdlib.h>

using namespace fulltext_cc;

enum { ATTEMPTS = 5, NEAR_PERCENT = 40 /* of the words */ };

struct fulltext_reader {
	std::string path;
	std::unique_ptr<keyer> key;
	struct generation generation = { 0, 0 };
	Xapian::Database db;
	uint64_t revision = 0;
};

/* ---- a request ---- */

static enum term_kind filter_kind(enum fulltext_facet_kind kind)
{
	static const enum term_kind kinds[] = {
		TERM_SERIES,	 /* FULLTEXT_FACET_SERIES */
		TERM_DEPARTMENT, /* FULLTEXT_FACET_DEPARTMENT */
		TERM_TYPE,	 /* FULLTEXT_FACET_TYPE */
		TERM_YEAR,	 /* FULLTEXT_FACET_YEAR */
	};

	return kinds[kind];
}

static Xapian::Query build(const struct fulltext_reader *r, const struct fulltext_request *request)
{
	const translator t(r->db, *r->key, request->may_unmask);
	Xapian::Query q = match_all();

	if (request->query && request->near)
		q = t.near(query_root(request->query));
	else if (request->query)
		q = t.node(query_root(request->query));
	if (request->query && !request->near && request->order == FULLTEXT_BY_RELEVANCE) {
		const Xapian::Query title = t.in_title(query_root(request->query));
		if (!title.empty())
			q = Xapian::Query(Xapian::Query::OP_AND_MAYBE, q, title);
	}
	for (int kind = 0; kind < FULLTEXT_FACET_COUNT; kind++) {
		std::vector<Xapian::Query> values;

		for (size_t i = 0; i < request->filter_count; i++) {
			const struct fulltext_filter *f = &request->filters[i];
			if (f->kind != kind)
				continue;
			const std::string value = folded(f->value);
			values.push_back(
				t.term(filter_kind(f->kind), { value.data(), value.size() }));
		}
		if (!values.empty())
			q = filtered(q, join(Xapian::Query::OP_OR, values));
	}
	if (request->day_from != 0 || request->day_to != 0)
		q = filtered(q, t.days(request->day_from, request->day_to));
	if (request->all_scopes)
		return q;
	/* Invariant 1. An empty list is MatchNothing. */
	std::vector<Xapian::Query> scopes;
	for (size_t i = 0; i < request->scope_count; i++)
		scopes.push_back(t.term(TERM_SCOPE, request->scopes[i]));
	return filtered(q, join(Xapian::Query::OP_OR, scopes));
}

/* In date order: what stands behind a record. */
static Xapian::Query behind(Xapian::Query q, const struct fulltext_request *request)
{
	const bool down = request->order == FULLTEXT_NEWEST_FIRST;
	struct id next = request->after->record;
	int64_t day = request->after->day;
	bool moved = false;

	for (int i = ID_BYTES - 1; i >= 0 && !moved; i--) {
		next.b[i] = static_cast<uint8_t>(next.b[i] + (down ? -1 : 1));
		moved = next.b[i] != (down ? 0xff : 0);
	}
	if (!moved)
		day += down ? -1 : 1;
	return filtered(
		q, Xapian::Query(down ? Xapian::Query::OP_VALUE_LE : Xapian::Query::OP_VALUE_GE,
			   SLOT_ORDER, order_value(day, next)));
}

/* ---- facets ---- */

namespace
{

class counter : public Xapian::MatchSpy
{
      public:
	void operator()(const Xapian::Document &doc, double) override
	{
		struct fulltext_key key;

		codes_[doc.get_value(SLOT_FACETS)]++;
		if (parse_order_value(doc.get_value(SLOT_ORDER), &key))
			years_[date_of_day(key.day).year]++;
	}
	std::vector<std::pair<enum fulltext_facet_kind, std::pair<std::string, uint64_t>>> facets()
		const;

      private:
	std::unordered_map<std::string, uint64_t> codes_;
	std::unordered_map<int, uint64_t> years_;
};

} // namespace

std::vector<std::pair<enum fulltext_facet_kind, std::pair<std::string, uint64_t>>> counter::facets()
	const
{
	std::unordered_map<std::string, uint64_t> values[FULLTEXT_FACET_COUNT];
	std::vector<std::pair<enum fulltext_facet_kind, std::pair<std::string, uint64_t>>> all;

	for (const auto &code : codes_) {
		struct str rest = { code.first.data(), code.first.size() };
		for (int kind = FULLTEXT_FACET_SERIES; kind <= FULLTEXT_FACET_TYPE && rest.p;
			kind++) {
			const struct str value = str_cut(&rest, '\0');
			if (value.n > 0)
				values[kind][std::string(value.p, value.n)] += code.second;
		}
	}
	for (const auto &year : years_)
		values[FULLTEXT_FACET_YEAR][std::to_string(year.first)] += year.second;
	for (int kind = 0; kind < FULLTEXT_FACET_COUNT; kind++)
		for (const auto &value : values[kind])
			all.push_back({ static_cast<enum fulltext_facet_kind>(kind), value });
	std::sort(all.begin(), all.end(), [](const auto &a, const auto &b) {
		if (a.first != b.first)
			return a.first < b.first;
		if (a.second.second != b.second.second)
			return a.second.second > b.second.second;
		return a.second.first < b.second.first;
	});
	return all;
}

/* ---- searching ---- */

static void take_hits(const Xapian::MSet &mset, bool weighted, struct fulltext_result *result)
{
	if (mset.empty())
		return;
	result->hits =
		static_cast<struct fulltext_hit *>(xcalloc(mset.size(), sizeof(*result->hits)));
	for (auto i = mset.begin(); i != mset.end(); ++i) {
		struct fulltext_hit *hit = &result->hits[result->hit_count];

		if (!parse_order_value(i.get_document().get_value(SLOT_ORDER), &hit->key))
			throw Xapian::DatabaseCorruptError("a document without its order value");
		hit->weight = weighted ? i.get_weight() : 0;
		result->hit_count++;
	}
}

static void take_facets(const counter &counter, struct fulltext_result *result)
{
	const auto facets = counter.facets();

	if (facets.empty())
		return;
	result->facets = static_cast<struct fulltext_facet *>(
		xcalloc(facets.size(), sizeof(*result->facets)));
	for (const auto &f : facets) {
		struct fulltext_facet *facet = &result->facets[result->facet_count++];

		facet->kind = f.first;
		facet->value = str_dup({ f.second.first.data(), f.second.first.size() });
		facet->count = f.second.second;
	}
}

static void search(struct fulltext_reader *r, const struct fulltext_request *request,
	struct fulltext_result *result)
{
	const bool weighted = request->order == FULLTEXT_BY_RELEVANCE;
	Xapian::Query q = build(r, request);
	Xapian::Enquire enquire(r->db);
	counter counter;

	if (request->after && !weighted)
		q = behind(q, request);
	enquire.set_query(q);
	enquire.set_docid_order(Xapian::Enquire::DONT_CARE);
	if (request->near)
		enquire.set_cutoff(NEAR_PERCENT);
	/* Invariant 2. */
	if (weighted) {
		enquire.set_sort_by_relevance_then_value(SLOT_ORDER, true);
	} else {
		enquire.set_weighting_scheme(Xapian::BoolWeight());
		enquire.set_sort_by_value(SLOT_ORDER, request->order == FULLTEXT_NEWEST_FIRST);
	}
	if (request->facets)
		enquire.add_matchspy(&counter);
	const Xapian::doccount all = r->db.get_doccount();
	const Xapian::doccount look_at =
		request->facets ? all
				: static_cast<Xapian::doccount>(
					  std::min<size_t>(request->count_up_to, all));
	const Xapian::MSet mset = enquire.get_mset(static_cast<Xapian::doccount>(request->offset),
		static_cast<Xapian::doccount>(request->limit), look_at);
	take_hits(mset, weighted, result);
	take_facets(counter, result);
	result->count = mset.get_matches_estimated();
	result->count_is_exact = mset.get_matches_lower_bound() == mset.get_matches_upper_bound();
}

/* ---- the reader ---- */

/* Open the generation that is current now. */
static int open_current(struct fulltext_reader *r, struct err *err)
{
	struct generation g;
	Xapian::Database db;
	int e = generation_read(r->path.c_str(), GENERATION_CURRENT, &g, err);

	if (e < 0)
		return e;
	for (unsigned k = 0; k < g.shards; k++) {
		_cleanup_(buf_done) struct buf path = BUF_INIT;

		generation_add_shard_path(&path, r->path.c_str(), &g, k);
		Xapian::Database shard(path.p, Xapian::DB_BACKEND_GLASS);
		e = check_meta(shard, *r->key, err);
		if (e < 0)
			return e;
		db.add_database(shard);
	}
	r->db = db;
	r->generation = g;
	return 0;
}

/* Do something that a writer may disturb: by two commits since we looked, or by taking our
 * generation away. */
template <typename F> static int undisturbed(struct fulltext_reader *r, struct err *err, F what)
{
	for (int attempt = 1;; attempt++) {
		try {
			return what();
		} catch (const Xapian::DatabaseError &) {
			if (attempt == ATTEMPTS)
				throw;
		}
		int e = open_current(r, err);
		if (e < 0)
			return e;
	}
}

int fulltext_reader_open(const char *path, const struct fulltext_options *options,
	struct fulltext_reader **ret, struct err *err)
{
	if (!options->unkeyed && (!options->key || options->key->n != TERM_KEY_BYTES))
		return err_set(
			err, ERR_CRYPTO, tr("the index needs a key of %d bytes"), TERM_KEY_BYTES);
	try {
		std::unique_ptr<struct fulltext_reader> r(new struct fulltext_reader);

		r->path = path;
		r->key.reset(new keyer(options));
		int e = undisturbed(r.get(), err, [&] { return open_current(r.get(), err); });
		if (e < 0)
			return e;
		*ret = r.release();
		return 0;
	} catch (...) {
		return caught(err);
	}
}

void fulltext_reader_free(struct fulltext_reader *r)
{
	delete r;
}

int fulltext_reader_refresh(struct fulltext_reader *r, uint64_t revision, struct err *err)
{
	if (revision != 0 && revision == r->revision)
		return 0;
	try {
		int e = undisturbed(r, err, [&] {
			struct generation g;
			int failed = generation_read(r->path.c_str(), GENERATION_CURRENT, &g, err);

			if (failed < 0)
				return failed;
			if (g.number != r->generation.number)
				return open_current(r, err);
			(void)r->db.reopen();
			return 0;
		});
		if (e < 0)
			return e;
		r->revision = revision;
		return 0;
	} catch (...) {
		return caught(err);
	}
}

int fulltext_search(struct fulltext_reader *r, const struct fulltext_request *request,
	struct fulltext_result *ret, struct err *err)
{
	struct fulltext_result result = { 0, 0, 0, false, 0, 0 };

	if (request->limit > FULLTEXT_LIMIT_MAX || request->offset > FULLTEXT_OFFSET_MAX)
		return err_set(err, ERR_LIMIT, tr("at most %d hits at once, and %d to skip"),
			FULLTEXT_LIMIT_MAX, FULLTEXT_OFFSET_MAX);
	try {
		int e = undisturbed(r, err, [&] {
			fulltext_result_done(&result);
			search(r, request, &result);
			return 0;
		});
		if (e < 0) {
			fulltext_result_done(&result);
			return e;
		}
		*ret = result;
		return 0;
	} catch (...) {
		fulltext_result_done(&result);
		return caught(err);
	}
}

void fulltext_result_done(struct fulltext_result *result)
{
	free(result->hits);
	for (size_t i = 0; i < result->facet_count; i++)
		free(result->facets[i].value);
	free(result->facets);
	memset(result, 0, sizeof(*result));
}
