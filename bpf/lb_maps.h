// Every map and every setting of the programs, one page. Weak, so that each program's object may
// carry them and the linker keeps one.
#pragma once

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lb_types.h"

// Sizes here are defaults; the loader sets them (proxy/loader.h). Maps that hold what the API says
// are not preallocated: an empty cluster costs its hash buckets only.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct lb_service_key);
	__type(value, struct lb_service);
} lb_services SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, struct lb_slot_key);
	__type(value, struct lb_slot);
} lb_slots SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, __u32);
	__type(value, struct lb_backend);
} lb_backends SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct lb_affinity_key);
	__type(value, struct lb_affinity);
} lb_affinities SEC(".maps") __weak;

// In the socket itself: gone with it, and never evicted under a long-lived connection.
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lb_peer);
} lb_peers SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct lb_datagram_key);
	__type(value, struct lb_datagram);
} lb_datagrams SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct lb_flow_key);
	__type(value, struct lb_flow);
} lb_flows SEC(".maps") __weak;

// Flows in the order they are to be looked at again: the hand of a clock (flow.h).
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 65536);
	__type(value, struct lb_flow_key);
} lb_flow_clock SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __be32);
	__type(value, struct lb_pod);
} lb_pods SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} lb_counters SEC(".maps") __weak;

// Set by the loader before the programs are loaded; all in network order but the port ranges.
#define LB_NODE_ADDRESSES_MAX 8
const volatile __be32 service_range_address __weak = 0;
const volatile __be32 service_range_mask __weak = ~0U; // of 0.0.0.0/32: no range
const volatile __be32 node_addresses[LB_NODE_ADDRESSES_MAX] __weak = {};
const volatile __u32 node_address_count __weak = 0;
const volatile __u16 node_port_min __weak = 30000;
const volatile __u16 node_port_max __weak = 32767;
const volatile __u16 nat_port_min __weak = 10000;
const volatile __u16 nat_port_max __weak = 29999;
const volatile __u64 node_netns_cookie __weak = 0; // bpf_get_netns_cookie() of the node's namespace
const volatile bool can_set_retval __weak = true;  // bpf_set_retval() exists: since Linux 5.18

static __always_inline void count(enum lb_counter counter)
{
	__u32 key = counter;
	__u64 *value = bpf_map_lookup_elem(&lb_counters, &key);

	if (value)
		*value += 1;
}

// Puts an entry into an LRU map and looks at it once: what nobody has looked at yet is the first to
// be evicted, the newest not excepted (kernel/bpf/bpf_lru_list.c: unreferenced nodes go to the
// inactive list, behind those that rotate into it).
static __always_inline bool put_recent(void *map, const void *key, const void *value, __u64 flags)
{
	return !bpf_map_update_elem(map, key, value, flags) && bpf_map_lookup_elem(map, key);
}

#define LB_NS_PER_SECOND 1000000000ULL

// Whether more than so long has passed between two times; not if the second is a little before the
// first, for another CPU may have taken it.
static __always_inline bool is_past(__u64 used_at_ns, __u64 limit_ns, __u64 now)
{
	return (__s64)(now - used_at_ns) > (__s64)limit_ns;
}

static __always_inline bool in_service_range(__be32 address)
{
	return (address & service_range_mask) == service_range_address;
}

static __always_inline bool is_node_address(__be32 address)
{
	for (__u32 i = 0; i < LB_NODE_ADDRESSES_MAX; i++)
		if (i < node_address_count && node_addresses[i] == address)
			return true;
	return false;
}

static __always_inline bool is_node_port(__be16 port)
{
	return bpf_ntohs(port) >= node_port_min && bpf_ntohs(port) <= node_port_max;
}

static __always_inline bool is_nat_port(__be16 port)
{
	return bpf_ntohs(port) >= nat_port_min && bpf_ntohs(port) <= nat_port_max;
}
