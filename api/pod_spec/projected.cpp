// Projected volumes and the files of the downward API.
#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/volume.pb.h"

namespace keelson::pod_spec {
namespace {

// The files of all sources lie in one folder.
struct Projection {
  Checker& checker;
  const FieldPath& path;
  std::set<std::string> taken = {};

  void take(const std::string& file, std::string_view said) {
    if (!file.empty() && !taken.insert(file).second) {
      checker.errors.invalid(path, said, "conflicting duplicate paths");
    }
  }
  // A ConfigMap's or a Secret's.
  void check_object(const FieldPath& at, const std::string& name,
                    const List<core::KeyToPath>& items) {
    if (name.empty()) checker.errors.required(at / "name");
    each(at / "items", items, [&](const FieldPath& item_at, const core::KeyToPath& item) {
      check_key_to_path(checker, item_at, item);
      take(item.path(), name);
    });
  }
  void check_downward(const FieldPath& at, const core::DownwardAPIProjection& source) {
    for (const auto& file : source.items()) {
      check_downward_file(checker, at, file);
      take(file.path(), file.path());
    }
  }
  void check_token(const FieldPath& at, const core::ServiceAccountTokenProjection& source);
  void check_bundle(const FieldPath& at, const core::ClusterTrustBundleProjection& source);
};

void Projection::check_token(const FieldPath& at,
                             const core::ServiceAccountTokenProjection& source) {
  const std::int64_t seconds = source.expirationseconds();
  if (seconds < 10 * 60) {
    checker.errors.invalid_number(at / "expirationSeconds", seconds,
                                  "may not specify a duration less than 10 minutes");
  }
  if (seconds > std::int64_t{1} << 32) {
    checker.errors.invalid_number(at / "expirationSeconds", seconds,
                                  "may not specify a duration larger than 2^32 seconds");
  }
  if (source.path().empty()) {
    checker.errors.required(path / "path");
  } else {
    check_relative_unreserved(path / "path", source.path(), checker.errors);
  }
}

void Projection::check_bundle(const FieldPath& at,
                              const core::ClusterTrustBundleProjection& source) {
  if (!source.has_name() && !source.has_signername()) {
    checker.errors.required(at, "either name or signerName must be specified");
  }
  if (source.path().empty()) checker.errors.required(at / "path");
  check_relative_unreserved(at / "path", source.path(), checker.errors);
  take(source.path(), source.path());
}

}  // namespace

void check_projected(Checker& checker, const FieldPath& path,
                     const core::ProjectedVolumeSource& volume) {
  check_mode(path / "defaultMode", volume.has_defaultmode(), volume.defaultmode(), checker.errors);
  Projection projection{checker, path};
  each(path / "sources", volume.sources(),
       [&](const FieldPath& at, const core::VolumeProjection& source) {
         if (source.has_secret()) {
           projection.check_object(at / "secret", source.secret().localobjectreference().name(),
                                   source.secret().items());
         }
         if (source.has_configmap()) {
           projection.check_object(at / "configMap",
                                   source.configmap().localobjectreference().name(),
                                   source.configmap().items());
         }
         if (source.has_downwardapi()) {
           projection.check_downward(at / "downwardAPI", source.downwardapi());
         }
         if (source.has_serviceaccounttoken()) {
           projection.check_token(at / "serviceAccountToken", source.serviceaccounttoken());
         }
         if (source.has_clustertrustbundle()) {
           projection.check_bundle(at / "clusterTrustBundle", source.clustertrustbundle());
         }
         if (source.has_secret() + source.has_configmap() + source.has_downwardapi() +
                 source.has_serviceaccounttoken() + source.has_clustertrustbundle() >
             1) {
           checker.errors.forbidden(at, "may not specify more than 1 volume type per source");
         }
       });
}

void check_downward_file(Checker& checker, const FieldPath& path,
                         const core::DownwardAPIVolumeFile& file) {
  static const std::vector<std::string_view> fields = {"metadata.annotations", "metadata.labels",
                                                       "metadata.name", "metadata.namespace",
                                                       "metadata.uid"};
  if (file.path().empty()) checker.errors.required(path / "path");
  check_relative_unreserved(path / "path", file.path(), checker.errors);
  if (file.has_fieldref()) {
    check_field_selector(checker, path / "fieldRef", file.fieldref(), fields);
    if (file.has_resourcefieldref()) {
      checker.errors.invalid(path, "resource",
                             "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (file.has_resourcefieldref()) {
    check_resource_selector(checker, path / "resourceFieldRef", file.resourcefieldref(), true);
  } else {
    checker.errors.required(path, "one of fieldRef and resourceFieldRef is required");
  }
  check_mode(path / "mode", file.has_mode(), file.mode(), checker.errors);
}

}  // namespace keelson::pod_spec
