// One object at one revision, as it is kept in memory: its serialized message, and beside it the
// few fields that indexes, selectors and reconcilers ask for. A decoded Pod takes 6–10 kB, its
// bytes 1 kB.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types.h"
#include "base/clock.h"
#include "base/error.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class ObjectMeta;
class Time;
}  // namespace k8s::io::apimachinery::pkg::apis::meta::v1

namespace keelson {

struct Kind;

using Revision = std::int64_t;  // of the whole store; grows by one per write; 0 is none

// Labels or annotations: sorted by key, each key once.
class Labels {
 public:
  using Entry = std::pair<std::string, std::string>;
  Labels() = default;
  explicit Labels(std::vector<Entry> entries);  // sorts
  const std::string* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  bool operator==(const Labels&) const = default;

 private:
  std::vector<Entry> entries_;
};

struct OwnerReference {
  std::string api_version, kind, name, uid;
  bool controller = false;
  bool block_owner_deletion = false;
};

// What a kind's row extracts beyond metadata, for reconcilers that look at many objects (PodFacts,
// …).
struct Facts {
  virtual ~Facts() = default;
};

struct Object {
  const Kind* kind = nullptr;
  std::string name_space;  // empty for cluster scope
  std::string name;
  std::string uid;
  Revision resource_version = 0;
  std::int64_t generation = 0;
  Labels labels;
  std::vector<OwnerReference> owners;
  std::vector<std::string> finalizers;
  WallTime creation_time{};
  std::optional<WallTime> deletion_time;  // set: the object is on its way out
  std::vector<std::string> fields;        // values of kind->selectable_fields, in their order
  std::unique_ptr<const Facts> facts;     // may be null; see Kind::facts
  std::string bytes;                      // the message, without envelope, resourceVersion inside

  const OwnerReference* controller() const;  // the owner that manages it; null if none
};

using ObjectPtr = std::shared_ptr<const Object>;  // committed objects never change

// Key of an object within its kind: "namespace/name", or "name" for cluster scope. What work queues
// carry.
std::string key_of(std::string_view name_space, std::string_view name);
std::string key_of(const Object& object);
std::pair<std::string_view, std::string_view> split_key(std::string_view key);  // {namespace, name}

// From a message to the object: serializes (map entries sorted, so equal objects have equal bytes)
// and extracts. The message's metadata.resourceVersion must be what the object shall have.
ObjectPtr make_object(const Kind& kind, const Message& message);
// From bytes as make_object wrote them, or as a peer sent them. Error: not a message of this kind.
Result<ObjectPtr> parse_object(const Kind& kind, std::string bytes);

// The object's message. The bytes are ours, so failing to parse is a broken invariant (assert).
void decode_into(const Object& object, Message& message);
template <typename T>
T decode(const Object& object) {
  T message;
  decode_into(object, message);
  return message;
}

// metadata of any message that has it (every kind does).
const meta::ObjectMeta& metadata_of(const Message& message);
meta::ObjectMeta& mutable_metadata_of(Message& message);

WallTime from_time(const meta::Time& time);
void set_time(meta::Time& time, WallTime at);  // whole seconds, as Kubernetes keeps them

}  // namespace keelson
