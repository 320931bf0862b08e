/* fulltext_query.hh - the tree of a query becomes one of Xapian's. */
#ifndef MUN_SEARCH_FULLTEXT_QUERY_HH
#define MUN_SEARCH_FULLTEXT_QUERY_HH

#include "search/fulltext_phrase.hh"

namespace fulltext_cc
{

Xapian::Query join(Xapian::Query::op op, const std::vector<Xapian::Query> &queries);
Xapian::Query filtered(Xapian::Query q, const Xapian::Query &filter);
/* Everything. Not Query::MatchAll: that is one object for the whole process, and copies of it count references
 * without a lock, so that two searches at once could free it. */
Xapian::Query match_all();

class translator
{
      public:
	translator(const Xapian::Database &db, const keyer &k, bool may_unmask)
	    : db_(db), keyer_(k), may_unmask_(may_unmask)
	{
	}
	Xapian::Query node(const struct query_node *n) const;
	/* The same, as far as it asks for words, within titles; empty when it does not. */
	Xapian::Query in_title(const struct query_node *n) const;
	/* Records that have most of the words that `n` asks for side by side, and whatever else it asks for; empty
	 * when it asks for too few words, or the index knows too few of them. */
	Xapian::Query near(const struct query_node *n) const;
	Xapian::Query days(int64_t from, int64_t to) const;
	Xapian::Query term(enum term_kind kind, struct str text) const
	{
		return Xapian::Query(keyer_.term(kind, text));
	}

      private:
	struct parts {
		std::vector<Xapian::Query> words, must, must_not;
		size_t unknown;
	};

	void take_apart(const struct query_node *n, struct parts *ret) const;
	bool is_known(const struct query_node *word) const;
	std::vector<Xapian::Query> children(const struct query_node *first) const;
	Xapian::Query leaf(const struct query_node *n) const;
	Xapian::Query phrase(const struct query_node *n, bool in_title) const;
	Xapian::Query title_children(Xapian::Query::op op, const struct query_node *n) const;
	Xapian::Query character(const struct query_node *n) const;
	Xapian::Query period(enum term_kind kind, int value) const;

	const Xapian::Database &db_;
	const keyer &keyer_;
	bool may_unmask_;
};

} // namespace fulltext_cc

#endif
