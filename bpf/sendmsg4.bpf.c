// Runs at sendmsg(2) of a UDP socket of the cgroup that names an IPv4 address, each time; for
// ::ffff:a.b.c.d too, which the kernel sends through here. 1 lets the datagram go, to the address
// as it stands now; 0 refuses.
#include "socket.h"

// Remembers which Service the backend stands for, so that its answer can be shown as the Service's.
static __always_inline int send_to(struct bpf_sock_addr *ctx, const struct lb_backend *backend)
{
	struct lb_datagram_key key = {
		.socket_cookie = bpf_get_socket_cookie(ctx),
		.backend_address = backend->address,
		.backend_port = backend->port,
	};
	struct lb_datagram asked = {
		.service_address = ctx->user_ip4,
		.service_port = ctx->user_port,
	};
	struct lb_datagram *sent = bpf_map_lookup_elem(&lb_datagrams, &key);

	if (!sent || sent->service_address != asked.service_address ||
	    sent->service_port != asked.service_port)
		put_recent(&lb_datagrams, &key, &asked, BPF_ANY);
	ctx->user_ip4 = backend->address;
	ctx->user_port = backend->port;
	return ALLOW;
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	__be32 address = ctx->user_ip4;
	struct lb_choice choice = {};

	switch (balance_socket(ctx, address, bpf_get_socket_cookie(ctx), &choice)) {
	case LB_PICKED:
		return send_to(ctx, &choice.backend);
	case LB_NO_BACKEND:
		return refuse(LB_REFUSED_NO_ENDPOINTS);
	default:
		return pass_or_refuse(address);
	}
}

char _license[] SEC("license") = "GPL";
