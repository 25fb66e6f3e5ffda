// A node port belongs to its Service: nobody else listens there.
#pragma once

#include <linux/errno.h>

#include "balance.h"

// 0 refuses with EADDRINUSE (EPERM before Linux 5.18), 1 lets the socket have the port.
static __always_inline int guard_port(struct bpf_sock *ctx)
{
	struct lb_service_key key = {
		.port = bpf_htons((__u16)ctx->src_port),
		.protocol = ctx->protocol,
		.scope = LB_OUTSIDE,
	};
	struct lb_service service;

	if (!is_node_port(key.port) || bpf_get_netns_cookie(ctx) != node_netns_cookie)
		return 1;
	if (read_service(&key, &service) != LB_ROW_READ)
		return 1;
	count(LB_REFUSED_BIND);
	if (can_set_retval)
		bpf_set_retval(-EADDRINUSE);
	return 0;
}
