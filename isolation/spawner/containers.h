// The containers of the worker: starting, hearing of ends, adopting what a predecessor left.
#pragma once

#include "isolation/spawner/clients.h"
#include "isolation/spawner/core.h"
#include "isolation/spawner/inside.h"

namespace keelson::isolation {

class Containers {
 public:
  Containers(Core& core, Clients& clients) : core_(core), clients_(clients) {}

  void adopt_all();
  // Some orphan has died and nobody has said yet how: look again soon.
  bool has_unresolved() const { return unresolved_ > 0; }
  void resolve_again();

  void start(const Asker& asker, FdBag& fds);
  void report_came(int slot);
  void child_ended(ContainerSlot& slot, int wait_status);
  void orphan_ended(int slot);
  void output_came(int slot, int stream);
  void terminal_came(int slot);

  void signal(const Asker& asker, const wire::IdMessage& message);
  void forget(const Asker& asker, const wire::IdMessage& message);
  void attach(const Asker& asker, const wire::IdMessage& message, FdBag& fds);
  void close_stdin(const Asker& asker, const wire::IdMessage& message);
  bool runs_in(const char* sandbox_id) const;

 private:
  struct Live {
    LogFile log;
    int report = -1;  // while it starts
    Asker asker;
    bool is_unresolved = false;
  };
  struct Copy {  // an attached reader
    int slot = -1, stream = 0, fd = -1;
  };
  struct ChildEnds {  // for the child alone; closed in the parent
    int report = -1, stdio[3] = {-1, -1, -1};
    ChildEnds() = default;
    ~ChildEnds();
    ChildEnds(const ChildEnds&) = delete;
    ChildEnds& operator=(const ChildEnds&) = delete;
  };

  // start
  const char* prepare(ContainerSlot& slot, const wire::Spec& spec, ChildEnds& ends, int* result);
  int make_stdio(ContainerSlot& slot, const wire::Spec& spec, ChildEnds& ends);
  int make_fifo(ContainerSlot& slot, Held what, int* child_end);
  int clone_child(ContainerSlot& slot, const wire::Spec& spec, const FdBag& fds,
                  const ChildEnds& ends);
  void let_go(ContainerSlot& slot);
  void started(ContainerSlot& slot);
  // end
  void finish(ContainerSlot& slot);   // it is noted; the rest of its output, then the news
  void abandon(ContainerSlot& slot);  // it never was
  void let_loose(ContainerSlot& slot);
  // output
  void drain(ContainerSlot& slot);
  bool pump(ContainerSlot& slot, int stream);
  void copy_out(int slot, int stream, const Pumped& pumped);
  void end_copies(int slot);
  void watch_output(ContainerSlot& slot);
  // adoption
  void adopt(ContainerSlot& slot);
  void adopt_process(ContainerSlot& slot);
  void reopen(ContainerSlot& slot, Held what, int flags);
  bool resolve(ContainerSlot& slot);

  Core& core_;
  Clients& clients_;
  Live live_[wire::containers_max];
  Copy copies_[64];
  int unresolved_ = 0;
};

// The FIFO's file in the state folder.
SlotName fifo_name(Held what, int slot);

}  // namespace keelson::isolation
