/* stem.cc - Xapian's Snowball stemmer behind a C face. */
extern "C" {
#include "search/stem.h"
}

#include <new>
#include <string>

#include <xapian.h>

struct stemmer {
	Xapian::Stem english{ "english" };
	std::string word;
};

struct stemmer *stemmer_new(void)
{
	try {
		return new stemmer;
	} catch (...) {
		return nullptr;
	}
}

void stemmer_free(struct stemmer *s)
{
	delete s;
}

size_t stemmer_english(struct stemmer *s, struct str word, char *out, size_t room)
{
	try {
		s->word.assign(word.p, word.n);
		const std::string stem = s->english(s->word);
		if (stem.size() > room)
			return 0;
		memcpy(out, stem.data(), stem.size());
		return stem.size();
	} catch (...) {
		return 0;
	}
}
