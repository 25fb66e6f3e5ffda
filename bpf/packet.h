// Reading IPv4 packets with every bound checked, and rewriting them with every checksum mended.
#pragma once

#include <stddef.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "lb_maps.h"

// What clsact and tcx alike take for "ask the next program, then go on".
#define TC_NEXT TC_ACT_UNSPEC

// RFC 792; <linux/icmp.h> pulls in the C library.
enum icmp_type {
	ICMP_DEST_UNREACH = 3,
	ICMP_REDIRECT = 5,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
};

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u32 rest;
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

enum packet_kind {
	PACKET_OTHER,	 // not for us: no IPv4, no protocol of ours, cut short
	PACKET_FRAGMENT, // its ports may be in another packet
	PACKET_FLOW,	 // TCP or UDP with ports
	PACKET_ERROR,	 // ICMP that quotes a packet
};

struct packet {
	struct lb_endpoint source;
	struct lb_endpoint destination;
	__u32 network;	 // offset of the IPv4 header
	__u32 transport; // offset of what follows it
	__u8 protocol;
	__u8 tcp_flags;
	__u8 icmp_type;
};

enum packet_side {
	SOURCE,
	DESTINATION,
};

static __always_inline bool load(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, offset, to, size) == 0;
}

static __always_inline bool quotes_a_packet(__u8 icmp_type)
{
	return icmp_type == ICMP_DEST_UNREACH || icmp_type == ICMP_TIME_EXCEEDED ||
	       icmp_type == ICMP_PARAMETERPROB || icmp_type == ICMP_REDIRECT;
}

// The header at the offset; false: none that can be read.
static __always_inline bool parse_network(struct __sk_buff *skb, __u32 offset, struct iphdr *ip,
					  struct packet *packet)
{
	if (!load(skb, offset, ip, sizeof(*ip)) || ip->version != 4 || ip->ihl < 5)
		return false;
	packet->network = offset;
	packet->transport = offset + ip->ihl * 4;
	packet->protocol = ip->protocol;
	packet->source.address = ip->saddr;
	packet->destination.address = ip->daddr;
	return true;
}

static __always_inline bool parse_ports(struct __sk_buff *skb, struct packet *packet)
{
	__be16 ports[2];

	if (!load(skb, packet->transport, ports, sizeof(ports)))
		return false;
	packet->source.port = ports[0];
	packet->destination.port = ports[1];
	return true;
}

// A whole packet, or one that an ICMP error quotes: of that, eight bytes of transport are sure.
static __always_inline enum packet_kind parse(struct __sk_buff *skb, __u32 offset, bool quoted,
					      struct packet *packet)
{
	struct iphdr ip;

	if (!parse_network(skb, offset, &ip, packet))
		return PACKET_OTHER;
	if (ip.frag_off & bpf_htons(0x3fff)) // more fragments, or an offset
		return PACKET_FRAGMENT;
	switch (ip.protocol) {
	case IPPROTO_TCP:
		if (!quoted && !load(skb, packet->transport + 13, &packet->tcp_flags, 1))
			return PACKET_OTHER;
		return parse_ports(skb, packet) ? PACKET_FLOW : PACKET_OTHER;
	case IPPROTO_UDP:
		return parse_ports(skb, packet) ? PACKET_FLOW : PACKET_OTHER;
	case IPPROTO_ICMP:
		if (quoted || !load(skb, packet->transport, &packet->icmp_type, 1))
			return PACKET_OTHER;
		return quotes_a_packet(packet->icmp_type) ? PACKET_ERROR : PACKET_OTHER;
	}
	return PACKET_OTHER;
}

// The packet that an ICMP error quotes.
static __always_inline bool parse_quoted(struct __sk_buff *skb, const struct packet *error,
					 struct packet *quoted)
{
	return parse(skb, error->transport + sizeof(struct icmp_header), true, quoted) ==
	       PACKET_FLOW;
}

static __always_inline const struct lb_endpoint *end_of(const struct packet *packet,
							enum packet_side side)
{
	return side == SOURCE ? &packet->source : &packet->destination;
}

// The address alone, and the IPv4 header's checksum.
static __always_inline bool replace_address(struct __sk_buff *skb, const struct packet *packet,
					    enum packet_side side, __be32 to)
{
	__u32 at = packet->network +
		   (side == SOURCE ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr));

	return !bpf_l3_csum_replace(skb, packet->network + offsetof(struct iphdr, check),
				    end_of(packet, side)->address, to, 4) &&
	       !bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0);
}

static __always_inline bool replace_port(struct __sk_buff *skb, const struct packet *packet,
					 enum packet_side side, __be16 to)
{
	__u32 at = packet->transport + (side == SOURCE ? 0 : sizeof(__be16));

	return !bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0);
}

static __always_inline __u32 checksum_at(const struct packet *packet)
{
	return packet->transport + (packet->protocol == IPPROTO_TCP
					    ? offsetof(struct tcphdr, check)
					    : offsetof(struct udphdr, check));
}

// Address and port of a TCP or UDP packet. False: it could not be written; drop it.
static __always_inline bool replace(struct __sk_buff *skb, const struct packet *packet,
				    enum packet_side side, const struct lb_endpoint *to)
{
	const struct lb_endpoint *from = end_of(packet, side);
	__u32 sum = checksum_at(packet);
	__u64 flags = packet->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	return !bpf_l4_csum_replace(skb, sum, from->address, to->address,
				    flags | BPF_F_PSEUDO_HDR | 4) &&
	       !bpf_l4_csum_replace(skb, sum, from->port, to->port, flags | 2) &&
	       replace_address(skb, packet, side, to->address) &&
	       replace_port(skb, packet, side, to->port);
}

// UDP's checksum lies within the eight bytes that are quoted, TCP's need not. The ICMP checksum
// covers it.
static __always_inline bool mend_quoted_udp(struct __sk_buff *skb, const struct packet *quoted,
					    const struct lb_endpoint *from,
					    const struct lb_endpoint *to, __u32 icmp_sum)
{
	__u32 sum = checksum_at(quoted);
	__u16 before, after;

	if (!load(skb, sum, &before, sizeof(before)))
		return false;
	if (!before)
		return true; // sent without one
	return !bpf_l3_csum_replace(skb, sum, from->address, to->address, 4) &&
	       !bpf_l3_csum_replace(skb, sum, from->port, to->port, 2) &&
	       load(skb, sum, &after, sizeof(after)) &&
	       !bpf_l4_csum_replace(skb, icmp_sum, before, after, 2);
}

// Address and port in the packet an ICMP error quotes. The change of the quoted address and of its
// header's checksum cancel each other in the ICMP checksum; the port does not.
static __always_inline bool replace_quoted(struct __sk_buff *skb, const struct packet *error,
					   const struct packet *quoted, enum packet_side side,
					   const struct lb_endpoint *to)
{
	const struct lb_endpoint *from = end_of(quoted, side);
	__u32 icmp_sum = error->transport + offsetof(struct icmp_header, checksum);

	return replace_address(skb, quoted, side, to->address) &&
	       replace_port(skb, quoted, side, to->port) &&
	       !bpf_l4_csum_replace(skb, icmp_sum, from->port, to->port, 2) &&
	       (quoted->protocol != IPPROTO_UDP ||
		mend_quoted_udp(skb, quoted, from, to, icmp_sum));
}
