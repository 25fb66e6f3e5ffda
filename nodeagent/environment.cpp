// Order and precedence as kubelet has them: envFrom, then env (which may refer to what stands
// before), then Services for names nobody set.
#include "nodeagent/environment.h"

#include <algorithm>
#include <cctype>

#include "api/facts.h"
#include "api/kinds.h"
#include "api/names.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/secret.pb.h"

namespace keelson {
namespace {

class Builder {
 public:
  void set(const std::string& name, std::string value) {
    for (auto& [known, old] : environment.variables) {
      if (known != name) continue;
      old = std::move(value);
      return;
    }
    environment.variables.emplace_back(name, std::move(value));
  }
  void set_if_new(const std::string& name, const std::string& value) {
    if (!environment.find(name)) environment.variables.emplace_back(name, value);
  }

  Environment environment;
};

// --- Services, as Docker links once named them

std::string variable_name(std::string_view service) {
  std::string name(service);
  for (char& c : name) {
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

void add_service(const Object& object, Environment& services) {
  const ServiceFacts& service = service_facts(object);
  if (service.cluster_ip.empty() || service.is_headless() || service.ports.empty()) return;
  const std::string name = variable_name(object.name);
  const std::string& ip = service.cluster_ip;
  auto put = [&services](std::string key, std::string value) {
    services.variables.emplace_back(std::move(key), std::move(value));
  };
  put(name + "_SERVICE_HOST", ip);
  put(name + "_SERVICE_PORT", std::to_string(service.ports[0].port));
  for (const ServicePortFacts& port : service.ports) {
    if (port.name.empty()) continue;
    put(name + "_SERVICE_PORT_" + variable_name(port.name), std::to_string(port.port));
  }
  for (const ServicePortFacts& port : service.ports) {
    const std::string protocol = port.protocol.empty() ? "TCP" : port.protocol;
    std::string lower = protocol;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string number = std::to_string(port.port);
    const std::string prefix = name + "_PORT_" + number + "_" + protocol;
    const std::string url = lower + "://" + ip + ":" + number;
    if (&port == &service.ports.front()) put(name + "_PORT", url);
    put(prefix, url);
    put(prefix + "_PROTO", lower);
    put(prefix + "_PORT", number);
    put(prefix + "_ADDR", ip);
  }
}

// The pod's own namespace if it wants links, and in any case the API server's Service.
Environment service_variables(const core::Pod& pod, const View& view) {
  Environment services;
  const std::string& name_space = pod.metadata().namespace_();
  const bool links = !pod.spec().has_enableservicelinks() || pod.spec().enableservicelinks();
  const bool is_api_listed = links && name_space == "default";
  const ObjectPtr api = view.get(kinds::service(), "default", "kubernetes");
  if (api && !is_api_listed) add_service(*api, services);
  if (!links) return services;
  for (const ObjectPtr& object : view.list(kinds::service(), name_space)) {
    if (object->name != "kubernetes" || is_api_listed) add_service(*object, services);
  }
  return services;
}

// --- ConfigMaps and Secrets

struct Source {
  bool found = false;
  std::vector<std::pair<std::string, std::string>> entries;  // sorted by key
  const std::string* find(const std::string& key) const {
    for (const auto& [known, value] : entries) {
      if (known == key) return &value;
    }
    return nullptr;
  }
};

Source config_map(const View& view, const std::string& name_space, const std::string& name) {
  const ObjectPtr object = view.get(kinds::config_map(), name_space, name);
  if (!object) return {};
  const auto message = decode<core::ConfigMap>(*object);
  Source source{.found = true};
  source.entries.assign(message.data().begin(), message.data().end());
  std::sort(source.entries.begin(), source.entries.end());
  return source;
}

Source secret(const View& view, const std::string& name_space, const std::string& name) {
  const ObjectPtr object = view.get(kinds::secret(), name_space, name);
  if (!object) return {};
  const auto message = decode<core::Secret>(*object);
  Source source{.found = true};
  source.entries.assign(message.data().begin(), message.data().end());
  std::sort(source.entries.begin(), source.entries.end());
  return source;
}

Result<> add_all(const core::EnvFromSource& from, const std::string& name_space, const View& view,
                 Builder& builder) {
  const bool is_map = from.has_configmapref();
  const std::string& name = is_map ? from.configmapref().localobjectreference().name()
                                   : from.secretref().localobjectreference().name();
  const bool optional = is_map ? from.configmapref().optional() : from.secretref().optional();
  const Source source =
      is_map ? config_map(view, name_space, name) : secret(view, name_space, name);
  const char* kind = is_map ? "configmap" : "secret";
  if (!source.found) {
    if (optional) return {};
    return fail(Reason::NotFound, "{} \"{}\" not found", kind, name);
  }
  std::string skipped;
  for (const auto& [key, value] : source.entries) {
    const std::string variable = from.prefix() + key;
    if (check_environment_name(variable).empty()) {
      builder.set(variable, value);
    } else {
      skipped += (skipped.empty() ? "" : ", ") + variable;
    }
  }
  if (!skipped.empty()) {
    builder.environment.skipped.push_back(fmt::format(
        "Keys [{}] from the EnvFrom {} {}/{} were skipped since they are considered invalid "
        "environment variable names.",
        skipped, kind, name_space, name));
  }
  return {};
}

// Null: optional and not there, so the variable is not set.
Result<std::optional<std::string>> key_of_source(const core::EnvVarSource& from,
                                                 const std::string& name_space, const View& view) {
  const bool is_map = from.has_configmapkeyref();
  const std::string& name = is_map ? from.configmapkeyref().localobjectreference().name()
                                   : from.secretkeyref().localobjectreference().name();
  const std::string& key = is_map ? from.configmapkeyref().key() : from.secretkeyref().key();
  const bool optional = is_map ? from.configmapkeyref().optional() : from.secretkeyref().optional();
  const Source source =
      is_map ? config_map(view, name_space, name) : secret(view, name_space, name);
  if (const std::string* value = source.find(key)) return *value;
  if (optional) return std::nullopt;
  if (!source.found) {
    return fail(Reason::NotFound, "{} \"{}\" not found", is_map ? "configmap" : "secret", name);
  }
  return fail(Reason::NotFound, "couldn't find key {} in {} {}/{}", key,
              is_map ? "ConfigMap" : "Secret", name_space, name);
}

Result<std::optional<std::string>> value_from(const core::EnvVarSource& from, const core::Pod& pod,
                                              const core::Container& container,
                                              const PodPlace& place, const View& view) {
  if (from.has_fieldref()) {
    auto value = field_value(pod, place, from.fieldref().fieldpath());
    if (!value) return std::unexpected(value.error());
    return std::move(*value);
  }
  if (from.has_resourcefieldref()) {
    auto value = resource_field_value(container, place, from.resourcefieldref());
    if (!value) return std::unexpected(value.error());
    return std::move(*value);
  }
  return key_of_source(from, pod.metadata().namespace_(), view);
}

}  // namespace

const std::string* Environment::find(std::string_view name) const {
  for (const auto& [known, value] : variables) {
    if (known == name) return &value;
  }
  return nullptr;
}

std::string expand(std::string_view text, const Environment& environment,
                   const Environment* otherwise) {
  std::string out;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
      continue;
    }
    const auto close = text.starts_with("$(") ? text.find(')') : std::string_view::npos;
    if (close == std::string_view::npos) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const std::string_view name = text.substr(2, close - 2);
    const std::string* value = environment.find(name);
    if (!value && otherwise) value = otherwise->find(name);
    out += value ? *value : std::string(text.substr(0, close + 1));
    text.remove_prefix(close + 1);
  }
  return out;
}

Result<Environment> make_environment(const core::Pod& pod, const core::Container& container,
                                     const PodPlace& place, const View& view) {
  Builder builder;
  const Environment services = service_variables(pod, view);
  for (const auto& from : container.envfrom()) {
    if (auto added = add_all(from, pod.metadata().namespace_(), view, builder); !added) {
      return std::unexpected(added.error());
    }
  }
  for (const auto& variable : container.env()) {
    if (!variable.has_valuefrom()) {
      // Services may be referred to although they are set last.
      builder.set(variable.name(), expand(variable.value(), builder.environment, &services));
      continue;
    }
    auto value = value_from(variable.valuefrom(), pod, container, place, view);
    if (!value) return std::unexpected(value.error());
    if (*value) builder.set(variable.name(), std::move(**value));
  }
  for (const auto& [name, value] : services.variables) builder.set_if_new(name, value);
  return std::move(builder.environment);
}

}  // namespace keelson
