// Short names for the schema's packages, without including any of it.
#pragma once

namespace google::protobuf {
class Message;
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace k8s::io::api {
namespace apps::v1 {}
namespace authentication::v1 {}
namespace authorization::v1 {}
namespace autoscaling::v1 {}
namespace autoscaling::v2 {}
namespace batch::v1 {}
namespace certificates::v1 {}
namespace coordination::v1 {}
namespace core::v1 {}
namespace discovery::v1 {}
namespace events::v1 {}
namespace networking::v1 {}
namespace node::v1 {}
namespace policy::v1 {}
namespace rbac::v1 {}
namespace scheduling::v1 {}
namespace storage::v1 {}
}  // namespace k8s::io::api
namespace k8s::io::apimachinery::pkg {
namespace apis::meta::v1 {}
namespace api::resource {}
namespace runtime {}
namespace util::intstr {}
}  // namespace k8s::io::apimachinery::pkg

namespace keelson {

namespace apps = ::k8s::io::api::apps::v1;
namespace authentication = ::k8s::io::api::authentication::v1;
namespace authorization = ::k8s::io::api::authorization::v1;
namespace autoscaling = ::k8s::io::api::autoscaling::v1;
namespace autoscaling_v2 = ::k8s::io::api::autoscaling::v2;
namespace batch = ::k8s::io::api::batch::v1;
namespace certificates = ::k8s::io::api::certificates::v1;
namespace coordination = ::k8s::io::api::coordination::v1;
namespace core = ::k8s::io::api::core::v1;
namespace discovery = ::k8s::io::api::discovery::v1;
namespace events = ::k8s::io::api::events::v1;
namespace networking = ::k8s::io::api::networking::v1;
namespace policy = ::k8s::io::api::policy::v1;
namespace rbac = ::k8s::io::api::rbac::v1;
namespace scheduling = ::k8s::io::api::scheduling::v1;
namespace storage = ::k8s::io::api::storage::v1;
namespace meta = ::k8s::io::apimachinery::pkg::apis::meta::v1;
namespace resource = ::k8s::io::apimachinery::pkg::api::resource;
namespace runtime = ::k8s::io::apimachinery::pkg::runtime;
namespace intstr = ::k8s::io::apimachinery::pkg::util::intstr;

using google::protobuf::Message;

}  // namespace keelson
