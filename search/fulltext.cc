/* fulltext.cc - the writing side: generations, shards, commits.
 *
 *  1 A document belongs to the shard that its record id says, always: replacing it finds the old
 * one. 2 All shards commit with the same watermark. A crash between two shards' commits leaves one
 * of them behind; the index's watermark is the one that is furthest behind, and what is fed again
 * from there replaces itself. 3 `current` changes only when the generation that it will name is
 * whole and synced. 4 No exception leaves this library: every entry ends in caught(). */
#include "search/fulltext_shard.hh"

extern "C" {
#include "core/base/file.h"
}

#include <memory>

#include <fcntl.h>

using namespace fulltext_cc;

struct fulltext {
	std::string path;
	struct fulltext_options options;
	std::unique_ptr<keyer> key;
	int lock = -1;
	struct generation generation = { 0, 0 };
	std::vector<std::unique_ptr<shard>> shards;
	uint64_t pending_documents = 0, pending_bytes = 0, revision = 1;

	~fulltext()
	{
		shards.clear();
		closep(&lock);
	}
};

namespace fulltext_cc
{

const char META_VERSION[] = "muniment-version", META_KEY[] = "muniment-key",
	   META_WATERMARK[] = "muniment-watermark";

keyer::keyer(const struct fulltext_options *options)
    : key_(options->unkeyed ? nullptr : secret_copy(options->key->p, options->key->n))
{
}

keyer::~keyer()
{
	secret_free(key_);
}

std::string keyer::term(enum term_kind kind, struct str text) const
{
	uint8_t hash[TERM_HASH_BYTES];

	if (!key_) {
		std::string plain(1, static_cast<char>(kind));
		return plain.append(text.p, text.n);
	}
	term_hash(key_->p, kind, text, hash);
	return std::string(reinterpret_cast<const char *>(hash), sizeof(hash));
}

uint64_t keyer::number(enum term_kind kind, struct str text) const
{
	uint8_t hash[TERM_HASH_BYTES];

	term_hash(key_->p, kind, text, hash);
	return get_be64(hash);
}

uint32_t keyer::mark(enum term_kind kind, struct str text) const
{
	uint32_t h = 2166136261u;

	if (key_)
		return mark(number(kind, text));
	for (const char c : term(kind, text))
		h = (h ^ static_cast<uint8_t>(c)) * 16777619u;
	return h;
}

std::string keyer::check() const
{
	return key_ ? term(TERM_ID, STR("which key this index was made with")) : "unkeyed";
}

std::string order_value(int64_t day, const struct id &record)
{
	uint8_t value[4 + ID_BYTES];

	put_be32(value, static_cast<uint32_t>(static_cast<int32_t>(day)) ^ 0x80000000u);
	memcpy(value + 4, record.b, ID_BYTES);
	return std::string(reinterpret_cast<const char *>(value), sizeof(value));
}

bool parse_order_value(const std::string &value, struct fulltext_key *ret)
{
	if (value.size() != 4 + ID_BYTES)
		return false;
	const uint8_t *p = reinterpret_cast<const uint8_t *>(value.data());
	ret->day = static_cast<int32_t>(get_be32(p) ^ 0x80000000u);
	memcpy(ret->record.b, p + 4, ID_BYTES);
	return true;
}

std::string folded(struct str text)
{
	_cleanup_(fold_done) struct fold fold;

	fold_init(&fold);
	if (fold_text(&fold, text, NULL) < 0)
		throw std::bad_alloc();
	const struct str value = str_trim(buf_str(&fold.text));
	return std::string(value.p, value.n);
}

int check_meta(const Xapian::Database &db, const keyer &keyer, struct err *err)
{
	if (db.get_metadata(META_VERSION) != std::to_string(TERMS_VERSION))
		return err_set(err, ERR_UNSUPPORTED,
			tr("the index was made by another version; rebuild it"));
	if (db.get_metadata(META_KEY) != keyer.check())
		return err_set(
			err, ERR_CRYPTO, tr("the index was made with another key; rebuild it"));
	return 0;
}

/* By name: Xapian's exceptions are not polymorphic. */
static int code_of(const Xapian::Error &e)
{
	static const struct {
		const char *type;
		int code;
	} codes[] = {
		{ "DatabaseLockError", ERR_LOCKED },
		{ "DatabaseVersionError", ERR_UNSUPPORTED },
		{ "DatabaseCorruptError", ERR_CORRUPT },
		{ "DatabaseNotFoundError", ERR_NOTFOUND },
	};
	const char *system = e.get_error_string();

	/* Xapian wraps what went wrong at first into the message of what it then could not do. */
	if ((system && strstr(system, "No space left")) ||
		e.get_msg().find("No space left") != std::string::npos)
		return ERR_FULL;
	for (const auto &c : codes)
		if (strcmp(e.get_type(), c.type) == 0)
			return c.code;
	return ERR_IO;
}

int caught(struct err *err) noexcept
{
	try {
		throw;
	} catch (const Xapian::Error &e) {
		return err_set(err, code_of(e), tr("the full-text index: %s"),
			e.get_description().c_str());
	} catch (const std::bad_alloc &) {
		return err_set(err, ERR_LIMIT, tr("out of memory in the full-text index"));
	} catch (const std::exception &e) {
		return err_set(err, ERR_IO, tr("the full-text index: %s"), e.what());
	} catch (...) {
		return err_set(err, ERR_IO, tr("the full-text index failed"));
	}
}

} // namespace fulltext_cc

