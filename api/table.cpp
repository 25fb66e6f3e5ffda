// Tables: a kind's columns, and a row for each object.
#include "api/table.h"

#include <google/protobuf/message.h>

#include "api/go_text.h"
#include "api/json.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/schema.h"
#include "api/time_text.h"
#include "api/wire.h"

namespace keelson {
namespace {

// For kinds that say nothing of themselves.
std::vector<Column> default_columns() {
  return {{.name = "Name", .format = "name", .description = "Name of the object."},
          {.name = "Created At", .type = "date", .description = "When the object was created."}};
}

void append_column(std::string& out, const Column& column) {
  out += R"({"name":)";
  append_json_string(out, column.name);
  out += R"(,"type":)";
  append_json_string(out, column.type);
  out += R"(,"format":)";
  append_json_string(out, column.format);
  out += R"(,"description":)";
  append_json_string(out, column.description);
  out += fmt::format(R"(,"priority":{}}})", column.priority);
}

std::string columns_json(const Kind& kind) {
  std::string text = "[";
  for (const Column& column : kind.columns.empty() ? default_columns() : kind.columns) {
    if (text.size() > 1) text += ',';
    append_column(text, column);
  }
  return text + "]";
}

void append_cell(std::string& out, const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    out += std::to_string(*number);
  } else {
    append_json_string(out, std::get<std::string>(cell));
  }
}

// The object's bytes cut down to its metadata, which is field 1 there and here.
std::string metadata_only(const Object& object) {
  std::string bytes;
  WireReader reader(object.bytes);
  if (WireField field; reader.next(field) && field.number == 1) {
    append_delimited(bytes, 1, field.bytes);
  }
  return bytes;
}

void append_row_object(std::string& out, const Object& object, const TableOptions& options) {
  switch (options.include_object) {
    case IncludeObject::None:
      out += "null";
      return;
    case IncludeObject::Object:
      append_json(out, schema_of(*object.kind->prototype), object.bytes, object.kind->api_version(),
                  object.kind->kind);
      return;
    case IncludeObject::Metadata:
      append_json(out, schema_of(*meta::PartialObjectMetadata::descriptor()), metadata_only(object),
                  fmt::format("meta.k8s.io/{}", options.version), "PartialObjectMetadata");
  }
}

}  // namespace

std::string table_head(const Kind& kind, const ListMetadata& metadata,
                       const TableOptions& options) {
  return fmt::format(R"({{"kind":"Table","apiVersion":"meta.k8s.io/{}","metadata":{},)"
                     R"("columnDefinitions":{},"rows":[)",
                     options.version, list_metadata_json(metadata),
                     options.headers ? columns_json(kind) : "null");
}

void append_table_rows(std::string& out, const Kind& kind, std::span<const ObjectPtr> objects,
                       const TableOptions& options, WallTime now) {
  auto message = kind.make_message();
  for (const ObjectPtr& object : objects) {
    const bool is_first = out.empty() || out.back() == '[' || out.back() == ',';
    if (!is_first) out += ',';
    std::vector<Cell> cells;
    if (kind.row) {
      decode_into(*object, *message);
      cells = kind.row(*message, now);
    } else {
      cells = {object->name, time_text(object->creation_time)};
    }
    out += R"({"cells":[)";
    for (const Cell& cell : cells) {
      if (out.back() != '[') out += ',';
      append_cell(out, cell);
    }
    out += R"(],"object":)";
    append_row_object(out, *object, options);
    out += '}';
  }
}

std::string table_text(const Kind& kind, std::span<const ObjectPtr> objects,
                       const ListMetadata& metadata, const TableOptions& options, WallTime now) {
  std::string text = table_head(kind, metadata, options);
  append_table_rows(text, kind, objects, options, now);
  return text + "]}";
}

std::string age_text(WallTime since, WallTime now) {
  return since == WallTime() ? "<unknown>" : duration_text(now - since);
}

// Two units while they matter. Source: k8s.io/apimachinery/pkg/util/duration.
std::string duration_text(Duration span) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  const std::int64_t minutes = seconds / 60, hours = seconds / 3600, days = hours / 24;
  auto two = [](std::int64_t first, char unit, std::int64_t second, char second_unit) {
    return second == 0 ? fmt::format("{}{}", first, unit)
                       : fmt::format("{}{}{}{}", first, unit, second, second_unit);
  };
  if (seconds < -1) return "<invalid>";  // clocks of two machines may differ by a second
  if (seconds < 0) return "0s";
  if (seconds < 2 * 60) return fmt::format("{}s", seconds);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 3 * 60) return fmt::format("{}m", minutes);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return fmt::format("{}d", days);
  if (days < 8 * 365) return two(days / 365, 'y', days % 365, 'd');
  return fmt::format("{}y", days / 365);
}

}  // namespace keelson
