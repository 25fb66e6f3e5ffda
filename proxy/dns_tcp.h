// DNS over TCP: messages with their length in front, several on one connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/fd.h"
#include "base/system_loop.h"
#include "proxy/dns_message.h"

namespace keelson::proxy {

class DnsTcpListener {
 public:
  struct Settings {
    std::uint32_t address_be = 0;
    std::uint16_t port = 53;
    std::size_t connections_max = 128;  // beyond it the newest is closed
    int questions_max = 8;              // of one connection in flight; it is not read meanwhile
    Duration idle_timeout = 10s;
  };
  // An empty answer closes the connection. May be called when the listener is gone.
  using Reply = std::move_only_function<void(DnsBytes answer)>;
  using Handle = std::function<void(DnsBytes question, Reply reply)>;

  static Result<std::unique_ptr<DnsTcpListener>> open(SystemLoop& loop, Settings settings,
                                                      Handle handle);
  ~DnsTcpListener();
  std::uint16_t port() const;  // the kernel's choice where settings say 0
  std::size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  DnsTcpListener(SystemLoop& loop, Settings settings, Handle handle, Fd listener);
  void watch();
  void accept();

  SystemLoop& loop_;
  Settings settings_;
  Handle handle_;
  Fd listener_;
  Pending readable_, pause_;
  std::set<std::shared_ptr<Connection>> connections_;
};

}  // namespace keelson::proxy
