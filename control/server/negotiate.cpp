// Accept headers: clauses with parameters and weights.
#include "control/server/negotiate.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace keelson {
namespace {

constexpr std::string_view protobuf_type = "application/vnd.kubernetes.protobuf";
constexpr std::size_t clauses_max = 32;  // clients send at most four

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty() && parts.size() < clauses_max) {
    const auto end = std::min(text.find(separator), text.size());
    if (const auto part = trimmed(text.substr(0, end)); !part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

struct Clause {
  std::string_view type;
  std::string_view as, group, version;
  double weight = 1;
};

Clause parse_clause(std::string_view text) {
  const auto parts = split(text, ';');
  Clause clause{.type = parts.empty() ? std::string_view() : parts[0]};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(parts[i].substr(0, equals));
    const std::string_view value = trimmed(parts[i].substr(equals + 1));
    if (name == "as") clause.as = value;
    if (name == "g") clause.group = value;
    if (name == "v") clause.version = value;
    if (name == "q") std::from_chars(value.data(), value.data() + value.size(), clause.weight);
  }
  return clause;
}

std::vector<Clause> parse_accept(std::string_view accept) {
  std::vector<Clause> clauses;
  for (const std::string_view text : split(accept, ',')) clauses.push_back(parse_clause(text));
  std::ranges::stable_sort(clauses, std::greater(), &Clause::weight);
  return clauses;
}

std::optional<Media> media_of(std::string_view type) {
  if (type == "application/json" || type == "application/*" || type == "*/*") return Media::Json;
  if (type == "application/yaml") return Media::Yaml;
  if (type == protobuf_type) return Media::Protobuf;
  return std::nullopt;
}

std::optional<Output> fulfil(const Clause& clause) {
  const auto media = media_of(clause.type);
  if (!media || clause.weight <= 0) return std::nullopt;
  Output output{.media = *media};
  if (clause.as.empty()) return output;
  const bool is_known_version = clause.version == "v1" || clause.version == "v1beta1";
  if (clause.group != "meta.k8s.io" || !is_known_version) return std::nullopt;
  output.meta_version = clause.version == "v1" ? "v1" : "v1beta1";
  if (clause.as == "Table") {
    if (*media == Media::Protobuf) return std::nullopt;  // it has no message
    output.shape = Shape::Table;
    return output;
  }
  if (clause.as != "PartialObjectMetadata" && clause.as != "PartialObjectMetadataList") {
    return std::nullopt;
  }
  output.shape = Shape::Metadata;
  return output;
}

}  // namespace

Result<Output> negotiate(std::string_view accept) {
  if (trimmed(accept).empty()) return Output{};
  for (const Clause& clause : parse_accept(accept)) {
    if (auto output = fulfil(clause)) return *output;
  }
  return fail(Reason::NotAcceptable,
              "only the following media types are accepted: application/json, application/yaml, {}",
              protobuf_type);
}

bool accepts(std::string_view accept, std::string_view media_type) {
  const Clause wanted = parse_clause(media_type);
  return std::ranges::any_of(parse_accept(accept), [&](const Clause& clause) {
    return clause.type == wanted.type && clause.as == wanted.as && clause.group == wanted.group &&
           clause.version == wanted.version && clause.weight > 0;
  });
}

std::string_view content_type(const Output& output) {
  switch (output.media) {
    case Media::Json:
      return "application/json";
    case Media::Yaml:
      return "application/yaml";
    case Media::Protobuf:
      return protobuf_type;
  }
  return {};
}

}  // namespace keelson
