// Runs at getpeername(2) of an IPv6 socket of the cgroup. For IPv4 peers (::ffff:a.b.c.d) that is
// the Service it asked for, not the backend it got. Always 1.
#include "socket.h"

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *ctx)
{
	struct lb_endpoint service;

	if (is_v4_mapped(ctx) && peer_of(ctx, ctx->user_ip6[3], &service)) {
		ctx->user_ip6[3] = service.address;
		ctx->user_port = service.port;
	}
	return ALLOW;
}

char _license[] SEC("license") = "GPL";
