/* The order of a document's words, and phrases in it. */
extern "C" {
#include "tests/harness.h"
}

#include "search/fulltext_phrase.hh"

using namespace fulltext_cc;

static bool met(const std::string &bytes, const std::vector<phrase_word> &words)
{
	std::vector<std::vector<uint32_t>> places;

	return phrase_is_in(bytes, words, &places);
}

START_TEST(every_word_stands_where_the_phrase_says)
{
	word_order order;

	order.add(7, 1);
	order.add(8, 2);
	order.add(9, 2); /* two terms of one place */
	order.add(7, 3);
	order.add(7, 4);
	order.add(9, 5);
	ck_assert(met(order.bytes(), { { 7, 0 } }));
	ck_assert(met(order.bytes(), { { 7, 0 }, { 8, 1 } }));
	ck_assert(met(order.bytes(), { { 7, 0 }, { 9, 1 }, { 7, 2 } }));
	ck_assert(met(order.bytes(), { { 7, 0 }, { 7, 1 }, { 9, 2 } }));
	ck_assert(met(order.bytes(), { { 8, 0 }, { 9, 0 } }));
	ck_assert(met(order.bytes(), { { 8, 0 }, { 9, 3 } }));
	/* All are there, but not so. */
	ck_assert(!met(order.bytes(), { { 8, 0 }, { 7, 3 } }));
	ck_assert(!met(order.bytes(), { { 8, 0 }, { 9, 2 } }));
	ck_assert(!met(order.bytes(), { { 9, 0 }, { 7, 3 } }));
	ck_assert(!met(order.bytes(), { { 7, 0 }, { 7, 1 }, { 7, 2 } }));
	/* Nor would the phrase begin before the first place. */
	ck_assert(!met(order.bytes(), { { 8, 0 }, { 7, 9 } }));
	ck_assert(!met(order.bytes(), { { 6, 0 } }));
	ck_assert(!met(order.bytes(), {}));
	ck_assert(!met("", { { 7, 0 } }));
	order.clear();
	ck_assert(order.bytes().empty());
}
END_TEST

START_TEST(places_may_be_far_apart)
{
	static const uint32_t places[] = { 1, 128, 129, 256, 16640, 3000000, 3000001, 4294967295 };
	word_order order;

	for (const uint32_t place : places)
		order.add(place ^ 0xabcdef01, place);
	for (const uint32_t a : places)
		for (const uint32_t b : places)
			ck_assert(b < a || met(order.bytes(), { { a ^ 0xabcdef01, 0 },
								      { b ^ 0xabcdef01, b - a } }));
}
END_TEST

/* Whatever is cut or changed, reading ends where the bytes do. */
START_TEST(what_is_not_well_formed_ends_there)
{
	word_order order;

	order.add(7, 1);
	order.add(8, 2000);
	for (size_t n = 0; n < order.bytes().size(); n++) {
		const std::string cut = order.bytes().substr(0, n);

		ck_assert(!met(cut, { { 8, 0 } }));
		ck_assert(met(cut, { { 7, 0 } }) == (n >= 5));
	}
	ck_assert(!met(std::string(9, '\xff'), { { 0xffffffff, 0 } }));
	for (size_t i = 0; i < order.bytes().size(); i++)
		for (unsigned byte = 0; byte < 256; byte++) {
			std::string changed = order.bytes();
			changed[i] = static_cast<char>(byte);
			(void)met(changed, { { 7, 0 }, { 8, 1999 } });
		}
}
END_TEST

TESTS("search/phrase", every_word_stands_where_the_phrase_says, places_may_be_far_apart,
	what_is_not_well_formed_ends_there)
