// Runs for each packet that leaves by the node's uplink: the other half of nodeport_ingress. What a
// backend answers gets the front's address, what goes on to a backend elsewhere one of this node's.
// Returns TC_NEXT (go on, changed or not) or TC_ACT_SHOT (drop).
#include "flow.h"

static __always_inline int to_client(struct __sk_buff *skb, const struct packet *packet,
				     const struct lb_flow *flow)
{
	if (packet->protocol == IPPROTO_TCP) {
		if (packet->tcp_flags & TCP_RST)
			mark(flow, packet->protocol, LB_FLOW_RESET);
		if (packet->tcp_flags & TCP_FIN)
			mark(flow, packet->protocol, LB_FLOW_BACKEND_FIN);
	}
	return replace(skb, packet, SOURCE, &flow->front) ? TC_NEXT : TC_ACT_SHOT;
}

// The way back must exist before a packet goes: its entry may have been evicted, and its port taken
// by another client since; then this conversation is over, and the client's next packet starts
// anew.
static __always_inline int to_backend(struct __sk_buff *skb, const struct packet *packet,
				      const struct lb_flow *flow, __u64 now)
{
	struct lb_flow *back = find_flow(&flow->nat, &flow->backend, packet->protocol);

	if (!back) {
		put_flow(&flow->nat, &flow->backend, packet->protocol, flow, BPF_NOEXIST);
	} else if (!same_end(&back->client, &flow->client)) {
		forget(flow, packet->protocol);
		count(LB_DROPPED_NO_NAT_PORT);
		return TC_ACT_SHOT;
	} else {
		touch(back, now);
	}
	return replace(skb, packet, SOURCE, &flow->nat) ? TC_NEXT : TC_ACT_SHOT;
}

static __always_inline int translate(struct __sk_buff *skb, const struct packet *packet)
{
	struct lb_flow *known = find_flow(&packet->source, &packet->destination, packet->protocol);
	__u64 now = bpf_ktime_get_ns();
	struct lb_flow flow;

	if (!known)
		return TC_NEXT;
	flow = *known;
	if (same_end(&flow.backend, &packet->source) &&
	    same_end(&flow.client, &packet->destination)) {
		touch(known, now);
		return to_client(skb, packet, &flow);
	}
	if (flow.nat.port && same_end(&flow.client, &packet->source) &&
	    same_end(&flow.backend, &packet->destination)) {
		touch(known, now);
		return to_backend(skb, packet, &flow, now);
	}
	return TC_NEXT;
}

// An error for one end about a packet it sent: it quotes the packet as that end knows it.
static __always_inline int error_out(struct __sk_buff *skb, const struct packet *error)
{
	struct packet quoted = {};
	struct lb_endpoint asked;
	struct lb_flow *flow;

	if (!parse_quoted(skb, error, &quoted))
		return TC_NEXT;
	flow = find_flow(&quoted.source, &quoted.destination, quoted.protocol);
	if (!flow)
		return TC_NEXT;
	if (same_end(&flow->client, &quoted.source) &&
	    same_end(&flow->backend, &quoted.destination))
		asked = flow->front;
	else if (flow->nat.port && same_end(&flow->backend, &quoted.source))
		asked = flow->nat;
	else
		return TC_NEXT;
	if (error->icmp_type == ICMP_REDIRECT) {
		// The node forwards out of the uplink by which the packet came, so the kernel would
		// tell the sender of a shorter way; there is none, the way leads through our table.
		count(LB_DROPPED_REDIRECT);
		return TC_ACT_SHOT;
	}
	if (!replace_quoted(skb, error, &quoted, DESTINATION, &asked) ||
	    !replace_address(skb, error, SOURCE, asked.address))
		return TC_ACT_SHOT;
	return TC_NEXT;
}

SEC("tc")
int nodeport_egress(struct __sk_buff *skb)
{
	struct packet packet = {};
	enum packet_kind kind;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_NEXT;
	kind = parse(skb, ETH_HLEN, false, &packet);
	if (in_service_range(packet.destination.address)) {
		count(LB_DROPPED_SERVICE_RANGE);
		return TC_ACT_SHOT;
	}
	if (kind == PACKET_ERROR)
		return error_out(skb, &packet);
	return kind == PACKET_FLOW ? translate(skb, &packet) : TC_NEXT;
}

char _license[] SEC("license") = "GPL";
