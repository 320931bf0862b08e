/* fulltext_phrase.cc - see fulltext_phrase.hh. */
#include "search/fulltext_phrase.hh"

#include <algorithm>

#include <assert.h>

#include <sodium.h>

namespace fulltext_cc
{

std::string order_key(Xapian::docid document)
{
	uint8_t key[5] = { 'o' };

	put_be32(key + 1, document);
	return std::string(reinterpret_cast<const char *>(key), sizeof(key));
}

word_order::~word_order()
{
	if (!bytes_.empty())
		sodium_memzero(&bytes_[0], bytes_.size());
}

void word_order::clear()
{
	bytes_.clear();
	last_ = 0;
}

void word_order::add(uint32_t mark, uint32_t position)
{
	char bytes[9];
	size_t n = 0;

	assert(position >= last_);
	for (uint32_t left = position - last_;; left >>= 7) {
		bytes[n++] = static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		if (left <= 0x7f)
			break;
	}
	put_be32(reinterpret_cast<uint8_t *>(bytes) + n, mark);
	bytes_.append(bytes, n + 4);
	last_ = position;
}

/* One step of an order: false at its end, or where it is not well-formed. */
static bool read_step(const uint8_t **p, const uint8_t *end, uint32_t *position, uint32_t *ret_mark)
{
	uint32_t distance = 0;

	for (unsigned shift = 0; shift < 32; shift += 7) {
		if (*p == end)
			return false;
		const uint8_t byte = *(*p)++;
		distance |= static_cast<uint32_t>(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (end - *p < 4)
			return false;
		*position += distance;
		*ret_mark = get_be32(*p);
		*p += 4;
		return true;
	}
	return false;
}

/* Where in the order the phrase could begin, for each of its words. False when one of them is nowhere. */
static bool find_places(const std::string &bytes, const std::vector<phrase_word> &words,
	std::vector<std::vector<uint32_t>> *places)
{
	const uint8_t *p = reinterpret_cast<const uint8_t *>(bytes.data()), *end = p + bytes.size();
	bool wanted[256] = { false };
	uint32_t position = 0, mark;

	for (size_t i = 0; i < words.size(); i++) {
		wanted[words[i].mark & 0xff] = true;
		(*places)[i].clear();
	}
	while (read_step(&p, end, &position, &mark)) {
		if (!wanted[mark & 0xff])
			continue;
		for (size_t i = 0; i < words.size(); i++)
			if (words[i].mark == mark && position >= words[i].offset)
				(*places)[i].push_back(position - words[i].offset);
	}
	return std::none_of(places->begin(), places->end(),
		[](const std::vector<uint32_t> &of_word) { return of_word.empty(); });
}

bool phrase_is_in(const std::string &bytes, const std::vector<phrase_word> &words,
	std::vector<std::vector<uint32_t>> *places)
{
	places->resize(words.size());
	if (words.empty() || !find_places(bytes, words, places))
		return false;
	const std::vector<uint32_t> &rarest = *std::min_element(places->begin(), places->end(),
		[](const std::vector<uint32_t> &a, const std::vector<uint32_t> &b) {
			return a.size() < b.size();
		});
	return std::any_of(rarest.begin(), rarest.end(), [places](uint32_t place) {
		return std::all_of(places->begin(), places->end(),
			[place](const std::vector<uint32_t> &of_word) {
				return std::binary_search(of_word.begin(), of_word.end(), place);
			});
	});
}

phrase_source::phrase_source(const std::vector<phrase_word> &words) : words_(words)
{
}

void phrase_source::init(const Xapian::Database &db)
{
	db_ = db;
	at_ = 0;
	last_ = db.get_lastdocid();
}

Xapian::PostingSource *phrase_source::clone() const
{
	return new phrase_source(words_);
}

/* Ask about the document where it stands. */
bool phrase_source::has_phrase()
{
	met_ = at_ <= last_ && phrase_is_in(db_.get_metadata(order_key(at_)), words_, &places_);
	return met_;
}

void phrase_source::next(double)
{
	do
		at_++;
	while (at_ <= last_ && !has_phrase());
}

void phrase_source::skip_to(Xapian::docid document, double min_weight)
{
	if (document > at_) {
		at_ = document;
		(void)has_phrase();
	}
	if (!met_ && at_ <= last_)
		next(min_weight);
}

bool phrase_source::check(Xapian::docid document, double)
{
	if (document > at_) {
		at_ = document;
		(void)has_phrase();
	}
	return met_ || at_ > last_;
}

} // namespace fulltext_cc