static enum generation_which which_of(const struct fulltext_options *options)
{
	return options->which == FULLTEXT_REBUILD ? GENERATION_REBUILD : GENERATION_CURRENT;
}

static int open_shards(struct fulltext *ft, const struct generation *g, struct err *err)
{
	std::vector<std::unique_ptr<shard>> shards;

	for (unsigned k = 0; k < g->shards; k++) {
		_cleanup_(buf_done) struct buf path = BUF_INIT;

		generation_add_shard_path(&path, ft->path.c_str(), g, k);
		shards.emplace_back(new shard(path.p, *ft->key));
		int r = shards.back()->failure(err);
		if (r < 0)
			return r;
	}
	ft->shards = std::move(shards);
	ft->generation = *g;
	return 0;
}

static int open_index(struct fulltext *ft, struct err *err)
{
	enum generation_which which = which_of(&ft->options);
	struct generation g = { 0, ft->options.shards };
	struct err missing = ERR_INIT;
	int r;

	ft->lock = generation_lock(ft->path.c_str(), which, err);
	if (ft->lock < 0)
		return ft->lock;
	r = generation_read(ft->path.c_str(), which, &g, &missing);
	if (r == 0)
		return open_shards(ft, &g, err);
	if (r != -ERR_NOTFOUND) {
		if (err)
			*err = missing;
		return r;
	}
	/* Invariant 3: the shards are there before the name is. */
	r = generation_make(ft->path.c_str(), &g, err);
	if (r < 0)
		return r;
	r = open_shards(ft, &g, err);
	if (r < 0)
		return r;
	return generation_name(ft->path.c_str(), which, &g, err);
}

static int check_options(const struct fulltext_options *options, struct err *err)
{
	if (!options->unkeyed && (!options->key || options->key->n != TERM_KEY_BYTES))
		return err_set(
			err, ERR_CRYPTO, tr("the index needs a key of %d bytes"), TERM_KEY_BYTES);
	if (options->shards > FULLTEXT_SHARDS_MAX)
		return err_set(
			err, ERR_LIMIT, tr("an index has at most %d shards"), FULLTEXT_SHARDS_MAX);
	return 0;
}

int fulltext_open(const char *path, const struct fulltext_options *options, struct fulltext **ret,
	struct err *err)
{
	int r = check_options(options, err);

	if (r < 0)
		return r;
	try {
		std::unique_ptr<struct fulltext> ft(new struct fulltext);

		ft->path = path;
		ft->options = *options;
		ft->options.key = nullptr;
		if (ft->options.shards == 0)
			ft->options.shards = FULLTEXT_SHARDS_DEFAULT;
		ft->key.reset(new keyer(options));
		r = open_index(ft.get(), err);
		if (r < 0)
			return r;
		*ret = ft.release();
		return 0;
	} catch (...) {
		return caught(err);
	}
}

