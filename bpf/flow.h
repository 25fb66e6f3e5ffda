// Conversations through a node port: a table that knows where each packet of one belongs.
//
// The client sends to the front (this node's address, the node port). On the way in the destination
// becomes the backend; if that is on another node, on the way out the source becomes nat (an
// address and port of this node), so that answers come back here. A backend on this node sees its
// client.
//
//            in: destination          routed            out: source
//   client ──────── front → backend ─────────▶ client → nat ────────── backend elsewhere
//          ◀─────── front ← backend ───────── client ← nat ──────────
//            out: source              routed            in: destination
#pragma once

#include "balance.h"
#include "packet.h"

// How long after its last packet a flow is over. Sources: nf_conntrack's defaults for UDP streams
// and unanswered SYNs; RFC 5382 for established TCP; 10 s after a close for what is still under
// way.
#define LB_UDP_IDLE_S	      120
#define LB_TCP_OPENING_IDLE_S 30
#define LB_TCP_IDLE_S	      (2 * 3600 + 4 * 60)
#define LB_TCP_CLOSED_IDLE_S  10

// Timestamps are written at most once in this time: a cache line is shared by all CPUs.
#define LB_TOUCH_NS LB_NS_PER_SECOND

#define LB_FLOW_CLOSED (LB_FLOW_CLIENT_FIN | LB_FLOW_BACKEND_FIN)

static __always_inline bool same_end(const struct lb_endpoint *a, const struct lb_endpoint *b)
{
	return a->address == b->address && a->port == b->port;
}

static __always_inline struct lb_flow_key flow_key(const struct lb_endpoint *a,
						   const struct lb_endpoint *b, __u8 protocol)
{
	bool in_order = a->address < b->address || (a->address == b->address && a->port <= b->port);
	const struct lb_endpoint *low = in_order ? a : b;
	const struct lb_endpoint *high = in_order ? b : a;

	return (struct lb_flow_key){
		.low_address = low->address,
		.high_address = high->address,
		.low_port = low->port,
		.high_port = high->port,
		.protocol = protocol,
	};
}

static __always_inline struct lb_flow *find_flow(const struct lb_endpoint *a,
						 const struct lb_endpoint *b, __u8 protocol)
{
	struct lb_flow_key key = flow_key(a, b, protocol);

	return bpf_map_lookup_elem(&lb_flows, &key);
}

static __always_inline bool put_flow(const struct lb_endpoint *a, const struct lb_endpoint *b,
				     __u8 protocol, const struct lb_flow *flow, __u64 flags)
{
	struct lb_flow_key key = flow_key(a, b, protocol);

	return put_recent(&lb_flows, &key, flow, flags);
}

static __always_inline void touch(struct lb_flow *flow, __u64 now)
{
	if (is_past(flow->used_at_ns, LB_TOUCH_NS, now))
		flow->used_at_ns = now;
}

static __always_inline void mark_entry(const struct lb_endpoint *a, const struct lb_endpoint *b,
				       __u8 protocol, enum lb_flow_state state)
{
	struct lb_flow *flow = find_flow(a, b, protocol);

	if (flow)
		__sync_fetch_and_or(&flow->state, state);
}

// Notes something about a flow in all its entries. Takes a copy of the flow.
static __always_inline void mark(const struct lb_flow *flow, __u8 protocol,
				 enum lb_flow_state state)
{
	if ((flow->state & state) == state)
		return;
	mark_entry(&flow->client, &flow->front, protocol, state);
	mark_entry(&flow->client, &flow->backend, protocol, state);
	if (flow->nat.port)
		mark_entry(&flow->nat, &flow->backend, protocol, state);
}

static __always_inline bool is_over(__u32 state, __u64 used_at_ns, __u8 protocol, __u64 now)
{
	__u64 limit_s = LB_TCP_IDLE_S;

	if (protocol == IPPROTO_UDP)
		limit_s = LB_UDP_IDLE_S;
	else if ((state & LB_FLOW_RESET) || (state & LB_FLOW_CLOSED) == LB_FLOW_CLOSED)
		limit_s = LB_TCP_CLOSED_IDLE_S;
	else if (!(state & LB_FLOW_ESTABLISHED))
		limit_s = LB_TCP_OPENING_IDLE_S;
	return is_past(used_at_ns, limit_s * LB_NS_PER_SECOND, now);
}

static __always_inline void forget_entry(const struct lb_endpoint *a, const struct lb_endpoint *b,
					 __u8 protocol, const struct lb_flow *owner)
{
	struct lb_flow_key key = flow_key(a, b, protocol);
	struct lb_flow *flow = bpf_map_lookup_elem(&lb_flows, &key);

	if (flow && same_end(&flow->client, &owner->client) &&
	    same_end(&flow->front, &owner->front))
		bpf_map_delete_elem(&lb_flows, &key);
}

// Removes all entries of a flow, and none that another has taken since. Takes a copy of the flow.
static __always_inline void forget(const struct lb_flow *flow, __u8 protocol)
{
	forget_entry(&flow->client, &flow->front, protocol, flow);
	forget_entry(&flow->client, &flow->backend, protocol, flow);
	if (flow->nat.port)
		forget_entry(&flow->nat, &flow->backend, protocol, flow);
}
