// Runs for each packet that comes out of a pod, at the node's end of its veth. One that is for a
// pod of this node is handed straight into that pod's namespace, past the node's routing. Returns
// TC_NEXT (go on by routing) or TC_ACT_REDIRECT.
#include "packet.h"

SEC("tc")
int pod_ingress(struct __sk_buff *skb)
{
	struct lb_pod *pod;
	__be32 address;

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    !load(skb, ETH_HLEN + offsetof(struct iphdr, daddr), &address, sizeof(address)))
		return TC_NEXT;
	pod = bpf_map_lookup_elem(&lb_pods, &address);
	if (!pod)
		return TC_NEXT;
	if (bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_dest), pod->mac, ETH_ALEN, 0))
		return TC_NEXT;
	return bpf_redirect_peer(pod->ifindex, 0);
}

char _license[] SEC("license") = "GPL";
