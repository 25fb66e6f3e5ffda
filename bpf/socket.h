// What the socket programs share: an address a socket names, and the backend it gets instead.
#pragma once

#include <linux/errno.h>
#include <linux/in.h>

#include "balance.h"

#define REFUSE 0
#define ALLOW  1

// ::ffff:a.b.c.d, which a dual-stack socket uses to speak IPv4.
static __always_inline bool is_v4_mapped(const struct bpf_sock_addr *ctx)
{
	return !ctx->user_ip6[0] && !ctx->user_ip6[1] && ctx->user_ip6[2] == bpf_htonl(0xffff);
}

// Node ports are open at the node's addresses for everyone here, and at 127.0.0.0/8 for the node's
// own sockets: a pod's loopback is the pod's.
static __always_inline bool is_here(struct bpf_sock_addr *ctx, __be32 address)
{
	if (is_node_address(address))
		return true;
	return (bpf_ntohl(address) >> 24) == 127 && bpf_get_netns_cookie(ctx) == node_netns_cookie;
}

static __always_inline enum lb_result balance_socket(struct bpf_sock_addr *ctx, __be32 address,
						     __u64 unconnected_socket,
						     struct lb_choice *choice)
{
	struct lb_service_key key = {
		.address = address,
		.port = ctx->user_port,
		.protocol = ctx->protocol,
		.scope = LB_INSIDE,
	};
	struct lb_client client = {
		.id = bpf_get_netns_cookie(ctx),
		.kind = LB_CLIENT_NETNS,
		.unconnected_socket = unconnected_socket,
	};

	if (is_node_port(key.port) && is_here(ctx, address))
		key.address = 0;
	return balance(&key, &client, choice);
}

// ECONNREFUSED, as from a host that has no such port; EPERM before Linux 5.18.
static __always_inline int refuse(enum lb_counter why)
{
	count(why);
	if (can_set_retval)
		bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}

// For an address without a Service: its range is ours alone, so nobody else can answer there.
static __always_inline int pass_or_refuse(__be32 address)
{
	return in_service_range(address) ? refuse(LB_REFUSED_NOT_ALLOCATED) : ALLOW;
}

// A socket connects. LB_PICKED: to the backend; what it asked for is kept in the socket.
static __always_inline enum lb_result connect_socket(struct bpf_sock_addr *ctx, __be32 address,
						     struct lb_backend *backend)
{
	struct lb_choice choice = {};
	enum lb_result result = balance_socket(ctx, address, 0, &choice);
	struct lb_peer peer = {
		.service_address = address,
		.service_port = ctx->user_port,
		.backend_address = choice.backend.address,
		.backend_port = choice.backend.port,
	};
	struct lb_peer *kept;

	if (result != LB_PICKED) {
		bpf_sk_storage_delete(&lb_peers, ctx->sk); // of an earlier connect
		return result;
	}
	kept = bpf_sk_storage_get(&lb_peers, ctx->sk, &peer, BPF_SK_STORAGE_GET_F_CREATE);
	if (kept)
		*kept = peer;
	*backend = choice.backend;
	return result;
}

// What a connected socket asked for when it got the backend at this address.
static __always_inline bool peer_of(struct bpf_sock_addr *ctx, __be32 address,
				    struct lb_endpoint *service)
{
	struct lb_peer *peer = bpf_sk_storage_get(&lb_peers, ctx->sk, 0, 0);

	if (!peer || peer->backend_address != address || peer->backend_port != ctx->user_port)
		return false;
	service->address = peer->service_address;
	service->port = peer->service_port;
	return true;
}

// What an unconnected UDP socket sent to when its datagram went to the backend at this address.
static __always_inline bool datagram_of(struct bpf_sock_addr *ctx, __be32 address,
					struct lb_endpoint *service)
{
	struct lb_datagram_key key = {
		.socket_cookie = bpf_get_socket_cookie(ctx),
		.backend_address = address,
		.backend_port = ctx->user_port,
	};
	struct lb_datagram *sent = bpf_map_lookup_elem(&lb_datagrams, &key);

	if (!sent)
		return false;
	service->address = sent->service_address;
	service->port = sent->service_port;
	return true;
}
