// Two canonical messages side by side. What is equal byte for byte is passed over whole, so the
// cost is that of what changed. Semantics are those of upstream's structured-merge-diff on Go's
// structs: what Go's JSON always writes is always there.
#include "api/field_changes.h"

#include <algorithm>
#include <array>
#include <span>

#include "api/kinds.h"
#include "api/schema.h"
#include "api/wire.h"

namespace keelson {
namespace {

constexpr std::array<std::string_view, 8> server_metadata = {
    "creationTimestamp", "generation",      "managedFields", "name",
    "namespace",         "resourceVersion", "selfLink",      "uid"};

// One side's value of a field.
struct Side {
  enum class State {
    Absent,
    Null,     // there, and null: what Go writes of a nil without omitempty
    Zero,     // there, though not in the bytes: the zero of a struct, or of a field always written
    Present,  // in the bytes
  };
  State state = State::Absent;
  std::string_view wire;     // of Present: the field with its tag; of a list or map all of them
  std::string_view content;  // of a single message

  bool absent() const { return state == State::Absent; }
  bool is_value() const { return state == State::Zero || state == State::Present; }
  bool operator==(const Side& other) const { return state == other.state && wire == other.wire; }
};

Side::State state_when_not_in_bytes(const FieldSchema& field) {
  if (field.absent_text.empty()) return Side::State::Absent;
  return field.absent_text.ends_with("null,") ? Side::State::Null : Side::State::Zero;
}

// Does JSON write any field of it?
bool has_fields(const MessageSchema& schema, const Side& side) {
  if (!side.is_value()) return false;
  if (!side.content.empty()) return true;
  return std::ranges::any_of(
      schema.named, [](const NamedField& named) { return !named.field->absent_text.empty(); });
}

// A field of a message, perhaps of one that is inlined in it; none: it is not in the bytes.
WireField find_in(std::string_view message, const NamedField& named) {
  for (const FieldSchema* through : named.through) {
    message = first_field(message, static_cast<std::uint32_t>(through->number)).bytes;
  }
  return first_field(message, static_cast<std::uint32_t>(named.field->number));
}

// A zero that somebody set by hand where Go has none.
bool is_meaningless(const FieldSchema& field, const WireField& wire) {
  const bool single = field.cardinality == Cardinality::Single && !field.pointer;
  return single && wire.value == 0 && wire.bytes.empty();
}

bool is_text(const FieldSchema& field) {
  return field.form == Form::String || field.form == Form::Bytes;
}

ScalarValue scalar_of(const FieldSchema& field, const WireField& wire) {
  if (is_text(field)) return wire.bytes;
  if (field.form == Form::Bool) return wire.value != 0;
  return static_cast<std::int64_t>(wire.value);
}

ScalarValue default_of(const FieldSchema& field) {
  std::string_view text = field.default_value;
  if (!is_text(field)) return static_cast<std::int64_t>(0);
  return text.size() < 2 ? std::string_view() : text.substr(1, text.size() - 2);
}

// An item of a list or an entry of a map on one side.
struct Item {
  FieldElement element;
  Side side;
};

enum class Part { Root, Metadata, Inside };

constexpr std::size_t nodes_expected = 96;   // of a new Pod
constexpr std::size_t slots_expected = 160;  // of the messages above a container's probe

class Comparer {
 public:
  Comparer(const Kind& kind, std::string_view subresource, TextPool& pool)
      : kind_(kind), subresource_(subresource), pool_(pool), changed_(nodes_expected) {
    slots_.reserve(slots_expected);
  }
  FieldChanges compare_roots(std::string_view before, std::string_view after);

 private:
  struct Slot {
    Side before, after;
  };

  void fields(const MessageSchema& schema, const Side& before, const Side& after, Part part);
  void collect(const MessageSchema& schema, std::string_view bytes, std::size_t first,
               Side Slot::*side);
  bool is_passed_over(Part part, std::string_view name) const;
  void field(const FieldSchema& field, const Side& before, const Side& after);
  void object(const MessageSchema& schema, const Side& before, const Side& after);
  void list(const FieldSchema& field, const Side& before, const Side& after);
  void same_keys(const FieldSchema& field, std::span<const Item> old, std::span<const Item> now);
  void map(const FieldSchema& field, const Side& before, const Side& after);
  std::vector<Item> items(const FieldSchema& field, const Side& side);
  std::vector<Item> entries(const Side& side);
  FieldElement element_of(const FieldSchema& list, const WireField& item);

