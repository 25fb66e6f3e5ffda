// Volumes of a pod, and where its containers mount them.
#include <google/protobuf/descriptor.h>

#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/volume.pb.h"
#include "api/quantity.h"

namespace keelson::pod_spec {
namespace {

void check_items(Checker& checker, const FieldPath& path, const List<core::KeyToPath>& items) {
  each(path / "items", items, [&](const FieldPath& at, const core::KeyToPath& item) {
    check_key_to_path(checker, at, item);
  });
}

void check_secret(Checker& checker, const FieldPath& path, const core::SecretVolumeSource& source) {
  if (source.secretname().empty()) checker.errors.required(path / "secretName");
  check_mode(path / "defaultMode", source.has_defaultmode(), source.defaultmode(), checker.errors);
  check_items(checker, path, source.items());
}

void check_config_map(Checker& checker, const FieldPath& path,
                      const core::ConfigMapVolumeSource& source) {
  if (source.localobjectreference().name().empty()) checker.errors.required(path / "name");
  check_mode(path / "defaultMode", source.has_defaultmode(), source.defaultmode(), checker.errors);
  check_items(checker, path, source.items());
}

void check_host_path(Checker& checker, const FieldPath& path,
                     const core::HostPathVolumeSource& source) {
  if (source.path().empty()) return checker.errors.required(path / "path");
  check_no_parent(path / "path", source.path(), checker.errors);
  static const std::vector<std::string_view> types = {
      "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
      "File", "FileOrCreate", "Socket"};
  if (std::ranges::find(types, source.type()) == types.end()) {
    checker.errors.not_supported(path / "type", source.type(), types);
  }
}

void check_downward(Checker& checker, const FieldPath& path,
                    const core::DownwardAPIVolumeSource& source) {
  check_mode(path / "defaultMode", source.has_defaultmode(), source.defaultmode(), checker.errors);
  // Upstream's paths do not say which file.
  for (const auto& file : source.items()) check_downward_file(checker, path, file);
}

void check_empty_dir(Checker& checker, const FieldPath& path,
                     const core::EmptyDirVolumeSource& source) {
  if (!source.has_sizelimit() || !Quantity::of(source.sizelimit()).is_negative()) return;
  checker.errors.forbidden(path / "sizeLimit", "SizeLimit field must be a valid resource quantity");
}

void check_nfs(Checker& checker, const FieldPath& path, const core::NFSVolumeSource& source) {
  if (source.server().empty()) checker.errors.required(path / "server");
  if (source.path().empty()) checker.errors.required(path / "path");
  if (!source.path().starts_with('/')) {
    checker.errors.invalid(path / "path", source.path(), "must be an absolute path");
  }
}

void check_csi(Checker& checker, const FieldPath& path, const core::CSIVolumeSource& source) {
  if (source.driver().empty()) checker.errors.required(path / "driver");
  if (source.has_nodepublishsecretref() && source.nodepublishsecretref().name().empty()) {
    checker.errors.required(path / "nodePublishSecretRef" / "name");
  }
}

void check_image(Checker& checker, const FieldPath& path, const core::ImageVolumeSource& source) {
  if (checker.of == SpecOf::Pod && source.reference().empty()) {
    checker.errors.required(path / "reference");
  }
  check_choice(path / "pullPolicy", source.pullpolicy(), {"Always", "IfNotPresent", "Never"},
               checker.errors);
}

void check_ephemeral(Checker& checker, const FieldPath& path,
                     const core::EphemeralVolumeSource& source) {
  if (!source.has_volumeclaimtemplate()) checker.errors.required(path / "volumeClaimTemplate");
}

// The source that is set. Those of vendors are accepted as they are: no node here mounts them, and
// a warning says so (api/unsupported.cpp).
void check_one_source(Checker& checker, const FieldPath& volume, std::string_view name,
                      const core::VolumeSource& source) {
  const FieldPath path = volume / name;
  if (name == "emptyDir") return check_empty_dir(checker, path, source.emptydir());
  if (name == "hostPath") return check_host_path(checker, path, source.hostpath());
  if (name == "secret") return check_secret(checker, path, source.secret());
  if (name == "configMap") return check_config_map(checker, path, source.configmap());
  if (name == "downwardAPI") return check_downward(checker, path, source.downwardapi());
  if (name == "projected") return check_projected(checker, path, source.projected());
  if (name == "nfs") return check_nfs(checker, path, source.nfs());
  if (name == "csi") return check_csi(checker, path, source.csi());
  if (name == "image") return check_image(checker, path, source.image());
  if (name == "ephemeral") return check_ephemeral(checker, path, source.ephemeral());
  if (name == "persistentVolumeClaim" && source.persistentvolumeclaim().claimname().empty()) {
    checker.errors.required(path / "claimName");
  }
}

void check_source(Checker& checker, const FieldPath& path, const core::VolumeSource& source) {
  std::vector<const google::protobuf::FieldDescriptor*> set;
  source.GetReflection()->ListFields(source, &set);
  if (set.empty()) return checker.errors.required(path, "must specify a volume type");
  // Fields are in the order of their numbers; upstream looks at emptyDir first.
  if (source.has_emptydir() && source.has_hostpath()) std::swap(set[0], set[1]);
  check_one_source(checker, path, set[0]->name(), source);
  for (std::size_t i = 1; i < set.size(); ++i) {
    checker.errors.forbidden(path / set[i]->name(), "may not specify more than 1 volume type");
  }
}

void check_propagation(Checker& checker, const FieldPath& path, const core::VolumeMount& mount,
                       const core::Container& container) {
  if (!mount.has_mountpropagation()) return;
  static const std::vector<std::string_view> modes = {"Bidirectional", "HostToContainer", "None"};
  const std::string& mode = mount.mountpropagation();
  if (std::ranges::find(modes, mode) == modes.end()) {
    checker.errors.not_supported(path / "mountPropagation", mode, modes);
  }
  if (mode == "Bidirectional" && !container.securitycontext().privileged()) {
    checker.errors.forbidden(
        path / "mountPropagation",
        "Bidirectional mount propagation is available only to privileged containers");
  }
}

void check_recursive_read_only(Checker& checker, const FieldPath& path,
                               const core::VolumeMount& mount) {
  if (!mount.has_recursivereadonly()) return;
  const FieldPath at = path / "recursiveReadOnly";
  const std::string& mode = mount.recursivereadonly();
  if (mode == "Disabled") return;
  if (mode != "Enabled" && mode != "IfPossible") {
    return checker.errors.not_supported(at, mode, {"Disabled", "Enabled", "IfPossible"});
  }
  if (!mount.readonly()) {
    checker.errors.forbidden(at, "may only be specified when readOnly is true");
  }
  if (mount.has_mountpropagation() && mount.mountpropagation() != "None") {
    checker.errors.forbidden(
        at, "may only be specified when mountPropagation is None or not specified");
  }
}

void check_sub_path(Checker& checker, const FieldPath& list, const FieldPath& path,
                    const core::VolumeMount& mount) {
  if (!mount.subpath().empty()) check_relative(list / "subPath", mount.subpath(), checker.errors);
  if (mount.subpathexpr().empty()) return;
  if (!mount.subpath().empty()) {
    checker.errors.invalid(path / "subPathExpr", mount.subpathexpr(),
                           "subPathExpr and subPath are mutually exclusive");
  }
  check_relative(list / "subPathExpr", mount.subpathexpr(), checker.errors);
}

void check_devices(Checker& checker, const FieldPath& path, const core::Container& container) {
  each(path / "volumeDevices", container.volumedevices(),
       [&](const FieldPath& at, const core::VolumeDevice& device) {
         if (device.name().empty()) checker.errors.required(at / "name");
         const auto volume = checker.volumes.find(device.name());
         if (volume == checker.volumes.end()) {
           checker.errors.not_found(at / "name", device.name());
         } else if (!volume->second->has_persistentvolumeclaim() &&
                    !volume->second->has_ephemeral()) {
           checker.errors.invalid(at / "name", device.name(),
                                  "can only use volume source type of PersistentVolumeClaim or "
                                  "Ephemeral for block mode");
         }
         if (device.devicepath().empty()) checker.errors.required(at / "devicePath");
       });
}

}  // namespace

void check_key_to_path(Checker& checker, const FieldPath& path, const core::KeyToPath& item) {
  if (item.key().empty()) checker.errors.required(path / "key");
  if (item.path().empty()) checker.errors.required(path / "path");
  check_relative_unreserved(path / "path", item.path(), checker.errors);
  check_mode(path / "mode", item.has_mode(), item.mode(), checker.errors);
}

void check_volumes(Checker& checker, const FieldPath& path) {
  each(path, checker.spec.volumes(), [&](const FieldPath& at, const core::Volume& volume) {
    const std::size_t before = checker.errors.causes().size();
    check_source(checker, at, volume.volumesource());
    if (volume.name().empty()) {
      checker.errors.required(at / "name");
    } else {
      check_value(at / "name", volume.name(), check_dns_label, checker.errors);
    }
    if (checker.volumes.contains(volume.name())) {
      checker.errors.duplicate(at / "name", volume.name());
    }
    if (checker.errors.causes().size() == before) {
      checker.volumes[volume.name()] = &volume.volumesource();
    }
  });
}

void check_volume_mounts(Checker& checker, const FieldPath& path,
                         const core::Container& container) {
  const FieldPath list = path / "volumeMounts";
  std::set<std::string_view> mount_paths;
  each(list, container.volumemounts(), [&](const FieldPath& at, const core::VolumeMount& mount) {
    if (mount.name().empty()) checker.errors.required(at / "name");
    if (!checker.volumes.contains(mount.name()))
      checker.errors.not_found(at / "name", mount.name());
    if (mount.mountpath().empty()) checker.errors.required(at / "mountPath");
    if (!mount_paths.insert(mount.mountpath()).second) {
      checker.errors.invalid(at / "mountPath", mount.mountpath(), "must be unique");
    }
    check_sub_path(checker, list, at, mount);
    // Upstream's paths of these two do not say which mount.
    check_propagation(checker, list, mount, container);
    check_recursive_read_only(checker, list, mount);
  });
  check_devices(checker, path, container);
}

}  // namespace keelson::pod_spec
