// Finds the Service behind an address and picks one of its backends.
//
// User space changes rows while programs read them, and memory of a removed hash element may go to
// another key at once. So every row repeats what it was looked up by, readers copy first and
// compare last, and start again when they meet somebody else's row.
#pragma once

#include "lb_maps.h"

enum lb_result {
	LB_NO_SERVICE,
	LB_NO_BACKEND,
	LB_PICKED,
};

struct lb_choice {
	struct lb_service service;
	struct lb_backend backend;
};

#define LB_TRIES	 3
#define LB_NS_PER_SECOND 1000000000ULL

// Keeps loads before it from being made after it.
#define lb_read_barrier() asm volatile("" ::: "memory")

static __always_inline bool same_key(const struct lb_service_key *a, const struct lb_service_key *b)
{
	return a->address == b->address && a->port == b->port && a->protocol == b->protocol &&
	       a->scope == b->scope;
}

static __always_inline bool read_service(const struct lb_service_key *key,
					 struct lb_service *service)
{
	for (int i = 0; i < LB_TRIES; i++) {
		struct lb_service *row = bpf_map_lookup_elem(&lb_services, key);

		if (!row)
			return false;
		service->id = row->id;
		service->backend_count = row->backend_count;
		service->affinity_timeout_s = row->affinity_timeout_s;
		service->flags = row->flags;
		lb_read_barrier();
		service->key = row->key;
		if (same_key(&service->key, key))
			return true;
		count(LB_RECYCLED_ROW);
	}
	return false;
}

// False: there is no such backend, or it is another Service's.
static __always_inline bool read_backend(__u32 id, __u32 service_id, struct lb_backend *backend)
{
	struct lb_backend *row = bpf_map_lookup_elem(&lb_backends, &id);

	if (!row)
		return false;
	backend->address = row->address;
	backend->port = row->port;
	backend->local = row->local;
	lb_read_barrier();
	backend->id = row->id;
	backend->service_id = row->service_id;
	return backend->id == id && backend->service_id == service_id;
}

// The backend this client had last, if that was within the Service's timeout and it is still one.
static __always_inline bool stay(const struct lb_service *service, __u64 client,
				 struct lb_backend *backend)
{
	struct lb_affinity_key key = {.client = client, .service_id = service->id};
	struct lb_affinity *last = bpf_map_lookup_elem(&lb_affinities, &key);
	__u64 now = bpf_ktime_get_ns();

	if (!last || now - last->used_at_ns > service->affinity_timeout_s * LB_NS_PER_SECOND)
		return false;
	if (!read_backend(last->backend_id, service->id, backend))
		return false;
	last->used_at_ns = now;
	return true;
}

static __always_inline void remember(const struct lb_service *service, __u64 client,
				     __u32 backend_id)
{
	struct lb_affinity_key key = {.client = client, .service_id = service->id};
	struct lb_affinity value = {.used_at_ns = bpf_ktime_get_ns(), .backend_id = backend_id};

	put_recent(&lb_affinities, &key, &value, BPF_ANY);
}

static __always_inline bool draw(const struct lb_service *service, __u32 number,
				 struct lb_backend *backend)
{
	struct lb_slot_key key = {service->id, number % service->backend_count};
	struct lb_slot *row = bpf_map_lookup_elem(&lb_slots, &key);
	struct lb_slot slot;

	if (!row)
		return false;
	*(__u64 *)&slot = *(volatile __u64 *)row;
	return slot.service_id == service->id &&
	       read_backend(slot.backend_id, service->id, backend);
}

// number: random where each call shall be balanced anew, constant where it shall not.
static __always_inline enum lb_result balance(const struct lb_service_key *key, __u64 client,
					      __u32 number, struct lb_choice *choice)
{
	struct lb_service *service = &choice->service;

	for (int i = 0; i < LB_TRIES; i++) {
		if (!read_service(key, service))
			return LB_NO_SERVICE;
		if (!service->backend_count)
			return LB_NO_BACKEND;
		if (service->affinity_timeout_s && stay(service, client, &choice->backend))
			return LB_PICKED;
		if (draw(service, number + i, &choice->backend)) {
			if (service->affinity_timeout_s)
				remember(service, client, choice->backend.id);
			return LB_PICKED;
		}
		count(LB_RECYCLED_ROW);
	}
	return LB_NO_BACKEND;
}
