/* workers.c - see workers.h: one queue, first come, first served. */
#include "www/workers.h"

#include "core/base/str.h"
#include "core/base/tr.h"

#include <pthread.h>
#include <stdlib.h>

struct job {
	workers_run *run;
	void *context;
	struct job *next;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last;
	unsigned waiting, room, count;
	bool ending;
	pthread_t threads[];
};

static void *work(void *context)
{
	struct workers *w = context;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		struct job *job;

		while (!w->first && !w->ending)
			(void)pthread_cond_wait(&w->more, &w->lock);
		job = w->first;
		if (!job)
			break;
		w->first = job->next;
		if (!w->first)
			w->last = &w->first;
		w->waiting--;
		(void)pthread_mutex_unlock(&w->lock);
		job->run(job->context);
		free(job);
		(void)pthread_mutex_lock(&w->lock);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

int workers_start(unsigned threads, unsigned room, struct workers **ret, struct err *err)
{
	struct workers *w = xcalloc(1, sizeof(*w) + threads * sizeof(w->threads[0]));

	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	w->last = &w->first;
	w->room = room;
	while (w->count < threads) {
		if (pthread_create(&w->threads[w->count], NULL, work, w) != 0) {
			workers_stop(w);
			return err_set(err, ERR_IO, tr("cannot start a thread"));
		}
		w->count++;
	}
	*ret = w;
	return 0;
}

static bool add(struct workers *w, workers_run *run, void *context, bool may_refuse)
{
	struct job *job = xcalloc(1, sizeof(*job));
	bool taken;

	*job = (struct job){ .run = run, .context = context };
	(void)pthread_mutex_lock(&w->lock);
	taken = !may_refuse || w->waiting < w->room;
	if (taken) {
		*w->last = job;
		w->last = &job->next;
		w->waiting++;
		(void)pthread_cond_signal(&w->more);
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (!taken)
		free(job);
	return taken;
}

bool workers_offer(struct workers *w, workers_run *run, void *context)
{
	return add(w, run, context, true);
}

void workers_continue(struct workers *w, workers_run *run, void *context)
{
	(void)add(w, run, context, false);
}

unsigned workers_waiting(struct workers *w)
{
	unsigned n;

	(void)pthread_mutex_lock(&w->lock);
	n = w->waiting;
	(void)pthread_mutex_unlock(&w->lock);
	return n;
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->ending = true;
	(void)pthread_cond_broadcast(&w->more);
	(void)pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->count; i++)
		(void)pthread_join(w->threads[i], NULL);
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}
