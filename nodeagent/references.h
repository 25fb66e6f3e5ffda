// The ConfigMaps and Secrets that pods of this node refer to: each watched by itself, for a node
// may not see the others.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "api/reflector.h"
#include "nodeagent/volume_files.h"

namespace keelson {

// Loop thread only.
class References {
 public:
  // changed: one of this namespace is there, changed or gone.
  using Changed = std::function<void(const std::string& name_space)>;
  References(Reflector::Source source, ObjectIndex& index, Changed changed);
  ~References();

  void add(const core::Pod& pod);     // wants all it refers to
  void remove(const core::Pod& pod);  // as many times as it was added

 private:
  using Key = std::tuple<const Kind*, std::string, std::string>;  // namespace, name
  struct Watched;
  void want(const Kind& kind, const std::string& name_space, const std::string& name);
  void leave(const Kind& kind, const std::string& name_space, const std::string& name);

  Reflector::Source source_;
  ObjectIndex& index_;
  Changed changed_;
  std::map<Key, std::unique_ptr<Watched>> watched_;  // only looked up: pointers have no order
};

}  // namespace keelson
