/* fulltext.hh - what the C++ files of the full-text index share; nothing else includes it. */
#ifndef MUN_SEARCH_FULLTEXT_HH
#define MUN_SEARCH_FULLTEXT_HH

extern "C" {
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/tr.h"
#include "search/fulltext.h"
#include "search/generation.h"
#include "search/token.h"
}

#include <string>

#include <xapian.h>

namespace fulltext_cc
{

enum slot : Xapian::valueno {
	SLOT_ORDER =
		0, /* day (4 bytes, sortable), record id: the order of lists, and no two alike */
	SLOT_FACETS = 1 /* series NUL department NUL type */
};

/* Metadata of a shard. */
extern const char META_VERSION[], META_KEY[], META_WATERMARK[];

/* Terms under a key, or in clear for tests. */
class keyer
{
      public:
	keyer(const struct fulltext_options *options);
	~keyer();
	keyer(const keyer &) = delete;
	keyer &operator=(const keyer &) = delete;

	std::string term(enum term_kind kind, struct str text) const;
	/* Only with a key: the term's 8 bytes, as a number that sorts as they do. */
	uint64_t number(enum term_kind kind, struct str text) const;
	/* What stands for a term in the order of a document's words (fulltext_phrase.hh). */
	uint32_t mark(enum term_kind kind, struct str text) const;
	static uint32_t mark(uint64_t number)
	{
		return static_cast<uint32_t>(number >> 32);
	}
	bool is_keyed() const
	{
		return key_ != nullptr;
	}
	/* What a database made with this key holds, to tell another key. */
	std::string check() const;

      private:
	struct secret *key_;
};

std::string order_value(int64_t day, const struct id &record);
bool parse_order_value(const std::string &value, struct fulltext_key *ret);

/* From 1. */
inline int quarter_of_month(int month)
{
	return (month + 2) / 3;
}

/* A filter's value: folded, without spaces at its ends; what the query grammar does to what is
 * typed. */
std::string folded(struct str text);

/* Shards open for reading, versions and key checked; throws, or returns a negative code with err
 * set. */
int check_meta(const Xapian::Database &db, const keyer &keyer, struct err *err);

/* Turn the exception in flight into a code; to be called in catch (...). */
int caught(struct err *err) noexcept;

} // namespace fulltext_cc

#endif
