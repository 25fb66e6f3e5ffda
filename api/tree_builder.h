// Builds a JSON tree from a parser's events, within bounds, and sees keys written twice.
#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "api/json.h"
#include "base/limits.h"

namespace keelson {

class TreeBuilder {
 public:
  void open(json::value container) { open_.push_back({std::move(container), {}}); }
  json::value close();  // the finished container, which is not added yet
  void key(std::string key) { open_.back().key = std::move(key); }  // of the next value
  // To the innermost open container, or as the whole document. False: too many values.
  bool add(json::value value);
  // Counts values that are made without being added. False: too many.
  bool take(std::size_t values);
  std::size_t taken() const { return taken_; }
  std::size_t depth() const { return open_.size(); }
  json::value& innermost() { return open_.back().container; }

  Document document;

 private:
  struct Open {
    json::value container;
    std::string key;
  };
  std::string path() const;

  std::vector<Open> open_;
  std::size_t taken_ = 0;
};

}  // namespace keelson