void fulltext_free(struct fulltext *ft)
{
	delete ft;
}

/* Invariant 1. Ids are random, so any of their bytes will do. */
static shard &shard_of(struct fulltext *ft, const struct id *record)
{
	return *ft->shards[get_be32(record->b + 4) % ft->shards.size()];
}

static std::string copy(struct str s)
{
	return s.n > 0 ? std::string(s.p, s.n) : std::string();
}

static job job_of(const struct fulltext_document *d)
{
	job j(job::PUT);

	j.record = d->record;
	j.day = d->day;
	j.series = copy(d->series);
	j.department = copy(d->department);
	j.type = copy(d->type);
	for (size_t i = 0; i < d->scope_count; i++)
		j.scopes.push_back(copy(d->scopes[i]));
	j.texts.reserve(d->text_count);
	for (size_t i = 0; i < d->text_count; i++) {
		j.texts.push_back({ d->texts[i].field, copy(d->texts[i].text) });
		j.bytes += d->texts[i].text.n;
	}
	return j;
}

static int check_document(const struct fulltext_document *d, struct err *err)
{
	if (d->scope_count > FULLTEXT_SCOPES_MAX)
		return err_set(
			err, ERR_LIMIT, tr("a record has at most %d scopes"), FULLTEXT_SCOPES_MAX);
	if (d->day < INT32_MIN || d->day > INT32_MAX || d->series.n > TERM_TEXT_MAX ||
		d->department.n > TERM_TEXT_MAX || d->type.n > TERM_TEXT_MAX)
		return err_set(
			err, ERR_LIMIT, tr("a code of the record is too long for the index"));
	return 0;
}

int fulltext_put(struct fulltext *ft, const struct fulltext_document *document, struct err *err)
{
	int r = check_document(document, err);

	if (r < 0)
		return r;
	try {
		shard &s = shard_of(ft, &document->record);

		r = s.failure(err);
		if (r < 0)
			return r;
		job j = job_of(document);
		ft->pending_documents++;
		ft->pending_bytes += j.bytes;
		s.push(std::move(j));
		return 0;
	} catch (...) {
		return caught(err);
	}
}

int fulltext_remove(struct fulltext *ft, const struct id *record, struct err *err)
{
	try {
		shard &s = shard_of(ft, record);
		int r = s.failure(err);

		if (r < 0)
			return r;
		job j(job::REMOVE);
		j.record = *record;
		ft->pending_documents++;
		s.push(std::move(j));
		return 0;
	} catch (...) {
		return caught(err);
	}
}

static int wait_all(struct fulltext *ft, struct err *err)
{
	int r = 0;

	for (auto &s : ft->shards) {
		int failed = s->wait(r == 0 ? err : nullptr);

		if (r == 0)
			r = failed;
	}
	return r;
}

int fulltext_commit(struct fulltext *ft, struct str watermark, struct err *err)
{
	if (watermark.n > FULLTEXT_WATERMARK_MAX)
		return err_set(err, ERR_LIMIT, tr("a watermark has at most %d bytes"),
			FULLTEXT_WATERMARK_MAX);
	try {
		/* All terms are made before any shard commits: a failure in one then leaves none
		 * ahead. */
		int r = wait_all(ft, err);

		if (r < 0)
			return r;
		for (auto &s : ft->shards) {
			job j(job::COMMIT);
			j.argument = copy(watermark);
			s->push(std::move(j));
		}
		r = wait_all(ft, err);
		if (r < 0)
			return r;
		ft->pending_documents = ft->pending_bytes = 0;
		ft->revision++;
		return 0;
	} catch (...) {
		return caught(err);
	}
}

/* Invariant 2: the shard that is furthest behind. */
static const shard &hindmost(const struct fulltext *ft)
{
	const shard *found = ft->shards[0].get();

	for (const auto &s : ft->shards)
		if (s->commits() < found->commits())
			found = s.get();
	return *found;
}

