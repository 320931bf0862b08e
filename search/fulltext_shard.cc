/* fulltext_shard.cc - documents become terms, terms go into the shard.
 *
 * The cost of a document is nearly all in Xapian's in-memory inverter, which looks up every term in
 * a tree that does not fit the cache. So a document's terms are sorted and counted here first, and
 * each is handed over once, without its places: they are one string (fulltext_phrase.hh).
 *
 * Everything between two commits is one Xapian transaction: whatever XAPIAN_FLUSH_THRESHOLD says,
 * nothing is visible or durable before the commit that carries the watermark. */
#include "search/fulltext_shard.hh"

#include <algorithm>

#include <sodium.h>

namespace fulltext_cc
{

enum { TITLE_WDF = 3, TEXT_GAP = 100 };

job::~job()
{
	for (text &t : texts)
		if (!t.bytes.empty())
			sodium_memzero(&t.bytes[0], t.bytes.size());
}

/* ---- the terms of a document ---- */

indexer::indexer(const keyer &k) : keyer_(k), tokenizer_(tokenizer_new())
{
	if (!tokenizer_)
		throw std::bad_alloc();
}

indexer::~indexer()
{
	tokenizer_free(tokenizer_);
	if (!entries_.empty())
		sodium_memzero(entries_.data(), entries_.size() * sizeof(entry));
}

void indexer::add(enum term_kind kind, struct str text, uint32_t position, uint32_t wdf)
{
	uint32_t mark;

	if (keyer_.is_keyed()) {
		const uint64_t number = keyer_.number(kind, text);
		entries_.push_back({ number, wdf });
		mark = keyer::mark(number);
	} else {
		document_.add_term(keyer_.term(kind, text), wdf);
		mark = keyer_.mark(kind, text);
	}
	if (position > 0)
		order_.add(mark, position);
}

void indexer::on_token(void *context, const struct token *token)
{
	static_cast<indexer *>(context)->token(token);
}

void indexer::token(const struct token *token)
{
	const bool title = field_ == FULLTEXT_TITLE;
	const uint32_t wdf = token->kind == TERM_CODE_EDGE ? 0 : title ? TITLE_WDF : 1;

	saw_sensitive_ |= token->kind == TERM_SENSITIVE;
	if (!token->extra)
		add(token->kind, token->text, token->position, wdf);
	/* A title is short: it has every character, which also serves the weight of a query for one. */
	if (title && token->kind == TERM_WORD)
		add(TERM_TITLE, token->text, token->position, 1);
	else if (title && token->kind == TERM_STEM && !token->extra)
		add(TERM_TITLE_STEM, token->text, 0, 1);
}

/* A number as a whole, and its beginnings, unless a phone or identity number is in it. */
void indexer::add_number(struct str value)
{
	_cleanup_(fold_done) struct fold fold;
	_cleanup_(buf_wipe) struct buf canonical = BUF_INIT;
	size_t n = 0;

	fold_init(&fold);
	if (fold_text(&fold, value, NULL) < 0)
		throw std::bad_alloc();
	number_canonical(buf_str(&fold.text), &canonical);
	if (canonical.n == 0)
		return;
	add(TERM_NUMBER, buf_str(&canonical), 0, 1);
	while ((n = number_next_edge(buf_str(&canonical), n)) > 0)
		add(TERM_NUMBER_EDGE, { canonical.p, n }, 0, 0);
}

void indexer::add_sensitive(struct str value)
{
	_cleanup_(fold_done) struct fold fold;
	_cleanup_(buf_wipe) struct buf canonical = BUF_INIT;

	fold_init(&fold);
	if (fold_text(&fold, value, NULL) < 0)
		throw std::bad_alloc();
	number_canonical_sensitive(buf_str(&fold.text), &canonical);
	if (canonical.n > 0)
		add(TERM_SENSITIVE, buf_str(&canonical), 0, 0);
}

/* As much of a text as may still be indexed, not ending inside a number or a character. */
static struct str cut(const std::string &bytes, size_t left)
{
	size_t n = bytes.size();

