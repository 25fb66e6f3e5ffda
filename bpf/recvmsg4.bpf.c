// Runs when a UDP socket of the cgroup asks recvmsg(2) from where a datagram came: the Service it
// asked, not the backend that answered. Always 1.
#include "socket.h"

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *ctx)
{
	__be32 address = ctx->user_ip4;
	struct lb_endpoint service;

	if (peer_of(ctx, address, &service) || datagram_of(ctx, address, &service)) {
		ctx->user_ip4 = service.address;
		ctx->user_port = service.port;
	}
	return ALLOW;
}

char _license[] SEC("license") = "GPL";
