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

// Who asks: the client of sessionAffinity, and the socket if it speaks without connecting.
struct lb_client {
	__u64 id;
	__u32 kind;
	__u64 unconnected_socket; // its cookie; 0: none
};

// How long an unconnected socket that is silent keeps its backend: nf_conntrack's default for UDP.
#define LB_SOCKET_IDLE_S 120

#define LB_TRIES 3

// Keeps loads before it from being made after it.
#define lb_read_barrier() asm volatile("" ::: "memory")

static __always_inline bool same_key(const struct lb_service_key *a, const struct lb_service_key *b)
{
	return a->address == b->address && a->port == b->port && a->protocol == b->protocol &&
	       a->scope == b->scope;
}

enum lb_row {
	LB_ROW_NONE,
	LB_ROW_READ,
	LB_ROW_RECYCLED, // somebody else's by now; look again
};

static __always_inline enum lb_row read_service(const struct lb_service_key *key,
						struct lb_service *service)
{
	struct lb_service *row = bpf_map_lookup_elem(&lb_services, key);

	if (!row)
		return LB_ROW_NONE;
	service->id = row->id;
	service->backend_count = row->backend_count;
	service->affinity_timeout_s = row->affinity_timeout_s;
	service->flags = row->flags;
	lb_read_barrier();
	service->key = row->key;
	return same_key(&service->key, key) ? LB_ROW_READ : LB_ROW_RECYCLED;
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

// Whom this client's backend is remembered for, and how long. 0: not at all.
static __always_inline __u32 affinity_of(const struct lb_service *service,
					 const struct lb_client *client,
					 struct lb_affinity_key *key)
{
	bool by_socket = !service->affinity_timeout_s;

	key->service_id = service->id;
	key->client = by_socket ? client->unconnected_socket : client->id;
	key->kind = by_socket ? LB_CLIENT_SOCKET : client->kind;
	if (!by_socket)
		return service->affinity_timeout_s;
	return client->unconnected_socket ? LB_SOCKET_IDLE_S : 0;
}

// The backend this client had last, if that was within the time and it is still one.
static __always_inline bool stay(const struct lb_affinity_key *key, __u32 timeout_s,
				 struct lb_backend *backend)
{
	struct lb_affinity *last = bpf_map_lookup_elem(&lb_affinities, key);
	__u64 now = bpf_ktime_get_ns();

	if (!last || is_past(last->used_at_ns, timeout_s * LB_NS_PER_SECOND, now))
		return false;
	if (!read_backend(last->backend_id, key->service_id, backend))
		return false;
	last->used_at_ns = now;
	return true;
}

static __always_inline void remember(const struct lb_affinity_key *key, __u32 backend_id)
{
	struct lb_affinity value = {.used_at_ns = bpf_ktime_get_ns(), .backend_id = backend_id};

	put_recent(&lb_affinities, key, &value, BPF_ANY);
}

static __always_inline bool draw(const struct lb_service *service, struct lb_backend *backend)
{
	struct lb_slot_key key = {service->id, bpf_get_prandom_u32() % service->backend_count};
	struct lb_slot *row = bpf_map_lookup_elem(&lb_slots, &key);
	struct lb_slot slot;

	if (!row)
		return false;
	*(__u64 *)&slot = *(volatile __u64 *)row;
	return slot.service_id == service->id &&
	       read_backend(slot.backend_id, service->id, backend);
}

// False: the list has changed meanwhile.
static __always_inline bool pick(const struct lb_service *service, const struct lb_client *client,
				 struct lb_backend *backend)
{
	struct lb_affinity_key affinity = {};
	__u32 timeout_s = affinity_of(service, client, &affinity);

	if (timeout_s && stay(&affinity, timeout_s, backend))
		return true;
	if (!draw(service, backend))
		return false;
	if (timeout_s)
		remember(&affinity, backend->id);
	return true;
}

static __always_inline enum lb_result
balance(const struct lb_service_key *key, const struct lb_client *client, struct lb_choice *choice)
{
	struct lb_service *service = &choice->service;

	for (int i = 0; i < LB_TRIES; i++) {
		enum lb_row row = read_service(key, service);

		if (row == LB_ROW_NONE)
			return LB_NO_SERVICE;
		if (row == LB_ROW_READ && !service->backend_count)
			return LB_NO_BACKEND;
		if (row == LB_ROW_READ && pick(service, client, &choice->backend))
			return LB_PICKED;
		count(LB_RECYCLED_ROW);
	}
	return LB_NO_BACKEND;
}
