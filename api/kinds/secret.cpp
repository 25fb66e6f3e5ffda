// Secret: bytes by key that are nobody else's business.
#include "api/proto/core/v1/secret.pb.h"

#include <map>

#include "api/cells.h"
#include "api/json.h"
#include "api/names.h"
#include "api/row.h"

namespace keelson {
namespace {

constexpr std::size_t data_bytes_max = 1024 * 1024;  // Kubernetes' MaxSecretSize

using Data = google::protobuf::Map<std::string, std::string>;

std::map<std::string, std::string> ordered(const Data& data) {
  return {data.begin(), data.end()};
}

// stringData is a way to write data; it is never kept.
void set_defaults(Message& message) {
  auto& secret = as<core::Secret>(message);
  for (const auto& [key, value] : secret.stringdata()) (*secret.mutable_data())[key] = value;
  secret.clear_stringdata();
  if (secret.type().empty()) secret.set_type("Opaque");
}

void check_json_key(const Data& data, const char* key, FieldErrors& errors) {
  const FieldPath at = FieldPath("data").key(key);
  const auto found = data.find(key);
  if (found == data.end()) return errors.required(at);
  const auto document = parse_json(found->second);
  if (document && document->tree.is_object()) return;
  errors.invalid(at, "<secret contents redacted>",
                 document ? "json: cannot unmarshal into Go value of type map[string]interface {}"
                          : document.error().message);
}

// What a type asks for.
void check_type(const core::Secret& secret, FieldErrors& errors) {
  const std::string& type = secret.type();
  const FieldPath path("data");
  const auto require = [&](const char* key) {
    if (!secret.data().contains(key)) errors.required(path.key(key));
  };
  if (type == "kubernetes.io/service-account-token") {
    constexpr const char* annotation = "kubernetes.io/service-account.name";
    const auto found = secret.metadata().annotations().find(annotation);
    if (found == secret.metadata().annotations().end() || found->second.empty()) {
      errors.required((FieldPath("metadata") / "annotations").key(annotation));
    }
  } else if (type == "kubernetes.io/dockercfg") {
    check_json_key(secret.data(), ".dockercfg", errors);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    check_json_key(secret.data(), ".dockerconfigjson", errors);
  } else if (type == "kubernetes.io/basic-auth") {
    if (secret.data().contains("username") || secret.data().contains("password")) return;
    require("username");
    require("password");
  } else if (type == "kubernetes.io/ssh-auth") {
    const auto found = secret.data().find("ssh-privatekey");
    if (found == secret.data().end() || found->second.empty()) {
      errors.required(path.key("ssh-privatekey"));
    }
  } else if (type == "kubernetes.io/tls") {
    require("tls.crt");
    require("tls.key");
  }
}

void validate(const Message& message, FieldErrors& errors) {
  const auto& secret = as<core::Secret>(message);
  std::size_t bytes = 0;
  for (const auto& [key, value] : ordered(secret.data())) {
    check_value(FieldPath("data").key(key), key, check_config_key, errors);
    bytes += value.size();
  }
  if (bytes > data_bytes_max) errors.too_long(FieldPath("data"), data_bytes_max);
  check_type(secret, errors);
}

void validate_update(const Message& before_message, const Message& after_message,
                     FieldErrors& errors) {
  const auto& before = as<core::Secret>(before_message);
  const auto& after = as<core::Secret>(after_message);
  if (before.type() != after.type()) {
    errors.invalid(FieldPath("type"), after.type(), "field is immutable");
  }
  if (!before.immutable()) return;
  constexpr std::string_view why = "field is immutable when `immutable` is set";
  if (!after.immutable()) errors.forbidden(FieldPath("immutable"), why);
  if (ordered(before.data()) != ordered(after.data())) errors.forbidden(FieldPath("data"), why);
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& secret = as<core::Secret>(message);
  return {secret.metadata().name(), secret.type(), static_cast<std::int64_t>(secret.data().size()),
          age_cell(secret.metadata(), now)};
}

}  // namespace

const Kind& kinds::secret() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Secret",
      .plural = "secrets",
      .singular = "secret",
      .prototype = &core::Secret::default_instance(),
      .selectable_fields = {{"type", [](const Message& m) { return as<core::Secret>(m).type(); }}},
      .columns = {name_column(),
                  {.name = "Type", .description = "What the keys mean."},
                  {.name = "Data", .description = "How many keys there are."},
                  age_column()},
      .row = cells,
      .set_defaults = set_defaults,
      .validate = validate,
      .validate_update = validate_update,
  };
  return row;
}

}  // namespace keelson