	if (n <= left)
		return { bytes.data(), n };
	n = left;
	while (n > 0 &&
		((bytes[n] & 0xc0) == 0x80 || (bytes[n - 1] >= '0' && bytes[n - 1] <= '9') ||
			bytes[n - 1] == ' ' || bytes[n - 1] == '-'))
		n--;
	return { bytes.data(), n };
}

void indexer::add_text(const text &t, size_t *left)
{
	const struct str whole = cut(t.bytes, *left);

	*left -= whole.n;
	if (t.field == FULLTEXT_SENSITIVE) {
		add_sensitive(whole);
		return;
	}
	field_ = t.field;
	saw_sensitive_ = false;
	/* A number's beginnings come from the number as a whole. */
	static const unsigned flags[FULLTEXT_FIELD_COUNT] = { TOKEN_EDGES | TOKEN_ALL, 0,
		TOKEN_EDGES, 0 };
	if (tokenizer_run(tokenizer_, whole, flags[t.field], &position_, on_token, this, NULL) < 0)
		throw std::bad_alloc();
	position_ += TEXT_GAP;
	if (t.field == FULLTEXT_NUMBER && !saw_sensitive_)
		add_number(whole);
}

void indexer::add_facts(const job &j)
{
	const struct date date = date_of_day(j.day);
	char day[32];
	const auto filter = [this](enum term_kind kind, const std::string &value) {
		const std::string text = folded({ value.data(), value.size() });
		if (!text.empty())
			add(kind, { text.data(), text.size() }, 0, 0);
	};

	add(TERM_ID, { reinterpret_cast<const char *>(j.record.b), sizeof(j.record.b) }, 0, 0);
	filter(TERM_SERIES, j.series);
	filter(TERM_DEPARTMENT, j.department);
	filter(TERM_TYPE, j.type);
	for (const std::string &scope : j.scopes)
		add(TERM_SCOPE, { scope.data(), scope.size() }, 0, 0);
	(void)snprintf(day, sizeof(day), "%04d%02d%02d", date.year, date.month, date.day);
	add(TERM_YEAR, { day, 4 }, 0, 0);
	add(TERM_MONTH, { day, 6 }, 0, 0);
	add(TERM_DAY, { day, 8 }, 0, 0);
	(void)snprintf(day, sizeof(day), "%04d%d", date.year, quarter_of_month(date.month));
	add(TERM_QUARTER, { day, 5 }, 0, 0);
}

/* Hand the sorted terms over, each once. */
void indexer::finish()
{
	std::sort(entries_.begin(), entries_.end(),
		[](const entry &a, const entry &b) { return a.term < b.term; });
	for (size_t i = 0; i < entries_.size();) {
		const uint64_t number = entries_[i].term;
		uint8_t bytes[TERM_HASH_BYTES];
		Xapian::termcount wdf = 0;

		for (; i < entries_.size() && entries_[i].term == number; i++)
			wdf += entries_[i].wdf;
		put_be64(bytes, number);
		document_.add_term(
			std::string(reinterpret_cast<const char *>(bytes), sizeof(bytes)), wdf);
	}
	entries_.clear();
}

Xapian::Document indexer::document(const job &j)
{
	size_t left = FULLTEXT_TEXT_MAX;

	document_ = Xapian::Document();
	entries_.clear();
	order_.clear();
	position_ = 0;
	for (const text &t : j.texts)
		add_text(t, &left);
	add_facts(j);
	finish();
	document_.add_value(SLOT_ORDER, order_value(j.day, j.record));
	document_.add_value(SLOT_FACETS, j.series + '\0' + j.department + '\0' + j.type);
	Xapian::Document done;
	std::swap(done, document_);
	return done;
}

/* ---- the thread ---- */

shard::shard(const std::string &path, const keyer &k)
    : keyer_(k), db_(path, Xapian::DB_CREATE_OR_OPEN | Xapian::DB_BACKEND_GLASS)
{
	if (db_.get_metadata(META_VERSION).empty() && db_.get_doccount() == 0) {
		db_.set_metadata(META_VERSION, std::to_string(TERMS_VERSION));
		db_.set_metadata(META_KEY, keyer_.check());
		db_.commit();
	}
	if (check_meta(db_, keyer_, &error_) < 0)
		return;
	read_watermark();
	db_.begin_transaction();
	thread_ = std::thread(&shard::run, this, tr_language());
}

shard::~shard()
{
	if (thread_.joinable()) {
		push(job(job::STOP));
		thread_.join();
	}
	try {
		db_.close(); /* the open transaction is given up */
	} catch (...) {
	}
}

void shard::read_watermark()
{
	const std::string value = db_.get_metadata(META_WATERMARK);

	if (value.size() < 8)
		return;
	commits_ = get_be64(reinterpret_cast<const uint8_t *>(value.data()));
	watermark_ = value.substr(8);
}

void shard::push(job &&j)
{
	std::unique_lock<std::mutex> lock(mutex_);

	changed_.wait(lock, [this] {
		return queue_.empty() ||
		       (queue_.size() < QUEUE_JOBS_MAX && queued_bytes_ < QUEUE_BYTES_MAX);
	});
	queued_bytes_ += j.bytes;
	queue_.push_back(std::move(j));
	changed_.notify_all();
}

int shard::wait(struct err *err)
{
	std::unique_lock<std::mutex> lock(mutex_);

	changed_.wait(lock, [this] { return queue_.empty() && !busy_; });
	if (error_.code < 0 && err)
		*err = error_;
	return error_.code;
}

int shard::failure(struct err *err)
{
	std::lock_guard<std::mutex> lock(mutex_);

	if (error_.code < 0 && err)
		*err = error_;
	return error_.code;
}

void shard::commit(const std::string &watermark)
{
	uint8_t counter[8];

	put_be64(counter, commits_ + 1);
	db_.set_metadata(META_WATERMARK,
		std::string(reinterpret_cast<const char *>(counter), sizeof(counter)) + watermark);
	db_.commit_transaction();
	commits_++;
	watermark_ = watermark;
	db_.begin_transaction();
}

void shard::put(const std::string &id, const job &j, indexer &builder)
{
	const Xapian::docid document = db_.replace_document(id, builder.document(j));

	db_.set_metadata(order_key(document), builder.order());
}

void shard::remove(const std::string &id)
{
	const std::vector<Xapian::docid> documents(db_.postlist_begin(id), db_.postlist_end(id));

	for (const Xapian::docid document : documents)
		db_.set_metadata(order_key(document), "");
	db_.delete_document(id);
}

void shard::work(job &j, indexer &builder)
{
	const std::string id = keyer_.term(
		TERM_ID, { reinterpret_cast<const char *>(j.record.b), sizeof(j.record.b) });

	switch (j.kind) {
	case job::PUT:
		put(id, j, builder);
		break;
	case job::REMOVE:
		remove(id);
		break;
	case job::COMMIT:
		commit(j.argument);
		break;
	case job::COMPACT:
		/* Orders are kept under the documents' numbers. */
		db_.compact(j.argument, Xapian::DBCOMPACT_NO_RENUMBER);
		break;
	case job::STOP:
		break;
	}
}

/* After a failure the rest of the queue is thrown away: what the database holds then is unknown
 * until it is opened anew. */
void shard::run(enum tr_language language)
{
	std::unique_lock<std::mutex> lock(mutex_);

	tr_set_language(language);
	for (bool stop = false; !stop;) {
		changed_.wait(lock, [this] { return !queue_.empty(); });
		job j = std::move(queue_.front());
		queue_.pop_front();
		queued_bytes_ -= j.bytes;
		busy_ = true;
		stop = j.kind == job::STOP;
		if (error_.code == 0) {
			struct err err = ERR_INIT;

			changed_.notify_all();
			lock.unlock();
			try {
				if (!builder_)
					builder_.reset(new indexer(keyer_));
				work(j, *builder_);
			} catch (...) {
				(void)caught(&err);
			}
			lock.lock();
			error_ = err;
		}
		busy_ = false;
		changed_.notify_all();
	}
}

} // namespace fulltext_cc
