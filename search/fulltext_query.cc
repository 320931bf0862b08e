/* fulltext_query.cc - see fulltext_query.hh. */
#include "search/fulltext_query.hh"

#include <algorithm>

namespace fulltext_cc
{

Xapian::Query join(Xapian::Query::op op, const std::vector<Xapian::Query> &queries)
{
	return Xapian::Query(op, queries.begin(), queries.end());
}

Xapian::Query filtered(Xapian::Query q, const Xapian::Query &filter)
{
	return Xapian::Query(Xapian::Query::OP_FILTER, q, filter);
}

Xapian::Query match_all()
{
	return Xapian::Query(std::string());
}

/* A query that chooses but gives no weight. */
static Xapian::Query weightless(const Xapian::Query &q)
{
	return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, q, 0.0);
}

std::vector<Xapian::Query> translator::children(const struct query_node *first) const
{
	std::vector<Xapian::Query> queries;

	for (const struct query_node *n = first; n; n = n->next)
		queries.push_back(node(n));
	return queries;
}

Xapian::Query translator::leaf(const struct query_node *n) const
{
	switch (n->kind) {
	case TERM_SENSITIVE:
		return may_unmask_ ? weightless(term(n->kind, n->text))
				   : Xapian::Query::MatchNothing;
	case TERM_SERIES:
	case TERM_DEPARTMENT:
	case TERM_TYPE:
	case TERM_CODE_EDGE:
	case TERM_NUMBER_EDGE:
		return weightless(term(n->kind, n->text));
	default:
		return term(n->kind, n->text);
	}
}

Xapian::Query translator::phrase(const struct query_node *n, bool in_title) const
{
	std::vector<Xapian::Query> terms;
	std::vector<phrase_word> words;

	for (const struct query_node *child = n->child; child; child = child->next) {
		const enum term_kind kind =
			in_title && child->kind == TERM_WORD ? TERM_TITLE : child->kind;
		words.push_back(
			{ keyer_.mark(kind, child->text), child->position - n->child->position });
		terms.push_back(term(kind, child->text));
	}
	return Xapian::Query(Xapian::Query::OP_FILTER, join(Xapian::Query::OP_AND, terms),
		Xapian::Query((new phrase_source(words))->release()));
}

/* A single character is indexed where it ends a run; elsewhere it begins a bigram. So every bigram that it could begin
 * is tried, in the order of their hashes, which is the order on disk. They give no weight: records with it in the
 * title come first (in_title), then the newest. Some 20,000 look-ups take ten milliseconds or two; hardly anybody
 * searches for one character. */
Xapian::Query translator::character(const struct query_node *n) const
{
	static const struct {
		int32_t first, last;
	} seconds[] = { { 0x3005, 0x3007 }, { 0x3041, 0x30ff }, { 0x4e00, 0x9fff } },
	  hangul[] = { { 0xac00, 0xd7a3 } };
	_cleanup_(buf_done) struct buf pair = BUF_INIT_MAX(16);
	std::vector<std::string> terms;
	std::vector<Xapian::Query> found{ term(n->kind, n->text) };
	const auto add = [&](int32_t first, int32_t last) {
		for (int32_t c = first; c <= last; c++) {
			buf_reset(&pair);
			buf_add_str(&pair, n->text);
			text_add_char(&pair, c);
			terms.push_back(keyer_.term(n->kind, buf_str(&pair)));
		}
	};
	size_t bytes;
	const uint32_t c = utf8_at(n->text.p, &bytes);

	for (const auto &range : seconds)
		add(range.first, range.last);
	for (const auto &range : hangul)
		if (c >= static_cast<uint32_t>(range.first) &&
			c <= static_cast<uint32_t>(range.last))
			add(range.first, range.last);
	std::sort(terms.begin(), terms.end());
	for (const std::string &t : terms)
		if (db_.term_exists(t))
			found.push_back(Xapian::Query(t));
	return weightless(join(Xapian::Query::OP_OR, found));
}

Xapian::Query translator::node(const struct query_node *n) const
{
	switch (n->op) {
	case QUERY_ALL:
		return match_all();
	case QUERY_TERM:
		return leaf(n);
	case QUERY_CHARACTER:
		return character(n);
	case QUERY_PHRASE:
		return phrase(n, false);
	case QUERY_AND:
		return join(Xapian::Query::OP_AND, children(n->child));
	case QUERY_OR:
		return join(Xapian::Query::OP_OR, children(n->child));
	case QUERY_SAME:
		return join(Xapian::Query::OP_SYNONYM, children(n->child));
	case QUERY_EITHER:
		/* Not OP_MAX, which would say it better: Xapian 1.4.22 reads a freed posting list in it when one of its
		 * branches ends within a larger query. */
		return join(Xapian::Query::OP_OR, children(n->child));
	case QUERY_NOT:
		return Xapian::Query(Xapian::Query::OP_AND_NOT, node(n->child),
			join(Xapian::Query::OP_OR, children(n->child->next)));
	case QUERY_DAYS:
		return days(n->day_from, n->day_to);
	}
	return Xapian::Query::MatchNothing;
}