int fulltext_watermark(struct fulltext *ft, struct buf *ret, struct err *err)
{
	try {
		int r = wait_all(ft, err);

		if (r < 0)
			return r;
		const std::string &watermark = hindmost(ft).watermark();
		buf_add(ret, watermark.data(), watermark.size());
		return buf_check(ret, err);
	} catch (...) {
		return caught(err);
	}
}

void fulltext_pending(const struct fulltext *ft, uint64_t *ret_documents, uint64_t *ret_bytes)
{
	*ret_documents = ft->pending_documents;
	*ret_bytes = ft->pending_bytes;
}

uint64_t fulltext_revision(const struct fulltext *ft)
{
	return ft->revision;
}

int fulltext_count(struct fulltext *ft, uint64_t *ret_documents, struct err *err)
{
	try {
		uint64_t count = 0;
		int r = wait_all(ft, err);

		if (r < 0)
			return r;
		for (const auto &s : ft->shards)
			count += s->count();
		*ret_documents = count;
		return 0;
	} catch (...) {
		return caught(err);
	}
}

/* ---- going over to another generation ---- */

static int compact_into(struct fulltext *ft, const struct generation *g, struct err *err)
{
	for (unsigned k = 0; k < g->shards; k++) {
		_cleanup_(buf_done) struct buf path = BUF_INIT;
		job j(job::COMPACT);

		generation_add_shard_path(&path, ft->path.c_str(), g, k);
		j.argument = path.p;
		ft->shards[k]->push(std::move(j));
	}
	return wait_all(ft, err);
}

int fulltext_compact(struct fulltext *ft, struct err *err)
{
	try {
		struct generation g = { 0, static_cast<unsigned>(ft->shards.size()) };
		const std::string watermark = hindmost(ft).watermark();
		int r = fulltext_commit(ft, { watermark.data(), watermark.size() }, err);

		if (r < 0)
			return r;
		r = generation_make(ft->path.c_str(), &g, err);
		if (r < 0)
			return r;
		r = compact_into(ft, &g, err);
		if (r < 0)
			return r;
		r = generation_name(ft->path.c_str(), which_of(&ft->options), &g, err);
		if (r < 0)
			return r;
		ft->shards.clear();
		r = open_shards(ft, &g, err);
		if (r < 0)
			return r;
		ft->revision++;
		return generation_sweep(ft->path.c_str(), err);
	} catch (...) {
		return caught(err);
	}
}

int fulltext_swap_in(struct fulltext *ft, struct err *err)
{
	_cleanup_(closep) int lock = -1;
	int r;

	if (ft->options.which != FULLTEXT_REBUILD || ft->pending_documents > 0)
		return err_set(
			err, ERR_INVALID, tr("only a committed rebuild can replace the index"));
	try {
		lock = generation_lock(ft->path.c_str(), GENERATION_CURRENT, err);
		if (lock < 0)
			return lock;
		r = generation_name(ft->path.c_str(), GENERATION_CURRENT, &ft->generation, err);
		if (r < 0)
			return r;
		r = generation_unname(ft->path.c_str(), GENERATION_REBUILD, err);
		if (r < 0)
			return r;
		closep(&ft->lock);
		ft->lock = TAKE_FD(lock);
		ft->options.which = FULLTEXT_CURRENT;
		ft->revision++;
		return generation_sweep(ft->path.c_str(), err);
	} catch (...) {
		return caught(err);
	}
}

int fulltext_drop_rebuild(const char *path, struct err *err)
{
	_cleanup_(closep) int lock = generation_lock(path, GENERATION_REBUILD, err);
	_cleanup_(closep) int current = -1;
	int r;

	if (lock < 0)
		return lock;
	r = generation_unname(path, GENERATION_REBUILD, err);
	if (r < 0)
		return r;
	/* Sweeping while another process makes a generation would take it away: leave it to that
	 * one. */
	current = generation_lock(path, GENERATION_CURRENT, NULL);
	return current < 0 ? 0 : generation_sweep(path, err);
}
