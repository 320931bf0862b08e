/* fulltext_shard.hh - one shard: a Xapian database, a thread that alone writes to it, and the queue
 * between. */
#ifndef MUN_SEARCH_FULLTEXT_SHARD_HH
#define MUN_SEARCH_FULLTEXT_SHARD_HH

#include "search/fulltext_phrase.hh"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fulltext_cc
{

/* Documents and bytes of text that wait at most; a single larger document waits alone. */
enum { QUEUE_JOBS_MAX = 64, QUEUE_BYTES_MAX = 8 << 20 };

struct text {
	enum fulltext_field field;
	std::string bytes;
};

struct job {
	enum kind { PUT, REMOVE, COMMIT, COMPACT, STOP } kind;
	struct id record {
	};
	int64_t day = 0;
	std::string series, department, type;
	std::vector<std::string> scopes;
	std::vector<text> texts;
	std::string argument; /* COMMIT: the watermark; COMPACT: the folder */
	size_t bytes = 0;

	job(enum kind k) : kind(k)
	{
	}
	job(job &&) = default;
	job &operator=(job &&) = default;
	~job();
};

/* Builds the terms of documents; the shard's thread has one. */
class indexer
{
      public:
	indexer(const keyer &k);
	~indexer();
	Xapian::Document document(const job &j);
	/* Of the words of the last document. */
	const std::string &order() const
	{
		return order_.bytes();
	}

      private:
	struct entry {
		uint64_t term;
		uint32_t wdf;
	};

	static void on_token(void *context, const struct token *token);
	void token(const struct token *token);
	void add(enum term_kind kind, struct str text, uint32_t position, uint32_t wdf);
	void add_text(const text &t, size_t *left);
	void add_number(struct str value);
	void add_sensitive(struct str value);
	void add_facts(const job &j);
	void finish();

	const keyer &keyer_;
	struct tokenizer *tokenizer_;
	Xapian::Document document_;
	std::vector<entry> entries_;
	word_order order_;
	enum fulltext_field field_ = FULLTEXT_BODY;
	uint32_t position_ = 0;
	bool saw_sensitive_ = false;
};

class shard
{
      public:
	/* Opens or makes the database at `path`. Check failed() before use. */
	shard(const std::string &path, const keyer &k);
	~shard();

	void push(job &&j);
	/* Wait until the queue is worked off; 0 or the first failure. */
	int wait(struct err *err);
	/* The first failure so far, without waiting. */
	int failure(struct err *err);

	/* Of the last commit; only when the queue is empty. */
	uint64_t commits() const
	{
		return commits_;
	}
	const std::string &watermark() const
	{
		return watermark_;
	}
	uint64_t count() const
	{
		return db_.get_doccount();
	}

      private:
	void run(enum tr_language language);
	void work(job &j, indexer &builder);
	void put(const std::string &id, const job &j, indexer &builder);
	void remove(const std::string &id);
	void commit(const std::string &watermark);
	void read_watermark();

	const keyer &keyer_;
	Xapian::WritableDatabase db_;
	std::unique_ptr<indexer> builder_; /* the thread's */
	uint64_t commits_ = 0;
	std::string watermark_;

	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<job> queue_;
	size_t queued_bytes_ = 0;
	bool busy_ = false;
	struct err error_ = ERR_INIT;
	std::thread thread_;
};

} // namespace fulltext_cc

#endif
