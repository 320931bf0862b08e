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

/* British -ise as -ize, so that sterilisation and sterilization are one word. Not where other forms of the word go on
 * with s (supervision), nor in short ones (revise). */
static void respell(std::string *word)
{
	static const char *const endings[] = { "ise", "ised", "ises", "iser", "isers", "ising",
		"isation", "isations", "yse", "ysed", "ysing" };
	static const char *const others[] = { "conc", "prec", "prem", "prom", "superv" };
	enum { BEFORE_MIN = 4 };

	for (const char *ending : endings) {
		const size_t n = strlen(ending);
		if (word->size() < n + BEFORE_MIN ||
			word->compare(word->size() - n, n, ending) != 0)
			continue;
		const size_t before = word->size() - n;
		for (const char *other : others)
			if (word->compare(0, before, other) == 0)
				return;
		(*word)[before + 1] = 'z';
		return;
	}
}

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
		respell(&s->word);
		const std::string stem = s->english(s->word);
		if (stem.size() > room)
			return 0;
		memcpy(out, stem.data(), stem.size());
		return stem.size();
	} catch (...) {
		return 0;
	}
}
