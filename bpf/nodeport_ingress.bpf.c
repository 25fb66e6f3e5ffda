// Runs for each packet that comes in by the node's uplink. What is for a node port goes to a
// backend, and what a backend elsewhere answers goes to the client: the destination changes, the
// node's own routing does the rest. Returns TC_NEXT (go on, changed or not) or TC_ACT_SHOT (drop).
#include "flow_start.h"

static __always_inline bool starts_connection(const struct packet *packet)
{
	return (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

// Whether a packet of a known client goes where its last one went. An established connection stays
// with its backend to the end; what can be moved without harm leaves a backend that is gone.
static __always_inline bool stays(const struct lb_flow *flow, const struct packet *packet,
				  __u64 now)
{
	if (packet->protocol == IPPROTO_TCP) {
		if (!starts_connection(packet))
			return true;
		if (flow->state & (LB_FLOW_CLOSED | LB_FLOW_RESET))
			return false; // a new connection from the same port
	} else if (is_over(flow->state, flow->used_at_ns, packet->protocol, now)) {
		return false;
	}
	return bpf_map_lookup_elem(&lb_backends, &flow->backend_id);
}

// Entries are evicted one by one: answers must find theirs. False: another conversation has it.
static __always_inline bool keep_answers(const struct lb_flow *flow, __u8 protocol, __u64 now)
{
	struct lb_flow *answers = find_flow(&flow->client, &flow->backend, protocol);

	if (!answers)
		return put_flow(&flow->client, &flow->backend, protocol, flow, BPF_NOEXIST);
	touch(answers, now);
	return same_end(&answers->front, &flow->front);
}

static __always_inline void note(const struct lb_flow *flow, const struct packet *packet)
{
	if (packet->protocol != IPPROTO_TCP)
		return;
	if (packet->tcp_flags & TCP_RST)
		mark(flow, packet->protocol, LB_FLOW_RESET);
	if (packet->tcp_flags & TCP_FIN)
		mark(flow, packet->protocol, LB_FLOW_CLIENT_FIN);
	if (!(packet->tcp_flags & TCP_SYN))
		mark(flow, packet->protocol, LB_FLOW_ESTABLISHED);
}

static __always_inline int from_client(struct __sk_buff *skb, const struct packet *packet)
{
	struct lb_flow *known = find_flow(&packet->source, &packet->destination, packet->protocol);
	__u64 now = bpf_ktime_get_ns();
	struct lb_service_key key = {
		.port = packet->destination.port,
		.protocol = packet->protocol,
		.scope = LB_OUTSIDE,
	};
	struct lb_client client = {.id = packet->source.address, .kind = LB_CLIENT_ADDRESS};
	struct lb_choice choice = {};
	struct lb_flow flow;

	if (known)
		flow = *known;
	if (known && same_end(&flow.client, &packet->source) && stays(&flow, packet, now) &&
	    keep_answers(&flow, packet->protocol, now)) {
		touch(known, now);
		note(&flow, packet);
		return replace(skb, packet, DESTINATION, &flow.backend) ? TC_NEXT : TC_ACT_SHOT;
	}
	if (packet->protocol == IPPROTO_TCP && !starts_connection(packet))
		return TC_NEXT; // the node resets what nobody knows
	if (balance(&key, &client, &choice) != LB_PICKED)
		return choice.service.flags & LB_NONE_LOCAL ? drop(LB_DROPPED_NONE_LOCAL) : TC_NEXT;
	if (start_flow(packet, &choice, &flow) != TC_NEXT)
		return TC_ACT_SHOT;
	return replace(skb, packet, DESTINATION, &flow.backend) ? TC_NEXT : TC_ACT_SHOT;
}

static __always_inline int from_backend(struct __sk_buff *skb, const struct packet *packet)
{
	struct lb_flow *known = find_flow(&packet->source, &packet->destination, packet->protocol);
	struct lb_flow flow;

	if (!known)
		return TC_NEXT;
	flow = *known;
	if (!same_end(&flow.backend, &packet->source) || !same_end(&flow.nat, &packet->destination))
		return TC_NEXT;
	touch(known, bpf_ktime_get_ns());
	return replace(skb, packet, DESTINATION, &flow.client) ? TC_NEXT : TC_ACT_SHOT;
}

// An error about a packet we sent on: it goes to whom that packet came from, and quotes what they
// sent.
static __always_inline int error_in(struct __sk_buff *skb, const struct packet *error)
{
	struct packet quoted = {};
	struct lb_endpoint sender;
	struct lb_flow *flow;

	if (error->icmp_type == ICMP_REDIRECT || !parse_quoted(skb, error, &quoted))
		return TC_NEXT;
	flow = find_flow(&quoted.source, &quoted.destination, quoted.protocol);
	if (!flow)
		return TC_NEXT;
	if (same_end(&flow->nat, &quoted.source))
		sender = flow->client;
	else if (same_end(&flow->front, &quoted.source))
		sender = flow->backend;
	else
		return TC_NEXT;
	if (!replace_quoted(skb, error, &quoted, SOURCE, &sender) ||
	    !replace_address(skb, error, DESTINATION, sender.address))
		return TC_ACT_SHOT;
	return TC_NEXT;
}

SEC("tc")
int nodeport_ingress(struct __sk_buff *skb)
{
	struct packet packet = {};
	enum packet_kind kind;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_NEXT;
	kind = parse(skb, ETH_HLEN, false, &packet);
	if (kind == PACKET_OTHER || !is_node_address(packet.destination.address))
		return TC_NEXT;
	if (kind == PACKET_ERROR)
		return error_in(skb, &packet);
	if (kind == PACKET_FRAGMENT) {
		count(LB_PASSED_FRAGMENT);
		return TC_NEXT;
	}
	if (is_node_port(packet.destination.port))
		return from_client(skb, &packet);
	if (is_nat_port(packet.destination.port))
		return from_backend(skb, &packet);
	return TC_NEXT;
}

char _license[] SEC("license") = "GPL";