  void open(const FieldElement& element) {
    changed_.open(element);
    removed_.open(element);
  }
  void close() {
    changed_.close();
    removed_.close();
  }
  // The open element itself, if it came or went.
  void mark_presence(const Side& before, const Side& after) {
    if (before.absent()) changed_.mark();
    if (after.absent()) removed_.mark();
  }
  void mark_leaf(const Side& before, const Side& after) {
    mark_presence(before, after);
    if (!before.absent() && !after.absent()) changed_.mark();
  }

  const Kind& kind_;
  const std::string_view subresource_;
  TextPool& pool_;
  FieldSetBuilder changed_, removed_;
  std::vector<Slot> slots_;  // of the messages that are open, each its schema's `named`
};

// Distributes what the bytes hold over the slots.
void Comparer::collect(const MessageSchema& schema, std::string_view bytes, std::size_t first,
                       Side Slot::*side) {
  auto field = schema.fields.begin();
  WireReader reader(bytes);
  const char* begin = reader.at();
  for (WireField next; reader.next(next); begin = reader.at()) {
    const auto number = static_cast<int>(next.number);
    while (field != schema.fields.end() && field->number < number) ++field;
    if (field == schema.fields.end()) return;
    if (field->number != number) continue;
    const std::size_t place = first + field->place;
    if (field->inlined) {
      collect(*field->message, next.bytes, place, side);
      continue;
    }
    if (is_meaningless(*field, next)) continue;
    Side& slot = slots_[place].*side;
    const char* from = slot.wire.empty() ? begin : slot.wire.data();
    slot = {Side::State::Present, {from, static_cast<std::size_t>(reader.at() - from)}, next.bytes};
  }
}

bool Comparer::is_passed_over(Part part, std::string_view name) const {
  if (part == Part::Root) return is_reset(kind_, subresource_, name);
  return part == Part::Metadata && is_server_metadata(name);
}

void Comparer::fields(const MessageSchema& schema, const Side& before, const Side& after,
                      Part part) {
  const std::size_t first = slots_.size();
  slots_.resize(first + schema.named.size());
  collect(schema, before.content, first, &Slot::before);
  collect(schema, after.content, first, &Slot::after);
  for (const std::size_t i : schema.by_name) {
    const FieldSchema& inner = *schema.named[i].field;
    Slot slot = slots_[first + i];
    const Side::State otherwise = state_when_not_in_bytes(inner);
    if (slot.before.absent() && before.is_value()) slot.before.state = otherwise;
    if (slot.after.absent() && after.is_value()) slot.after.state = otherwise;
    if (slot.before == slot.after || is_passed_over(part, inner.name)) continue;
    open({'f', inner.name});
    if (part == Part::Root && inner.name == "metadata") {
      fields(*inner.message, slot.before, slot.after, Part::Metadata);
    } else {
      field(inner, slot.before, slot.after);
    }
    close();
  }
  slots_.resize(first);
}

void Comparer::field(const FieldSchema& field, const Side& before, const Side& after) {
  if (field.atomic || (field.cardinality == Cardinality::Single && field.form != Form::Object)) {
    return mark_leaf(before, after);
  }
  switch (field.cardinality) {
    case Cardinality::Single:
      return object(*field.message, before, after);
    case Cardinality::List:
      return list(field, before, after);
    case Cardinality::Map:
      return map(field, before, after);
  }
}

// Empty against nothing counts as one value, so that the difference of both is kept.
void Comparer::object(const MessageSchema& schema, const Side& before, const Side& after) {
  if (!has_fields(schema, before) && !has_fields(schema, after)) return mark_leaf(before, after);
  fields(schema, before, after, Part::Inside);
  mark_presence(before, after);
}

FieldElement Comparer::element_of(const FieldSchema& list, const WireField& item) {
  if (list.list_type == ListType::Set) return value_element(scalar_of(list, item), pool_);
  std::vector<std::pair<std::string_view, ScalarValue>> keys;
  for (const std::string& name : list.list_keys) {
    const NamedField* key = list.message->lookup(name);
    const WireField value = find_in(item.bytes, *key);
    keys.emplace_back(name, value.number ? scalar_of(*key->field, value) : default_of(*key->field));
  }
  std::ranges::sort(keys, {}, [](const auto& key) { return key.first; });
  return key_element(keys, pool_);
}

void sort(std::vector<Item>& items) {
  const auto less = [](const Item& a, const Item& b) { return compare(a.element, b.element) < 0; };
  if (!std::ranges::is_sorted(items, less)) std::ranges::stable_sort(items, less);
}

std::vector<Item> Comparer::items(const FieldSchema& field, const Side& side) {
  std::vector<Item> found;
  WireReader reader(side.wire);
  const char* begin = reader.at();
  for (WireField next; reader.next(next); begin = reader.at()) {
    const std::string_view wire(begin, static_cast<std::size_t>(reader.at() - begin));
    found.push_back({element_of(field, next), {Side::State::Present, wire, next.bytes}});
  }
  sort(found);
  return found;
}

void Comparer::list(const FieldSchema& field, const Side& before, const Side& after) {
  const std::vector<Item> old_items = items(field, before), new_items = items(field, after);
  std::span<const Item> old(old_items), now(new_items);
  while (!old.empty() || !now.empty()) {
    const bool take_old =
        now.empty() || (!old.empty() && compare(old[0].element, now[0].element) <= 0);
    const FieldElement element = take_old ? old[0].element : now[0].element;
    const auto other = [&](const Item& item) { return item.element != element; };
    const auto old_count = std::ranges::find_if(old, other) - old.begin();
    const auto new_count = std::ranges::find_if(now, other) - now.begin();
    open(element);
    same_keys(field, old.first(static_cast<std::size_t>(old_count)),
              now.first(static_cast<std::size_t>(new_count)));
    close();
    old = old.subspan(static_cast<std::size_t>(old_count));
    now = now.subspan(static_cast<std::size_t>(new_count));
  }
  mark_presence(before, after);
}

// One item against one, as a rule. Several of the same keys are an accident that happens: they
// count as one value.
void Comparer::same_keys(const FieldSchema& field, std::span<const Item> old,
                         std::span<const Item> now) {
  if (std::ranges::equal(old, now, {}, &Item::side, &Item::side)) return;
  const Side was = old.size() == 1 ? old[0].side : Side{};
  const Side is = now.size() == 1 ? now[0].side : Side{};
  if (was.absent() && is.absent()) {
    // several, before or now
  } else if (field.list_type == ListType::Set || field.message->atomic) {
    mark_leaf(was, is);
  } else {
    object(*field.message, was, is);
  }
  if (now.size() > 1) changed_.mark();
  if (old.size() > 1 && now.size() <= 1) removed_.mark();
}

std::vector<Item> Comparer::entries(const Side& side) {
  std::vector<Item> found;
  WireReader reader(side.wire);
  for (WireField entry; reader.next(entry);) {
    WireReader parts(entry.bytes);
    WireField key, value;
    if (!parts.next(key)) continue;
    const char* begin = parts.at();
    parts.next(value);
    found.push_back({field_element(key.bytes, pool_),
                     {Side::State::Present,
                      {begin, static_cast<std::size_t>(parts.at() - begin)},
                      value.bytes}});
  }
  sort(found);
  return found;
}

void Comparer::map(const FieldSchema& field, const Side& before, const Side& after) {
  const std::vector<Item> old_entries = entries(before), new_entries = entries(after);
  auto old = old_entries.begin();
  auto now = new_entries.begin();
  while (old != old_entries.end() || now != new_entries.end()) {
    const int order = now == new_entries.end()   ? -1
                      : old == old_entries.end() ? 1
                                                 : compare(old->element, now->element);
    const FieldElement element = order <= 0 ? old->element : now->element;
    const Side was = order <= 0 ? (old++)->side : Side{};
    const Side is = order >= 0 ? (now++)->side : Side{};
    if (was == is) continue;
    open(element);
    if (field.form == Form::Object && !field.message->atomic) {
      object(*field.message, was, is);
    } else {
      mark_leaf(was, is);
    }
    close();
  }
  mark_presence(before, after);
}

FieldChanges Comparer::compare_roots(std::string_view before, std::string_view after) {
  const auto side = [](std::string_view bytes) {
    return Side{bytes.empty() ? Side::State::Zero : Side::State::Present, bytes, bytes};
  };
  fields(schema_of(*kind_.prototype), side(before), side(after), Part::Root);
  return {changed_.take(), removed_.take()};
}

}  // namespace

FieldChanges changes_between(const Kind& kind, std::string_view before, std::string_view after,
                             std::string_view subresource, TextPool& pool) {
  return Comparer(kind, subresource, pool).compare_roots(before, after);
}

bool is_reset(const Kind& kind, std::string_view subresource, std::string_view root_field) {
  if (subresource == "status") return root_field != "status" && root_field != "metadata";
  return root_field == "status" && kind.subresource("status");
}

bool is_server_metadata(std::string_view field) {
  return std::ranges::binary_search(server_metadata, field);
}

}  // namespace keelson
