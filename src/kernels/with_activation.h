#pragma once

#include "core/check.h"
#include "kernels/activation.h"

namespace rallrec::kernels::detail {

// The classes by which a device computes each activation.
template <typename Identity, typename Relu, typename Gelu, typename Tanh>
struct ActivationClasses {
  // Calls visit(function) with an object of the class that `activation` names.
  template <typename Visit>
  static void with(Activation activation, const Visit& visit) {
    switch (activation) {
      case Activation::kNone:
        return visit(Identity{});
      case Activation::kRelu:
        return visit(Relu{});
      case Activation::kGelu:
        return visit(Gelu{});
      case Activation::kTanh:
        return visit(Tanh{});
    }
    RALLREC_CHECK(false, "activate: an unknown activation");
  }
};

}  // namespace rallrec::kernels::detail
