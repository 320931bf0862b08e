/* pending.c - see pending.h. */
#include "store/pending.h"

#include <stdlib.h>

/* Make room for one more row of an array that doubles. */
#define GROW(array, count, room) \
	do { \
		if ((count) == (room)) { \
			(room) = (room) ? (room)*2 : 16; \
			(array) = realloc((array), (room) * sizeof(*(array))); \
			if (!(array)) \
				abort(); \
		} \
	} while (0)

struct pending_frame *pending_frame_new(uint32_t volume)
{
	struct pending_frame *f = xcalloc(1, sizeof(*f));

	f->frame.volume = volume;
	f->arena = arena_new((size_t)256 << 10);
	return f;
}

void pending_frame_free(struct pending_frame *f)
{
	if (!f)
		return;
	free(f->objects);
	free(f->keys);
	free(f->packs);
	free(f->deletes);
	free(f->heads);
	free(f->commits);
	arena_free(f->arena);
	free(f);
}

static struct frame_object *add_object(
	struct pending_frame *f, enum object_type type, const struct oid *oid, struct str content)
{
	struct frame_object *o;

	GROW(f->objects, f->frame.object_count, f->object_room);
	o = &f->objects[f->frame.object_count++];
	*o = (struct frame_object){ .type = type,
		.oid = *oid,
		.content = { arena_copy(f->arena, content.p, content.n), content.n } };
	f->frame.objects = f->objects;
	f->bytes += content.n;
	return o;
}

struct str pending_frame_add(
	struct pending_frame *f, enum object_type type, const struct oid *oid, struct str content)
{
	return add_object(f, type, oid, content)->content;
}

struct str pending_frame_add_envelope(struct pending_frame *f, const struct oid *oid,
	const struct digest *sha256, struct str content)
{
	struct frame_object *o = add_object(f, OBJECT_BLOB, oid, content);

	o->is_envelope = true;
	o->sha256 = arena_copy(f->arena, sha256, sizeof(*sha256));
	return o->content;
}

void pending_frame_add_key(struct pending_frame *f, const struct wrapped_key *key)
{
	GROW(f->keys, f->frame.key_count, f->key_room);
	f->keys[f->frame.key_count++] = *key;
	f->frame.keys = f->keys;
}

void pending_frame_add_pack(struct pending_frame *f, const struct oid *pack)
{
	GROW(f->packs, f->frame.pack_count, f->pack_room);
	f->packs[f->frame.pack_count++] = *pack;
	f->frame.packs = f->packs;
}

void pending_frame_add_delete(struct pending_frame *f, const struct id *key)
{
	GROW(f->deletes, f->frame.delete_count, f->delete_room);
	f->deletes[f->frame.delete_count++] = *key;
	f->frame.deletes = f->deletes;
}

void pending_frame_add_commit(struct pending_frame *f, const struct oid *commit)
{
	GROW(f->commits, f->commit_count, f->commit_room);
	f->commits[f->commit_count++] = (struct pending_action){ .commit = *commit };
}

void pending_frame_add_facts(struct pending_frame *f, const struct facts *facts)
{
	f->commits[f->commit_count - 1].facts = facts;
}

void pending_frame_add_head(struct pending_frame *f, struct pending_head *head)
{
	GROW(f->heads, f->head_count, f->head_room);
	f->heads[f->head_count++] = head;
}

void pending_init(struct pending *p)
{
	*p = (struct pending){ .first = NULL };
	p->last = &p->first;
	(void)pthread_rwlock_init(&p->lock, NULL);
}

void pending_done(struct pending *p)
{
	while (p->first) {
		struct pending_frame *next = p->first->next;

		pending_frame_free(p->first);
		p->first = next;
	}
	map_done(&p->objects);
	map_done(&p->keys);
	map_done(&p->heads);
	map_done(&p->numbers);
	map_done(&p->requests);
	(void)pthread_rwlock_destroy(&p->lock);
}

