#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/support/simt/block.h"
#include "tests/support/simt/code_name.h"

namespace rallrec::simt {

template <typename... Parameters, std::size_t... kIndices>
std::function<void()> bind_each(void (*kernel)(Parameters...), void** arguments,
                                std::index_sequence<kIndices...>) {
  std::tuple<std::decay_t<Parameters>...> values(
      *static_cast<std::decay_t<Parameters>*>(arguments[kIndices])...);
  return [kernel, values] { std::apply(kernel, values); };
}

// The kernel with copies of its arguments, as a launch takes them.
template <typename... Parameters>
std::function<void()> bind_arguments(void (*kernel)(Parameters...), void** arguments) {
  return bind_each(kernel, arguments, std::index_sequence_for<Parameters...>());
}

}  // namespace rallrec::simt
