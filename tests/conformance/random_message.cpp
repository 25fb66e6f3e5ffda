// By reflection, so that no field is forgotten.
#include "tests/conformance/random_message.h"

#include <array>

#include <google/protobuf/descriptor.h>

#include "api/schema.h"

namespace keelson {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

constexpr int depth_max = 7;

template <std::size_t N>
const char* one_of(const std::array<const char*, N>& choices, Random& random) {
  return choices[random.below(N)];
}

std::string some_text(Random& random) {
  static constexpr std::array texts = {"",  "a",    "web",   "<&>",  "é\n\"\\",
                                       "0", "null", "x.y/z", "k: v", "\u2028"};
  return one_of(texts, random);
}

std::int64_t some_number(Random& random, bool wide) {
  switch (random.below(4)) {
    case 0:
      return 0;
    case 1:
      return -1;
    case 2:
      return static_cast<std::int64_t>(random.below(100'000));
    default:
      return wide ? static_cast<std::int64_t>(random.next())
                  : static_cast<std::int32_t>(random.next());
  }
}

void set_number(Message& message, const char* name, std::int64_t value) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field->type() == FieldDescriptor::TYPE_INT32) {
    message.GetReflection()->SetInt32(&message, field, static_cast<std::int32_t>(value));
  } else {
    message.GetReflection()->SetInt64(&message, field, value);
  }
}

void set_text(Message& message, const char* name, const std::string& value) {
  message.GetReflection()->SetString(&message, message.GetDescriptor()->FindFieldByName(name),
                                     value);
}

// A message that stands for one value.
void fill_value(Message& message, Form form, Random& random) {
  static constexpr std::array quantities = {"0",     "1",   "100m", "1000m",
                                            "1.5Gi", "1e3", "-2k",  "0.1n"};
  static constexpr std::array raws = {"{}", "{\"f:a\":{}}", "[1,\"x\"]", "null", "3"};
  switch (form) {
    case Form::Quantity:
      return set_text(message, "string", one_of(quantities, random));
    case Form::IntOrString:
      set_number(message, "type", static_cast<std::int64_t>(random.below(2)));
      set_number(message, "intVal", some_number(random, false));
      return set_text(message, "strVal", some_text(random));
    case Form::Time:
    case Form::MicroTime:
      if (random.below(4) == 0) return;  // null
      set_number(message, "seconds", static_cast<std::int64_t>(random.below(4'000'000'000)));
      return set_number(message, "nanos", static_cast<std::int64_t>(random.below(1'000'000'000)));
    case Form::Duration:
      return set_number(message, "duration", some_number(random, true));
    case Form::Raw:
      return message.GetReflection()->SetString(&message, message.GetDescriptor()->field(0),
                                                one_of(raws, random));
    default:  // Form::Strings
      for (auto n = random.below(3); n > 0; --n) {
        message.GetReflection()->AddString(&message, message.GetDescriptor()->field(0),
                                           some_text(random));
      }
  }
}

class Filler {
 public:
  explicit Filler(Random& random) : random_(random) {}
  void fill(Message& message, int depth);

 private:
  void single(Message& message, const FieldSchema& field, int depth);
  void item(Message& message, const FieldSchema& field, int depth);
  void entry(Message& message, const FieldSchema& field, int depth);
  void submessage(Message& message, const FieldSchema& field, int depth) {
    if (field.form == Form::Object) {
      fill(message, depth + 1);
    } else {
      fill_value(message, field.form, random_);
    }
  }

  Random& random_;
};

void Filler::fill(Message& message, int depth) {
  for (const FieldSchema& field : schema_of(message).fields) {
    if (random_.below(3) != 0 || depth > depth_max) continue;
    if (field.cardinality == Cardinality::Single) {
      single(message, field, depth);
      continue;
    }
    for (auto n = random_.below(3); n > 0; --n) {
      if (field.cardinality == Cardinality::Map) {
        entry(message, field, depth);
      } else {
        item(message, field, depth);
      }
    }
  }
}

void Filler::single(Message& message, const FieldSchema& schema, int depth) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* field = schema.field;
  switch (schema.form) {
    case Form::String:
    case Form::Bytes:
      return reflection.SetString(&message, field, some_text(random_));
    case Form::Int32:
      return reflection.SetInt32(&message, field,
                                 static_cast<std::int32_t>(some_number(random_, false)));
    case Form::Int64:
      return reflection.SetInt64(&message, field, some_number(random_, true));
    case Form::Bool:
      return reflection.SetBool(&message, field, random_.below(2) == 0);
    default:
      return submessage(*reflection.MutableMessage(&message, field), schema, depth);
  }
}

void Filler::item(Message& message, const FieldSchema& schema, int depth) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* field = schema.field;
  switch (schema.form) {
    case Form::String:
    case Form::Bytes:
      return reflection.AddString(&message, field, some_text(random_));
    case Form::Int32:
      return reflection.AddInt32(&message, field,
                                 static_cast<std::int32_t>(some_number(random_, false)));
    case Form::Int64:
      return reflection.AddInt64(&message, field, some_number(random_, true));
    case Form::Bool:
      return reflection.AddBool(&message, field, random_.below(2) == 0);
    default:
      return submessage(*reflection.AddMessage(&message, field), schema, depth);
  }
}

void Filler::entry(Message& message, const FieldSchema& schema, int depth) {
  Message& entry = *message.GetReflection()->AddMessage(&message, schema.field);
  const Reflection& reflection = *entry.GetReflection();
  const auto& type = *schema.field->message_type();
  reflection.SetString(&entry, type.map_key(), some_text(random_) + some_text(random_));
  if (schema.form == Form::String || schema.form == Form::Bytes) {
    return reflection.SetString(&entry, type.map_value(), some_text(random_));
  }
  submessage(*reflection.MutableMessage(&entry, type.map_value()), schema, depth);
}

}  // namespace

void fill_at_random(Message& message, Random& random) {
  Filler(random).fill(message, 0);
}

void set_zeros(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  for (const FieldSchema& schema : schema_of(message).fields) {
    const FieldDescriptor* field = schema.field;
    if (schema.cardinality == Cardinality::List && schema.form == Form::Object) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        set_zeros(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    }
    if (schema.cardinality != Cardinality::Single) continue;
    const bool has = reflection.HasField(message, field);
    if (schema.form == Form::Object && (has || !schema.pointer)) {
      set_zeros(*reflection.MutableMessage(&message, field));
    }
    if (has || schema.pointer) continue;
    if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      reflection.MutableMessage(&message, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection.SetString(&message, field, "");
    } else if (schema.form == Form::Int32) {
      reflection.SetInt32(&message, field, 0);
    } else if (schema.form == Form::Int64) {
      reflection.SetInt64(&message, field, 0);
    } else {
      reflection.SetBool(&message, field, false);
    }
  }
}

}  // namespace keelson
