// Builds the schema of a message from its descriptor, once.
#include "api/schema.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "api/proto/options.pb.h"

namespace keelson {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

const FieldRules& rules_of(const FieldDescriptor& field) {
  return field.options().GetExtension(rules);
}

// Messages that stand for one JSON value.
Form form_of_message(const Descriptor& message) {
  static const std::unordered_map<std::string_view, Form> forms = {
      {"k8s.io.apimachinery.pkg.api.resource.Quantity", Form::Quantity},
      {"k8s.io.apimachinery.pkg.util.intstr.IntOrString", Form::IntOrString},
      {"k8s.io.apimachinery.pkg.apis.meta.v1.Time", Form::Time},
      {"k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime", Form::MicroTime},
      {"k8s.io.apimachinery.pkg.apis.meta.v1.Duration", Form::Duration},
      {"k8s.io.apimachinery.pkg.apis.meta.v1.Verbs", Form::Strings},
  };
  if (auto known = forms.find(message.full_name()); known != forms.end()) return known->second;
  if (message.name() == "ExtraValue") return Form::Strings;
  if (message.field_count() == 1 && rules_of(*message.field(0)).opaque()) return Form::Raw;
  return Form::Object;
}

Form form_of(const FieldDescriptor& value) {
  switch (value.type()) {
    case FieldDescriptor::TYPE_STRING:
      return Form::String;
    case FieldDescriptor::TYPE_INT32:
      return Form::Int32;
    case FieldDescriptor::TYPE_INT64:
      return Form::Int64;
    case FieldDescriptor::TYPE_BOOL:
      return Form::Bool;
    case FieldDescriptor::TYPE_BYTES:
      return Form::Bytes;
    case FieldDescriptor::TYPE_MESSAGE:
      return form_of_message(*value.message_type());
    default:
      assert(!"a type that no Kubernetes message has");
      return Form::String;
  }
}

std::string go_name_of(const Descriptor& message) {
  std::string_view package = message.file()->package();
  return std::string(package.substr(package.rfind('.') + 1)) + "." + message.name();
}

bool has_type_meta(const Descriptor& message) {
  if (message.options().GetExtension(message_rules).embedded()) return false;
  const FieldDescriptor* metadata = message.FindFieldByName("metadata");
  if (metadata && metadata->type() == FieldDescriptor::TYPE_MESSAGE) return true;
  return message.name().ends_with("Options") && message.file()->package().ends_with("meta.v1");
}

// What a Go struct prints for a value that was never set; empty if it is left out.
std::string zero_text(const FieldSchema& field) {
  if (field.pointer || field.cardinality != Cardinality::Single) {
    return field.always ? "null" : "";
  }
  switch (field.form) {
    case Form::String:
    case Form::Bytes:
      return field.always ? "\"\"" : "";
    case Form::Int32:
    case Form::Int64:
      return field.always ? "0" : "";
    case Form::Bool:
      return field.always ? "false" : "";
    case Form::Object: {
      // omitempty leaves no struct out.
      std::string text = "{";
      for (const FieldSchema& child : field.message->fields) text += child.absent_text;
      if (text.ends_with(',')) text.pop_back();
      return text + "}";
    }
    case Form::Quantity:
      return "\"0\"";
    case Form::IntOrString:
      return "0";
    case Form::Duration:
      return "\"0s\"";
    case Form::Time:
    case Form::MicroTime:
    case Form::Raw:
      return "null";
    case Form::Strings:
      return field.always ? "null" : "";
  }
  return "";
}

std::string absent_text(const FieldSchema& field, bool of_list) {
  if (field.inlined) {
    std::string text;
    for (const FieldSchema& child : field.message->fields) text += child.absent_text;
    return text;
  }
  if (of_list && field.name == "items") return field.key_text + "[],";
  const std::string value = zero_text(field);
  return value.empty() ? "" : field.key_text + value + ",";
}

class Builder {
 public:
  const MessageSchema& get(const Descriptor& descriptor);

 private:
  using Schemas = std::unordered_map<const Descriptor*, std::unique_ptr<MessageSchema>>;
  MessageSchema& build(const Descriptor& descriptor);
  FieldSchema build_field(const FieldDescriptor& descriptor);

