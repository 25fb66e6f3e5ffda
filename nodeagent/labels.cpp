// JSON, as it survives an upgrade of the agent that adds a field.
#include "nodeagent/labels.h"

#include <boost/json.hpp>

namespace keelson {
namespace {

namespace json = boost::json;

Result<json::object> parse(const std::string& text) {
  boost::system::error_code error;
  json::value tree = json::parse(text, error);
  if (error || !tree.is_object()) return fail(Reason::Invalid, "no label of ours: {}", text);
  return std::move(tree.as_object());
}

std::string string_of(const json::object& tree, std::string_view key) {
  const json::value* value = tree.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

int number_of(const json::object& tree, std::string_view key, int otherwise) {
  const json::value* value = tree.if_contains(key);
  return value && value->is_int64() ? static_cast<int>(value->as_int64()) : otherwise;
}

}  // namespace

std::string to_label(const SandboxLabel& label) {
  json::object tree{{"uid", label.pod_uid},
                    {"namespace", label.pod_namespace},
                    {"name", label.pod_name},
                    {"nodeNetwork", label.node_network}};
  tree["ips"] = json::array(label.ips.begin(), label.ips.end());
  return json::serialize(tree);
}

std::string to_label(const ContainerLabel& label) {
  return json::serialize(json::object{{"uid", label.pod_uid},
                                      {"namespace", label.pod_namespace},
                                      {"name", label.pod_name},
                                      {"container", label.container},
                                      {"image", label.image_id},
                                      {"attempt", label.attempt},
                                      {"stopSignal", label.stop_signal},
                                      {"messagePolicy", label.message_policy}});
}

Result<SandboxLabel> parse_sandbox_label(const std::string& text) {
  const auto tree = parse(text);
  if (!tree) return std::unexpected(tree.error());
  SandboxLabel label{.pod_uid = string_of(*tree, "uid"),
                     .pod_namespace = string_of(*tree, "namespace"),
                     .pod_name = string_of(*tree, "name")};
  const json::value* node = tree->if_contains("nodeNetwork");
  label.node_network = node && node->is_bool() && node->as_bool();
  if (const json::value* ips = tree->if_contains("ips"); ips && ips->is_array()) {
    for (const json::value& ip : ips->as_array()) {
      if (ip.is_string()) label.ips.emplace_back(ip.as_string());
    }
  }
  return label;
}

Result<ContainerLabel> parse_container_label(const std::string& text) {
  const auto tree = parse(text);
  if (!tree) return std::unexpected(tree.error());
  return ContainerLabel{.pod_uid = string_of(*tree, "uid"),
                        .pod_namespace = string_of(*tree, "namespace"),
                        .pod_name = string_of(*tree, "name"),
                        .container = string_of(*tree, "container"),
                        .image_id = string_of(*tree, "image"),
                        .attempt = number_of(*tree, "attempt", 0),
                        .stop_signal = number_of(*tree, "stopSignal", 15),
                        .message_policy = string_of(*tree, "messagePolicy")};
}

}  // namespace keelson
