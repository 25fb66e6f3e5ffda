// Runs when an IPv6 UDP socket of the cgroup asks recvmsg(2) from where a datagram came. For IPv4
// peers (::ffff:a.b.c.d) that is the Service it asked, not the backend that answered. Always 1.
#include "socket.h"

SEC("cgroup/recvmsg6")
int recvmsg6(struct bpf_sock_addr *ctx)
{
	__be32 address = ctx->user_ip6[3];
	struct lb_endpoint service;

	if (!is_v4_mapped(ctx))
		return ALLOW;
	if (peer_of(ctx, address, &service) || datagram_of(ctx, address, &service)) {
		ctx->user_ip6[3] = service.address;
		ctx->user_port = service.port;
	}
	return ALLOW;
}

char _license[] SEC("license") = "GPL";