  std::shared_mutex mutex_;
  Schemas schemas_;
};

const MessageSchema& Builder::get(const Descriptor& descriptor) {
  {
    std::shared_lock lock(mutex_);
    if (auto known = schemas_.find(&descriptor); known != schemas_.end()) return *known->second;
  }
  std::unique_lock lock(mutex_);
  return build(descriptor);
}

void set_apply_rules(FieldSchema& field, const FieldRules& rules) {
  field.list_keys.assign(rules.list_key().begin(), rules.list_key().end());
  if (rules.list_type() == "map") field.list_type = ListType::Map;
  if (rules.list_type() == "set") field.list_type = ListType::Set;
  switch (field.cardinality) {
    case Cardinality::List:
      field.atomic = field.list_type == ListType::Atomic;
      break;
    case Cardinality::Map:
      field.atomic = rules.map_type() == "atomic";
      break;
    case Cardinality::Single:
      field.atomic = rules.has_struct_type() ? rules.struct_type() == "atomic"
                                             : field.message && field.message->atomic;
      break;
  }
}

FieldSchema Builder::build_field(const FieldDescriptor& descriptor) {
  const FieldRules& rules = rules_of(descriptor);
  FieldSchema field;
  field.name = descriptor.json_name();
  field.number = descriptor.number();
  field.field = &descriptor;
  field.cardinality = descriptor.is_map()        ? Cardinality::Map
                      : descriptor.is_repeated() ? Cardinality::List
                                                 : Cardinality::Single;
  const FieldDescriptor& value =
      descriptor.is_map() ? *descriptor.message_type()->map_value() : descriptor;
  field.form = form_of(value);
  if (field.form == Form::Object) field.message = &build(*value.message_type());
  field.inlined = rules.inline_();
  field.always = rules.always();
  field.pointer = rules.pointer();
  field.required = rules.always() && !rules.optional();
  field.merge = rules.patch_strategy().find("merge") != std::string::npos;
  field.replace = rules.patch_strategy() == "replace";
  field.retain_keys = rules.patch_strategy().find("retainKeys") != std::string::npos;
  field.merge_key = rules.merge_key();
  field.default_value = rules.default_value();
  set_apply_rules(field, rules);
  field.key_text = "\"" + field.name + "\":";
  return field;
}

void name_fields(MessageSchema& schema) {
  for (int i = 0; i < schema.descriptor->field_count(); ++i) {
    const int number = schema.descriptor->field(i)->number();
    auto own = std::ranges::find(schema.fields, number, &FieldSchema::number);
    own->place = schema.named.size();
    if (!own->inlined) {
      schema.named.push_back({{}, &*own});
      continue;
    }
    for (const NamedField& inner : own->message->named) {
      NamedField named = inner;
      named.through.insert(named.through.begin(), &*own);
      schema.named.push_back(std::move(named));
    }
  }
  for (std::size_t i = 0; i < schema.named.size(); ++i) {
    schema.index.emplace(schema.named[i].field->name, i);
    schema.by_name.push_back(i);
  }
  std::ranges::sort(schema.by_name, {}, [&](std::size_t i) -> const std::string& {
    return schema.named[i].field->name;
  });
}

// A message may hold itself, so it is known before its fields are.
MessageSchema& Builder::build(const Descriptor& descriptor) {
  auto& slot = schemas_[&descriptor];
  if (slot) return *slot;
  slot = std::make_unique<MessageSchema>();
  MessageSchema& schema = *slot;
  schema.descriptor = &descriptor;
  schema.go_name = go_name_of(descriptor);
  schema.atomic = descriptor.options().GetExtension(message_rules).struct_type() == "atomic";
  schema.has_type_meta = has_type_meta(descriptor);
  schema.is_list = descriptor.name().ends_with("List") && descriptor.FindFieldByName("items");
  for (int i = 0; i < descriptor.field_count(); ++i) {
    schema.fields.push_back(build_field(*descriptor.field(i)));
  }
  std::ranges::sort(schema.fields, {}, &FieldSchema::number);
  for (FieldSchema& field : schema.fields) field.absent_text = absent_text(field, schema.is_list);
  name_fields(schema);
  return schema;
}

}  // namespace

const NamedField* MessageSchema::lookup(std::string_view name) const {
  auto found = index.find(name);
  return found == index.end() ? nullptr : &named[found->second];
}

const FieldSchema* MessageSchema::find(std::string_view name) const {
  const NamedField* found = lookup(name);
  return found ? found->field : nullptr;
}

// Immutable facts about the program itself, computed on first use: the one thing that is shared by
// all threads.
const MessageSchema& schema_of(const Descriptor& descriptor) {
  static Builder builder;
  return builder.get(descriptor);
}

const MessageSchema& schema_of(const Message& message) {
  return schema_of(*message.GetDescriptor());
}

}  // namespace keelson
