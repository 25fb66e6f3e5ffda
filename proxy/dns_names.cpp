// Names to records, for Services, their endpoints and pods.
#include "proxy/dns_names.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <set>
#include <span>

namespace keelson::proxy {
namespace {

using Labels = std::span<const std::string>;

// More records than this of one name are left out: an answer has at most 64 kB.
constexpr std::size_t records_max = 1'000;

DnsAnswer no_such_name() {
  return {.code = DnsCode::NxDomain};
}

bool asks(const DnsQuestion& question, DnsType type) {
  const auto asked = static_cast<DnsType>(question.type);
  return asked == type || asked == DnsType::Any;
}

bool ends_with(Labels labels, Labels end) {
  return labels.size() >= end.size() && std::ranges::equal(labels.last(end.size()), end);
}

std::string dashed(std::uint32_t address_be) {
  std::string text = ipv4_text(address_be);
  std::ranges::replace(text, '.', '-');
  return text;
}

// "10-88-0-2"; nothing else.
std::optional<std::uint32_t> undashed(std::string text) {
  if (text.contains('.')) return std::nullopt;
  std::ranges::replace(text, '-', '.');
  return parse_ipv4(text);
}

const char* protocol_label(std::uint8_t protocol) {
  return protocol == IPPROTO_UDP ? "_udp" : "_tcp";
}

// The first label of an endpoint's own name.
std::string endpoint_label(const Slice& slice, std::size_t endpoint) {
  const std::string_view hostname = slice.hostname(endpoint);
  return hostname.empty() ? dashed(slice.endpoints[endpoint].address_be) : std::string(hostname);
}

class Resolver {
 public:
  Resolver(const ServiceDirectory& directory, const DnsZone& zone, const DnsQuestion& question)
      : directory_(directory), zone_(zone), question_(question) {}

  DnsAnswer in_zone(Labels labels) const {
    if (labels.empty()) return apex();
    if (labels.back() == "svc") return in_services(labels.first(labels.size() - 1));
    if (labels.back() == "pod") return in_pods(labels.first(labels.size() - 1));
    if (labels.size() == 1 && labels[0] == "dns-version")
      return one({.type = DnsType::Txt, .text = "1.1.0"});
    if (labels.back() == "dns" && labels.size() == 1) return {};
    if (labels.back() == "dns" && labels.size() == 2 && labels[0] == "ns")
      return one({.type = DnsType::A, .address_be = zone_.server_address_be});
    return no_such_name();
  }

  // The name behind an address; nullopt: not ours to know.
  std::optional<DnsAnswer> reverse(std::uint32_t address_be) const {
    DnsAnswer answer;
    if (const ServiceEntry* service = directory_.by_cluster_ip(address_be)) {
      if (asks(question_, DnsType::Ptr))
        answer.records.push_back({.type = DnsType::Ptr, .text = name_of(*service)});
      return answer;
    }
    const auto services = directory_.headless_by_endpoint(address_be);
    if (services.empty())
      return zone_.service_range.contains(address_be) ? std::optional(no_such_name())
                                                      : std::nullopt;
    std::set<std::string> names;
    for (const ServiceEntry* service : services)
      for (const auto& slice : service->slices)
        for (std::size_t i = 0; i < slice.endpoints.size(); ++i)
          if (slice.endpoints[i].address_be == address_be)
            names.insert(endpoint_label(slice, i) + '.' + name_of(*service));
    if (asks(question_, DnsType::Ptr))
      for (const auto& name : names) answer.records.push_back({.type = DnsType::Ptr, .text = name});
    return answer;
  }

 private:
  DnsAnswer one(DnsRecord record) const {
    DnsAnswer answer;
    if (asks(question_, record.type)) answer.records.push_back(std::move(record));
    return answer;
  }

  DnsAnswer apex() const {
    DnsAnswer answer = one({.type = DnsType::Ns, .text = "ns.dns." + zone_.name});
    if (asks(question_, DnsType::Soa)) answer.records.push_back({.type = DnsType::Soa});
    return answer;
  }

  std::string name_of(const ServiceEntry& service) const {
    return fmt::format("{}.{}.svc.{}", service.name(), service.name_space(), zone_.name);
  }

  // labels: all before "svc".
  DnsAnswer in_services(Labels labels) const {
    if (labels.empty()) return {};
    const std::string& name_space = labels.back();
    if (labels.size() == 1)
      return directory_.has_namespace(name_space) ? DnsAnswer{} : no_such_name();
    const ServiceEntry* service = directory_.find(name_space, labels[labels.size() - 2]);
    if (service == nullptr) return no_such_name();
    switch (labels.size()) {
      case 2:
        return of_service(*service);
      case 3:
        return labels[0].starts_with('_') ? of_protocol(*service, labels[0])
                                          : of_endpoint(*service, labels[0]);
      case 4:
        return of_port(*service, labels[0], labels[1]);
      default:
        return no_such_name();
    }
  }

  DnsAnswer of_service(const ServiceEntry& service) const {
    DnsAnswer answer;
    if (!service.external_name.empty()) {
      answer.records.push_back({.type = DnsType::Cname, .text = service.external_name});
      answer.alias = service.external_name;
      return answer;
    }
    if (asks(question_, DnsType::A)) add_addresses(service, answer);
    if (static_cast<DnsType>(question_.type) == DnsType::Srv)
      for (const auto& port : service.ports) add_port(service, port, answer);
    return answer;
  }

