// Cells of tables. Source: API-BEHAVIOUR §10.
#include "api/cells.h"

#include "api/names.h"
#include "api/proto/core/v1/container.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/proto/meta/v1/selector.pb.h"
#include "api/proto/meta/v1/time.pb.h"
#include "api/selector.h"
#include "api/table.h"

namespace keelson {

Column name_column() {
  return {.name = "Name", .format = "name", .description = "Unique within a namespace."};
}

Column age_column() {
  return {.name = "Age", .description = "Time since the object was created."};
}

std::string age_cell(const meta::ObjectMeta& metadata, WallTime now) {
  return since_cell(metadata.creationtimestamp(), now);
}

std::string since_cell(const meta::Time& time, WallTime now) {
  return age_text(from_time(time), now);
}

std::string since_cell(const meta::MicroTime& time, WallTime now) {
  meta::Time seconds;
  seconds.set_seconds(time.seconds());
  return since_cell(seconds, now);
}

std::string or_none(const std::string& text) {
  return text.empty() ? std::string(none) : text;
}

std::string labels_cell(const google::protobuf::Map<std::string, std::string>& labels) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : sorted(labels)) texts.push_back(fmt::format("{}={}", key, value));
  return or_none(joined(texts));
}

std::string selector_cell(const meta::LabelSelector& selector) {
  const auto parsed = LabelSelector::from(selector);
  return parsed ? or_none(parsed->text()) : "<error>";
}

std::string container_names_cell(const core::PodSpec& spec) {
  std::vector<std::string> names;
  for (const auto& container : spec.containers()) names.push_back(container.name());
  return joined(names);
}

std::string images_cell(const core::PodSpec& spec) {
  std::vector<std::string> images;
  for (const auto& container : spec.containers()) images.push_back(container.image());
  return joined(images);
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const auto& text : texts) {
    if (&text != &texts.front()) all += separator;
    all += text;
  }
  return all;
}

std::string first_three(const std::vector<std::string>& texts) {
  constexpr std::size_t max = 3;
  if (texts.size() <= max) return joined(texts);
  const std::vector<std::string> first(texts.begin(), texts.begin() + max);
  return fmt::format("{} + {} more...", joined(first), texts.size() - max);
}

}  // namespace keelson