void pending_publish(struct pending *p, struct pending_frame *f)
{
	(void)pthread_rwlock_wrlock(&p->lock);
	for (size_t i = 0; i < f->frame.object_count; i++)
		(void)map_put(&p->objects, f->objects[i].oid.b, &f->objects[i]);
	for (size_t i = 0; i < f->frame.key_count; i++)
		(void)map_put(&p->keys, f->keys[i].key.b, &f->keys[i]);
	for (size_t i = 0; i < f->head_count; i++) {
		struct pending_head *h = f->heads[i];

		(void)map_put(&p->heads, h->head.record.b, h);
		(void)map_put(&p->numbers, h->number_key.b, h);
		if (h->has_request)
			(void)map_put(&p->requests, h->request.b, h);
	}
	*p->last = f;
	p->last = &f->next;
	p->frames++;
	p->bytes += f->bytes;
	(void)pthread_rwlock_unlock(&p->lock);
}

/* A later frame may have put its own row under the same key: that one stays. */
static void forget(struct map *m, const void *key, const void *mine)
{
	if (map_get(m, key) == mine)
		(void)map_put(m, key, NULL);
}

static void retire_one(struct pending *p)
{
	struct pending_frame *f = p->first;

	for (size_t i = 0; i < f->frame.object_count; i++)
		forget(&p->objects, f->objects[i].oid.b, &f->objects[i]);
	for (size_t i = 0; i < f->frame.key_count; i++)
		forget(&p->keys, f->keys[i].key.b, &f->keys[i]);
	for (size_t i = 0; i < f->head_count; i++) {
		struct pending_head *h = f->heads[i];

		forget(&p->heads, h->head.record.b, h);
		forget(&p->numbers, h->number_key.b, h);
		if (h->has_request)
			forget(&p->requests, h->request.b, h);
	}
	p->first = f->next;
	if (!p->first)
		p->last = &p->first;
	p->frames--;
	p->bytes -= f->bytes;
	pending_frame_free(f);
}

void pending_retire(struct pending *p, size_t count)
{
	(void)pthread_rwlock_wrlock(&p->lock);
	while (count-- > 0 && p->first)
		retire_one(p);
	(void)pthread_rwlock_unlock(&p->lock);
}

bool pending_object(
	struct pending *p, const struct oid *oid, enum object_type *ret_type, struct buf *ret)
{
	const struct frame_object *o;

	(void)pthread_rwlock_rdlock(&p->lock);
	o = map_get(&p->objects, oid->b);
	if (o && !oid_equal(&o->oid, oid))
		o = NULL; /* the map looks at the first 16 of 20 bytes */
	if (o) {
		if (ret_type)
			*ret_type = o->type;
		buf_add_str(ret, o->content);
	}
	(void)pthread_rwlock_unlock(&p->lock);
	return o != NULL;
}

bool pending_main(struct pending *p, uint32_t volume, struct oid *ret)
{
	bool found = false;

	(void)pthread_rwlock_rdlock(&p->lock);
	for (const struct pending_frame *f = p->first; f; f = f->next)
		if (f->frame.volume == volume) {
			*ret = f->frame.head;
			found = true;
		}
	(void)pthread_rwlock_unlock(&p->lock);
	return found;
}

bool pending_key(struct pending *p, const struct id *key, struct wrapped_key *ret)
{
	const struct wrapped_key *w;

	(void)pthread_rwlock_rdlock(&p->lock);
	w = map_get(&p->keys, key->b);
	if (w)
		*ret = *w;
	(void)pthread_rwlock_unlock(&p->lock);
	return w != NULL;
}

static bool copy_head(
	struct pending *p, const struct map *m, const void *key, struct record_head *ret)
{
	const struct pending_head *h;

	(void)pthread_rwlock_rdlock(&p->lock);
	h = map_get(m, key);
	if (h) {
		*ret = h->head;
		ret->number = xstrdup(h->head.number);
		ret->folder = xstrdup(h->head.folder);
	}
	(void)pthread_rwlock_unlock(&p->lock);
	return h != NULL;
}

bool pending_find(struct pending *p, const struct id *record, struct record_head *ret)
{
	return copy_head(p, &p->heads, record->b, ret);
}

bool pending_find_number(struct pending *p, struct str number, struct record_head *ret)
{
	struct map_key key = map_key(number.p, number.n);

	return copy_head(p, &p->numbers, key.b, ret);
}

bool pending_find_request(struct pending *p, const struct id *request, struct id *ret_record)
{
	const struct pending_head *h;

	(void)pthread_rwlock_rdlock(&p->lock);
	h = map_get(&p->requests, request->b);
	if (h)
		*ret_record = h->head.record;
	(void)pthread_rwlock_unlock(&p->lock);
	return h != NULL;
}
