// Starts a conversation: its backend, its port towards a backend elsewhere, its entries.
#pragma once

#include "flow.h"

#define NAT_PORT_TRIES	16
#define NAT_PORT_STRIDE 7919 // a prime, so that turns spread and each port has its turn

static __u32 nat_port_turn;

// Ports go round, so that one comes back as late as can be: the backend may be in TIME_WAIT. When
// the port whose turn it is is taken, any other is as good.
static __always_inline __be16 nat_port_of_try(int try, __u32 turn)
{
	__u32 number = try ? bpf_get_prandom_u32() : turn * NAT_PORT_STRIDE;
	__u32 ports = nat_port_max - nat_port_min + 1;

	return bpf_htons(nat_port_min + number % ports);
}

// The port in wanted->nat becomes the flow's, if it is free or its holder's conversation is over. A
// function of its own for the verifier, which looks at it once, not once a try.
__noinline int take_this_port(const struct lb_flow *wanted, __u8 protocol)
{
	struct lb_flow flow, over;
	struct lb_flow *holder;

	if (!wanted)
		return false;
	flow = *wanted; // map helpers of Linux 6.1 take no memory of the caller's
	if (put_flow(&flow.nat, &flow.backend, protocol, &flow, BPF_NOEXIST))
		return true;
	holder = find_flow(&flow.nat, &flow.backend, protocol);
	if (!holder || !is_over(holder->state, holder->used_at_ns, protocol, flow.used_at_ns))
		return false;
	over = *holder;
	forget(&over, protocol);
	return put_flow(&flow.nat, &flow.backend, protocol, &flow, BPF_NOEXIST);
}

static __always_inline bool take_nat_port(struct lb_flow *flow, __u8 protocol)
{
	__u32 turn = __sync_fetch_and_add(&nat_port_turn, 1);

	flow->nat.address = node_addresses[0];
	for (int i = 0; i < NAT_PORT_TRIES; i++) {
		flow->nat.port = nat_port_of_try(i, turn);
		if (take_this_port(flow, protocol))
			return true;
	}
	return false;
}

// A backend can tell one client's conversations apart by the client's port only. False: this client
// speaks to it from this port already, through another front.
static __always_inline bool take_pair(const struct lb_flow *flow, __u8 protocol)
{
	struct lb_flow *holder;

	if (put_flow(&flow->client, &flow->backend, protocol, flow, BPF_NOEXIST))
		return true;
	holder = find_flow(&flow->client, &flow->backend, protocol);
	if (holder && !same_end(&holder->front, &flow->front) &&
	    !is_over(holder->state, holder->used_at_ns, protocol, flow->used_at_ns))
		return false;
	return put_flow(&flow->client, &flow->backend, protocol, flow, BPF_ANY);
}

// Every new flow looks at two old ones and removes those that are over: the table holds little
// more than what lives, without anybody sweeping it, and idle flows are not pushed out by dead
// ones.
__noinline int turn_clock_once(__u64 now)
{
	struct lb_flow *entry, *answers;
	struct lb_flow_key key;
	struct lb_flow flow;

	if (bpf_map_pop_elem(&lb_flow_clock, &key))
		return 0;
	entry = bpf_map_lookup_elem(&lb_flows, &key);
	if (!entry)
		return 0;
	flow = *entry;
	answers = find_flow(&flow.client, &flow.backend, key.protocol);
	if (answers && is_past(flow.used_at_ns, 0, answers->used_at_ns))
		flow.used_at_ns = answers->used_at_ns;
	if (is_over(flow.state, flow.used_at_ns, key.protocol, now))
		forget(&flow, key.protocol);
	else
		bpf_map_push_elem(&lb_flow_clock, &key, BPF_EXIST);
	return 0;
}

static __always_inline int drop(enum lb_counter why)
{
	count(why);
	return TC_ACT_SHOT;
}

// The first packet of a client: picks its backend. TC_NEXT: the flow is filled in and in the table.
static __always_inline int start_flow(const struct packet *packet, const struct lb_choice *choice,
				      struct lb_flow *flow)
{
	struct lb_flow_key key = flow_key(&packet->source, &packet->destination, packet->protocol);
	bool is_new = !bpf_map_lookup_elem(&lb_flows, &key);

	*flow = (struct lb_flow){
		.client = packet->source,
		.front = packet->destination,
		.backend = {.address = choice->backend.address, .port = choice->backend.port},
		.used_at_ns = bpf_ktime_get_ns(),
		.backend_id = choice->backend.id,
	};
	if (!choice->backend.local && !take_nat_port(flow, packet->protocol))
		return drop(LB_DROPPED_NO_NAT_PORT);
	if (!take_pair(flow, packet->protocol)) {
		if (flow->nat.port)
			forget_entry(&flow->nat, &flow->backend, packet->protocol, flow);
		return drop(LB_DROPPED_AMBIGUOUS);
	}
	put_recent(&lb_flows, &key, flow, BPF_ANY);
	turn_clock_once(flow->used_at_ns);
	turn_clock_once(flow->used_at_ns);
	if (is_new)
		bpf_map_push_elem(&lb_flow_clock, &key, BPF_EXIST);
	return TC_NEXT;
}
