#include "config/did_you_mean.h"
#include "core/error.h"
#include "models/ctr/auto_int.h"
#include "models/ctr/ctr_model.h"
#include "models/ctr/dcn.h"
#include "models/ctr/deep_fm.h"
#include "models/ctr/x_deep_fm.h"

namespace rallrec::models::ctr {

const std::vector<std::string>& ctr_model_names() {
  static const std::vector<std::string> names = {"deep_fm", "x_deep_fm", "dcn", "auto_int"};
  return names;
}

std::unique_ptr<CtrModel> make_ctr_model(const std::string& name, const CtrShape& shape,
                                         const config::BaselineOptions& options,
                                         const Queue& queue) {
  if (name == "deep_fm") {
    return std::make_unique<DeepFm>(shape, options, queue);
  }
  if (name == "x_deep_fm") {
    return std::make_unique<XDeepFm>(shape, options, queue);
  }
  if (name == "dcn") {
    return std::make_unique<Dcn>(shape, options, queue);
  }
  if (name == "auto_int") {
    return std::make_unique<AutoInt>(shape, options, queue);
  }
  throw_usage("no baseline is called '" + name + "'; expected deep_fm, x_deep_fm, dcn or auto_int" +
              config::did_you_mean(name, ctr_model_names()));
}

}  // namespace rallrec::models::ctr