Xapian::Query translator::title_children(Xapian::Query::op op, const struct query_node *n) const
{
	std::vector<Xapian::Query> queries;

	for (const struct query_node *child = n->child; child; child = child->next) {
		const Xapian::Query q = in_title(child);
		if (!q.empty())
			queries.push_back(q);
	}
	return join(op, queries);
}

Xapian::Query translator::in_title(const struct query_node *n) const
{
	switch (n->op) {
	case QUERY_TERM:
		if (n->kind == TERM_WORD)
			return term(TERM_TITLE, n->text);
		if (n->kind == TERM_STEM)
			return term(TERM_TITLE_STEM, n->text);
		break;
	case QUERY_CHARACTER:
		return term(TERM_TITLE, n->text);
	case QUERY_PHRASE:
		return phrase(n, true);
	case QUERY_AND:
		return title_children(Xapian::Query::OP_AND, n);
	case QUERY_OR:
		return title_children(Xapian::Query::OP_OR, n);
	case QUERY_SAME:
		return title_children(Xapian::Query::OP_SYNONYM, n);
	case QUERY_EITHER:
		return title_children(Xapian::Query::OP_OR, n);
	case QUERY_NOT:
		return in_title(n->child);
	case QUERY_ALL:
	case QUERY_DAYS:
		break;
	}
	return Xapian::Query();
}

Xapian::Query translator::period(enum term_kind kind, int value) const
{
	const std::string text = std::to_string(value);

	return term(kind, { text.data(), text.size() });
}

/* A range of days as the fewest years, quarters, months and days: exact, and each is one term. */
Xapian::Query translator::days(int64_t from, int64_t to) const
{
	const struct date first = { 1900, 1, 1 }, last = { 2999, 12, 31 };
	std::vector<Xapian::Query> periods;
	int64_t day = std::max(from, day_of_date(first));

	to = std::min(to, day_of_date(last));
	while (day <= to) {
		const struct date d = date_of_day(day);
		const int64_t year_end = day_of_date({ d.year, 12, 31 });
		const int64_t month_end =
			d.month == 12 ? year_end : day_of_date({ d.year, d.month + 1, 1 }) - 1;
		const int month = d.year * 100 + d.month, quarter = quarter_of_month(d.month);
		const int64_t quarter_end =
			quarter == 4 ? year_end : day_of_date({ d.year, 3 * quarter + 1, 1 }) - 1;

		if (d.month == 1 && d.day == 1 && year_end <= to) {
			periods.push_back(period(TERM_YEAR, d.year));
			day = year_end + 1;
		} else if (d.day == 1 && d.month % 3 == 1 && quarter_end <= to) {
			periods.push_back(period(TERM_QUARTER, d.year * 10 + quarter));
			day = quarter_end + 1;
		} else if (d.day == 1 && month_end <= to) {
			periods.push_back(period(TERM_MONTH, month));
			day = month_end + 1;
		} else {
			periods.push_back(period(TERM_DAY, month * 100 + d.day));
			day++;
		}
	}
	return weightless(join(Xapian::Query::OP_OR, periods));
}

/* ---- most of it ---- */

bool translator::is_known(const struct query_node *word) const
{
	if (word->op == QUERY_TERM)
		return db_.term_exists(keyer_.term(word->kind, word->text));
	for (const struct query_node *child = word->child; child; child = child->next)
		if (is_known(child))
			return true;
	return false;
}

/* Words, pieces of words among them, may be missing; numbers, phrases and fields may not. */
void translator::take_apart(const struct query_node *n, struct parts *ret) const
{
	const bool is_word = n->op == QUERY_SAME ||
			     (n->op == QUERY_TERM &&
				     (n->kind == TERM_WORD || n->kind == TERM_STEM ||
					     n->kind == TERM_TITLE || n->kind == TERM_TITLE_STEM));

	if (n->op == QUERY_AND) {
		for (const struct query_node *child = n->child; child; child = child->next)
			take_apart(child, ret);
	} else if (n->op == QUERY_NOT) {
		take_apart(n->child, ret);
		ret->must_not = children(n->child->next);
	} else if (!is_word) {
		ret->must.push_back(node(n));
	} else if (is_known(n)) {
		ret->words.push_back(node(n));
	} else {
		ret->unknown++;
	}
}

Xapian::Query translator::near(const struct query_node *n) const
{
	struct parts parts = { {}, {}, {}, 0 };

	take_apart(n, &parts);
	if (parts.words.size() < 2 || parts.words.size() < parts.unknown)
		return Xapian::Query();
	Xapian::Query q = join(Xapian::Query::OP_OR, parts.words);
	for (const Xapian::Query &must : parts.must)
		q = filtered(q, must);
	if (!parts.must_not.empty())
		q = Xapian::Query(
			Xapian::Query::OP_AND_NOT, q, join(Xapian::Query::OP_OR, parts.must_not));
	return q;
}

} // namespace fulltext_cc
