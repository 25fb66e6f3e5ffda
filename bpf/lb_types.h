// Keys and values of the balancer's maps: the only header the programs share with C++.
// Addresses and ports are in network order, times in nanoseconds of the monotonic clock.
#pragma once

#include <linux/types.h>

// Counts layouts. Maps of another layout are pinned elsewhere, so that old programs keep theirs.
#define LB_LAYOUT 1

// Who asks for the address: a socket of this node or its pods, or a packet from the network.
enum lb_scope {
	LB_INSIDE = 0,
	LB_OUTSIDE = 1,
};

// A node port is a row of address 0: it is open at every address of the node.
struct lb_service_key {
	__be32 address;
	__be16 port;
	__u8 protocol; // IPPROTO_TCP or IPPROTO_UDP
	__u8 scope;    // lb_scope
};

enum lb_service_flag {
	// There are endpoints, but the traffic policy is Local and none is on this node.
	LB_NONE_LOCAL = 1,
};

// The key is repeated, and first: memory of a replaced row may be given to another key while a
// reader still looks at it, and this is how the reader notices (balance.h).
struct lb_service {
	struct lb_service_key key;
	__u32 id;
	__u32 backend_count;	  // slots 0 … backend_count - 1 exist
	__u32 affinity_timeout_s; // 0: sessionAffinity None
	__u32 flags;		  // lb_service_flag
};

struct lb_slot_key {
	__u32 service_id;
	__u32 index;
};

// Eight bytes, so that a reader gets both or neither.
struct lb_slot {
	__u32 service_id;
	__u32 backend_id;
};

// Key: the id. A backend belongs to one service; its row never changes, only comes and goes.
struct lb_backend {
	__u32 id;
	__u32 service_id;
	__be32 address;
	__be16 port;
	__u8 local; // 1: on this node
	__u8 reserved;
};

// Whom a client's backend is remembered for.
enum lb_client_kind {
	LB_CLIENT_NETNS = 0,   // sessionAffinity ClientIP of a socket here: it has no address yet
	LB_CLIENT_ADDRESS = 1, // … of a packet from outside
	LB_CLIENT_SOCKET =
		2, // an unconnected UDP socket: one conversation, whatever the Service's affinity
};

struct lb_affinity_key {
	__u64 client; // the namespace's cookie, IPv4 address, the socket's cookie
	__u32 service_id;
	__u32 kind; // lb_client_kind
};

struct lb_affinity {
	__u64 used_at_ns;
	__u32 backend_id;
	__u32 reserved;
};

// Stored in a connected socket: what it asked for and what it got.
struct lb_peer {
	__be32 service_address;
	__be32 backend_address;
	__be16 service_port;
	__be16 backend_port;
};

// An unconnected UDP socket may talk to many Services; this finds the one a datagram came back
// from.
struct lb_datagram_key {
	__u64 socket_cookie;
	__be32 backend_address;
	__be16 backend_port;
	__u16 reserved;
};

struct lb_datagram {
	__be32 service_address;
	__be16 service_port;
	__u16 reserved;
};

struct lb_endpoint {
	__be32 address;
	__be16 port;
	__u16 reserved;
};

// Two ends in the order of their numbers, so that both directions have one key.
struct lb_flow_key {
	__be32 low_address;
	__be32 high_address;
	__be16 low_port;
	__be16 high_port;
	__u8 protocol;
	__u8 reserved[3];
};

enum lb_flow_state {
	LB_FLOW_ESTABLISHED = 1, // TCP: the client has answered the backend's SYN
	LB_FLOW_CLIENT_FIN = 2,
	LB_FLOW_BACKEND_FIN = 4,
	LB_FLOW_RESET = 8,
};

// One conversation through a node port. It is found by each pair of ends a packet can carry:
// client and front, client and backend, and (backend on another node) nat and backend.
struct lb_flow {
	struct lb_endpoint client;
	struct lb_endpoint front; // the node's address and node port that the client speaks to
	struct lb_endpoint backend;
	struct lb_endpoint nat; // what the backend takes for its client; port 0: the client itself
	__u64 used_at_ns;
	__u32 backend_id;
	__u32 state; // lb_flow_state
};

// A pod of this node, by its address: where its packets can be handed in directly.
struct lb_pod {
	__u32 ifindex; // of the node's end of its veth
	__u8 mac[6];   // of the pod's end
	__u16 reserved;
};

// What was counted, one slot each in lb_counters.
enum lb_counter {
	LB_REFUSED_NO_ENDPOINTS,  // connect or send to a Service without endpoints
	LB_REFUSED_NOT_ALLOCATED, // … to an address or port of the service range that no Service
				  // has
	LB_REFUSED_BIND,	  // bind to a port that is a node port
	LB_DROPPED_NONE_LOCAL,	  // externalTrafficPolicy Local, no endpoint here
	LB_DROPPED_NO_NAT_PORT,	  // no port free towards that backend
	LB_DROPPED_AMBIGUOUS,	  // the client already talks to that backend from the same port
	LB_DROPPED_SERVICE_RANGE, // a packet to a Service address was about to leave the node
	LB_DROPPED_REDIRECT,	  // an ICMP redirect that spoke of a backend
	LB_PASSED_FRAGMENT,	  // fragments are not translated
	LB_RECYCLED_ROW,	  // a reader met memory given to another key, and looked again
	LB_COUNTER_COUNT,
};

#define LB_ASSERT_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), #type)
LB_ASSERT_SIZE(lb_service_key, 8);
LB_ASSERT_SIZE(lb_service, 24);
LB_ASSERT_SIZE(lb_slot_key, 8);
LB_ASSERT_SIZE(lb_slot, 8);
LB_ASSERT_SIZE(lb_backend, 16);
LB_ASSERT_SIZE(lb_affinity_key, 16);
LB_ASSERT_SIZE(lb_affinity, 16);
LB_ASSERT_SIZE(lb_peer, 12);
LB_ASSERT_SIZE(lb_datagram_key, 16);
LB_ASSERT_SIZE(lb_datagram, 8);
LB_ASSERT_SIZE(lb_endpoint, 8);
LB_ASSERT_SIZE(lb_flow_key, 16);
LB_ASSERT_SIZE(lb_flow, 48);
LB_ASSERT_SIZE(lb_pod, 12);
#undef LB_ASSERT_SIZE
