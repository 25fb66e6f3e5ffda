// Puts programs in force so that they stay in force when this process ends, and are replaced by
// their next version without a moment in which neither runs.
#pragma once

#include <string>

#include "base/error.h"
#include "proxy/loader.h"

namespace keelson::proxy {

// Sockets of the settings' cgroup reach Services from now on, and bind no node port.
Result<> attach_sockets(const DatapathSettings& settings, const Programs& programs);

enum class TcMode { Tcx, Clsact };  // links of Linux 6.6; classifiers before it

// Packets of the uplink reach node ports from now on.
Result<TcMode> attach_uplink(const DatapathSettings& settings, const Programs& programs);

// A classifier at the node's end of a pod's veth; it goes with the interface.
Result<> attach_pod(int program, unsigned ifindex);

// Removes maps that no attached program uses any more: those of other layouts.
void remove_old_maps(const std::string& bpffs, const std::string& current_maps_folder);

// Takes everything out of force and away: pins of programs and maps, and the uplink's classifiers.
Result<> remove_datapath(const std::string& bpffs, unsigned uplink);

}  // namespace keelson::proxy