  void add_addresses(const ServiceEntry& service, DnsAnswer& answer) const {
    if (!service.headless) {
      if (service.cluster_ip_be != 0)
        answer.records.push_back({.type = DnsType::A, .address_be = service.cluster_ip_be});
      return;
    }
    std::set<std::uint32_t> seen;
    for (const auto& slice : service.slices)
      for (const auto& endpoint : slice.endpoints)
        if (endpoint.ready && seen.insert(endpoint.address_be).second &&
            answer.records.size() < records_max)
          answer.records.push_back({.type = DnsType::A, .address_be = endpoint.address_be});
  }

  // A pod of a Service by its hostname, or by its address with dashes where it has none.
  DnsAnswer of_endpoint(const ServiceEntry& service, const std::string& label) const {
    std::set<std::uint32_t> found;
    for (const auto& slice : service.slices)
      for (std::size_t i = 0; i < slice.endpoints.size(); ++i)
        if (slice.endpoints[i].ready && endpoint_label(slice, i) == label)
          found.insert(slice.endpoints[i].address_be);
    if (found.empty()) return no_such_name();
    DnsAnswer answer;
    if (asks(question_, DnsType::A))
      for (const auto address_be : found)
        answer.records.push_back({.type = DnsType::A, .address_be = address_be});
    return answer;
  }

  static bool has_port(const ServiceEntry& service, const std::string& name,
                       const std::string& protocol) {
    return std::ranges::any_of(service.ports, [&](const ServicePort& port) {
      return protocol_label(port.protocol) == protocol && !port.name.empty() &&
             (name.empty() || '_' + port.name == name);
    });
  }

  DnsAnswer of_protocol(const ServiceEntry& service, const std::string& protocol) const {
    return has_port(service, "", protocol) ? DnsAnswer{} : no_such_name();
  }

  DnsAnswer of_port(const ServiceEntry& service, const std::string& name,
                    const std::string& protocol) const {
    if (!has_port(service, name, protocol)) return no_such_name();
    DnsAnswer answer;
    if (asks(question_, DnsType::Srv))
      for (const auto& port : service.ports)
        if ('_' + port.name == name && protocol_label(port.protocol) == protocol)
          add_port(service, port, answer);
    return answer;
  }

  void add_port(const ServiceEntry& service, const ServicePort& port, DnsAnswer& answer) const {
    if (!service.headless) {
      const std::string target = name_of(service);
      answer.records.push_back({.type = DnsType::Srv, .port = port.port, .text = target});
      if (answer.additional.empty())
        answer.additional.push_back(
            {.owner = target, .type = DnsType::A, .address_be = service.cluster_ip_be});
      return;
    }
    for (const auto& slice : service.slices)
      for (const auto& target : slice.ports)
        if (target.name == port.name && target.protocol == port.protocol)
          add_endpoint_ports(service, slice, target.port, answer);
  }

  void add_endpoint_ports(const ServiceEntry& service, const Slice& slice, std::uint16_t port,
                          DnsAnswer& answer) const {
    for (std::size_t i = 0; i < slice.endpoints.size(); ++i) {
      if (!slice.endpoints[i].ready || answer.records.size() >= records_max) continue;
      const std::string target = endpoint_label(slice, i) + '.' + name_of(service);
      answer.records.push_back({.type = DnsType::Srv, .port = port, .text = target});
      answer.additional.push_back(
          {.owner = target, .type = DnsType::A, .address_be = slice.endpoints[i].address_be});
    }
  }

  // labels: all before "pod". Any address has such a name, as CoreDNS has it in its "insecure"
  // mode.
  DnsAnswer in_pods(Labels labels) const {
    if (labels.size() < 2) return {};
    const auto address_be = labels.size() == 2 ? undashed(labels[0]) : std::nullopt;
    return address_be ? one({.type = DnsType::A, .address_be = *address_be}) : no_such_name();
  }

  const ServiceDirectory& directory_;
  const DnsZone& zone_;
  const DnsQuestion& question_;
};

// {"10", "0", "96", "10", "in-addr", "arpa"} → 10.96.0.10
std::optional<std::uint32_t> reversed_address(Labels labels) {
  if (labels.size() != 6 || labels[4] != "in-addr" || labels[5] != "arpa") return std::nullopt;
  return parse_ipv4(fmt::format("{}.{}.{}.{}", labels[3], labels[2], labels[1], labels[0]));
}

}  // namespace

std::optional<DnsAnswer> resolve(const ServiceDirectory& directory, const DnsZone& zone,
                                 const DnsQuestion& question) {
  const Resolver resolver(directory, zone, question);
  const Labels labels(question.labels);
  if (const auto address_be = reversed_address(labels)) return resolver.reverse(*address_be);
  const auto zone_labels = dns_labels(zone.name);
  if (!ends_with(labels, zone_labels)) return std::nullopt;
  return resolver.in_zone(labels.first(labels.size() - zone_labels.size()));
}

std::string dns_lower(std::string_view label) {
  std::string lower(label);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::vector<std::string> dns_labels(std::string_view name) {
  std::vector<std::string> labels;
  while (!name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    if (dot > 0) labels.push_back(dns_lower(name.substr(0, dot)));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return labels;
}

}  // namespace keelson::proxy
