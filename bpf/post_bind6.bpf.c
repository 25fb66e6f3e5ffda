// Runs after bind(2) of an IPv6 socket of the cgroup. 0 takes the port back: it is a node port.
#include "bind.h"

SEC("cgroup/post_bind6")
int post_bind6(struct bpf_sock *ctx)
{
	return guard_port(ctx);
}

char _license[] SEC("license") = "GPL";
