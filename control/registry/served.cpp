// Conversion at the registry's door.
#include "control/registry/served.h"

#include <google/protobuf/message.h>

namespace keelson {
namespace {

class ServedSink final : public WatchSink {
 public:
  ServedSink(const Kind& served, std::shared_ptr<WatchSink> sink)
      : served_(served), sink_(std::move(sink)) {}

  // The encodings are shared among watchers of the stored form, so these have none.
  bool deliver(std::span<const WatchItem> items) override {
    std::vector<WatchItem> converted(items.begin(), items.end());
    for (auto& item : converted) {
      if (item.object) item.object = served_object(served_, item.object);
      item.encodings.reset();
    }
    return sink_->deliver(converted);
  }
  void end(const Error& error) override { sink_->end(error); }

 private:
  const Kind& served_;
  std::shared_ptr<WatchSink> sink_;
};

}  // namespace

Target stored(const Target& target) {
  return {target.kind.storage(), target.name_space, target.name, target.subresource};
}

std::unique_ptr<Message> stored_message(const Kind& served, const Message& message) {
  auto result = served.storage().make_message();
  served.to_stored(message, *result);
  return result;
}

ObjectPtr served_object(const Kind& served, const ObjectPtr& stored) {
  const auto from = stored->kind->make_message();
  decode_into(*stored, *from);
  const auto to = served.make_message();
  served.from_stored(*from, *to);
  return make_object(served, *to);
}

Result<Answer> served_answer(const Kind& served, Result<Answer> answer) {
  if (answer && answer->object && served.stored_as)
    answer->object = served_object(served, answer->object);
  return answer;
}

Result<ListAnswer> served_list(const Kind& served, Result<ListAnswer> list) {
  if (!list || !served.stored_as) return list;
  for (auto& object : list->items) object = served_object(served, object);
  return list;
}

std::shared_ptr<WatchSink> served_sink(const Kind& served, std::shared_ptr<WatchSink> sink) {
  if (!served.stored_as) return sink;
  return std::make_shared<ServedSink>(served, std::move(sink));
}

}  // namespace keelson
