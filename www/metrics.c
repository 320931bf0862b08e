/* metrics.c - see metrics.h. */
#include "www/metrics.h"

static const unsigned step_ms[METRICS_STEPS - 1] = { 1, 5, 20, 100, 500, 2000, 10000 };

void metrics_count(struct metrics *m, unsigned status, int64_t nanoseconds)
{
	uint64_t ms = nanoseconds < 0 ? 0 : (uint64_t)nanoseconds / 1000000;
	size_t i = 0;

	while (i < METRICS_STEPS - 1 && ms >= step_ms[i])
		i++;
	atomic_fetch_add(&m->answers[status / 100 % METRICS_CLASSES], 1);
	atomic_fetch_add(&m->steps[i], 1);
	atomic_fetch_add(&m->micros, nanoseconds < 0 ? 0 : (uint64_t)nanoseconds / 1000);
}

static void say_one(struct buf *b, const char *name, const char *kind, const char *help, int64_t v)
{
	buf_addf(b, "# HELP muniment_%s %s\n# TYPE muniment_%s %s\nmuniment_%s %lld\n", name, help,
		name, kind, name, (long long)v);
}

void metrics_say(struct metrics *m, struct buf *b)
{
	uint64_t sum = 0, micros = atomic_load(&m->micros);

	buf_adds(b, "# HELP muniment_http_answers_total Answers by class of status.\n"
		    "# TYPE muniment_http_answers_total counter\n");
	for (size_t i = 1; i < METRICS_CLASSES; i++)
		buf_addf(b, "muniment_http_answers_total{class=\"%zuxx\"} %llu\n", i,
			(unsigned long long)atomic_load(&m->answers[i]));
	buf_adds(b, "# HELP muniment_http_seconds Time from the head of a request to its answer.\n"
		    "# TYPE muniment_http_seconds histogram\n");
	for (size_t i = 0; i < METRICS_STEPS; i++) {
		sum += atomic_load(&m->steps[i]);
		if (i < METRICS_STEPS - 1)
			buf_addf(b, "muniment_http_seconds_bucket{le=\"%u.%03u\"} %llu\n",
				step_ms[i] / 1000, step_ms[i] % 1000, (unsigned long long)sum);
	}
	buf_addf(b, "muniment_http_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)sum);
	buf_addf(b, "muniment_http_seconds_sum %llu.%06llu\nmuniment_http_seconds_count %llu\n",
		(unsigned long long)(micros / 1000000), (unsigned long long)(micros % 1000000),
		(unsigned long long)sum);
	say_one(b, "http_connections", "gauge", "Open connections.", atomic_load(&m->connections));
	say_one(b, "http_running", "gauge", "Requests at work.", atomic_load(&m->running));
	say_one(b, "http_waiting", "gauge", "Requests that wait for a worker.",
		atomic_load(&m->waiting));
	say_one(b, "http_refused_total", "counter", "Requests refused because too many waited.",
		(int64_t)atomic_load(&m->refused));
	say_one(b, "http_received_bytes_total", "counter", "Bytes of request bodies.",
		(int64_t)atomic_load(&m->bytes_in));
	say_one(b, "http_sent_bytes_total", "counter", "Bytes of answers' bodies.",
		(int64_t)atomic_load(&m->bytes_out));
}
