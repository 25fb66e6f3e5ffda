// Runs at getpeername(2) of an IPv4 socket of the cgroup: the Service it asked for, not the backend
// it got. Always 1.
#include "socket.h"

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *ctx)
{
	struct lb_endpoint service;

	if (peer_of(ctx, ctx->user_ip4, &service)) {
		ctx->user_ip4 = service.address;
		ctx->user_port = service.port;
	}
	return ALLOW;
}

char _license[] SEC("license") = "GPL";
