// Runs at connect(2) of an IPv4 socket of the cgroup, TCP or UDP. 1 lets it go on, to the address
// as it stands now; 0 refuses.
#include "socket.h"

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	__be32 address = ctx->user_ip4;
	struct lb_backend backend = {};

	switch (connect_socket(ctx, address, &backend)) {
	case LB_PICKED:
		ctx->user_ip4 = backend.address;
		ctx->user_port = backend.port;
		return ALLOW;
	case LB_NO_BACKEND:
		return refuse(LB_REFUSED_NO_ENDPOINTS);
	default:
		return pass_or_refuse(address);
	}
}

char _license[] SEC("license") = "GPL";
