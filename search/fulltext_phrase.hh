/* fulltext_phrase.hh - the order of a document's words, and what of it makes a phrase.
 *
 * Xapian would keep a list of positions for each pair of term and document, a row in a tree each: three quarters of all
 * rows, and a third of the time that indexing takes. Here a document's order is one string beside it, as metadata under
 * its number: for each word in turn the distance from the position before (7 bits a byte, the lowest first, the highest
 * bit set where more follow), then its mark, the first 4 bytes of its hashed term.
 *
 * A phrase asks Xapian for the documents that have all its terms, and phrase_source looks at each whether they stand
 * there as they should: every word exactly as far behind the first one as in the query. Another word of the same
 * document may have the same mark once in some four thousand million times. */
#ifndef MUN_SEARCH_FULLTEXT_PHRASE_HH
#define MUN_SEARCH_FULLTEXT_PHRASE_HH

#include "search/fulltext.hh"

#include <vector>

namespace fulltext_cc
{

/* Where the order of a document's words is kept. */
std::string order_key(Xapian::docid document);

/* Writes an order down. */
class word_order
{
      public:
	~word_order();
	/* Positions never go back. */
	void add(uint32_t mark, uint32_t position);
	void clear();
	const std::string &bytes() const
	{
		return bytes_;
	}

      private:
	std::string bytes_;
	uint32_t last_ = 0;
};

struct phrase_word {
	uint32_t mark;
	uint32_t offset; /* from the first word */
};

/* Whether the words stand in the order `bytes` as they should; what is not well-formed ends there. `places` is room to
 * work in, one for each word. */
bool phrase_is_in(const std::string &bytes, const std::vector<phrase_word> &words,
	std::vector<std::vector<uint32_t>> *places);

/* Of the documents that it is asked about, those with the phrase. To be used with OP_FILTER: alone it would look at
 * every document. */
class phrase_source : public Xapian::PostingSource
{
      public:
	explicit phrase_source(const std::vector<phrase_word> &words);

	Xapian::doccount get_termfreq_min() const override
	{
		return 0;
	}
	/* The most, so that it is asked last. */
	Xapian::doccount get_termfreq_est() const override
	{
		return db_.get_doccount();
	}
	Xapian::doccount get_termfreq_max() const override
	{
		return db_.get_doccount();
	}
	Xapian::docid get_docid() const override
	{
		return at_;
	}
	bool at_end() const override
	{
		return at_ > last_;
	}
	void next(double min_weight) override;
	void skip_to(Xapian::docid document, double min_weight) override;
	bool check(Xapian::docid document, double min_weight) override;
	Xapian::PostingSource *clone() const override;
	void init(const Xapian::Database &db) override;

      private:
	bool has_phrase();

	std::vector<phrase_word> words_;
	std::vector<std::vector<uint32_t>> places_;
	Xapian::Database db_;
	Xapian::docid at_ = 0, last_ = 0;
	bool met_ = false; /* by the document at_ */
};

} // namespace fulltext_cc

#endif
